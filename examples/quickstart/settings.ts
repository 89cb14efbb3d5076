/** What the quickstart is told from outside, checked once before a port is opened. */

export interface QuickstartSettings {
  /** `AC…`. Undefined: `/token` answers 500. The same holds for the key and its secret. */
  readonly accountSid: string | undefined;
  /** `SK…` */
  readonly apiKey: string | undefined;
  readonly apiSecret: string | undefined;
  /** `IS…`, or `default` for the account's default service. */
  readonly serviceSid: string;
  /** Where the page finds the service: `ws:` or `wss:`. */
  readonly socketUrl: string;
  /** Life of a token in seconds, 10 to 86,400. */
  readonly tokenTtl: number;
  /** 0 takes any free port. */
  readonly port: number;
}

/** A setting that cannot be used as it is; the message names it and says what would do. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws SettingError for a value that is there and wrong; missing credentials are no error, see `missingCredentials`. */
export function readSettings(environment: Environment): QuickstartSettings {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  return {
    accountSid: text('TWILIO_ACCOUNT_SID'),
    apiKey: text('TWILIO_API_KEY'),
    apiSecret: text('TWILIO_API_SECRET'),
    serviceSid: text('TWILIO_SYNC_SERVICE_SID') ?? 'default',
    socketUrl: socketUrl(text('TALLYSTICK_SOCKET_URL') ?? 'ws://127.0.0.1:8080/v3/wsconnect'),
    // A number, never text: the library would read the text "3600" as milliseconds.
    tokenTtl: wholeNumber('TOKEN_TTL', text('TOKEN_TTL') ?? '3600', 10, 86_400, 'the seconds that a token lives'),
    port: wholeNumber('PORT', text('PORT') ?? '3000', 0, 65_535, 'the port to listen on; 0 takes any free one'),
  };
}

/** One line that names the missing credentials and the fix, or undefined when tokens can be minted. */
export function missingCredentials(settings: QuickstartSettings): string | undefined {
  const credentials: readonly [string, string | undefined][] = [
    ['TWILIO_ACCOUNT_SID (AC…)', settings.accountSid],
    ['TWILIO_API_KEY (SK…)', settings.apiKey],
    ['TWILIO_API_SECRET', settings.apiSecret],
  ];
  const missing = credentials.filter(([, value]) => value === undefined).map(([name]) => name);
  if (missing.length === 0) return undefined;
  return `Not set: ${missing.join(', ')}. Until then /token answers 500. Set them, or run \`npm start\` at the root of the repository, which does.`;
}

function wholeNumber(name: string, text: string, least: number, most: number, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new SettingError(`${name} must be a whole number from ${least} to ${most}, ${what}; it is "${text}".`);
}

function socketUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'ws:' || url.protocol === 'wss:')) return text;
  throw new SettingError(
    `TALLYSTICK_SOCKET_URL must be a WebSocket address like ws://127.0.0.1:8080/v3/wsconnect; it is "${text}".`,
  );
}
