/** What the quickstart is told from outside, checked once before a port is opened. */

import { randomBytes } from 'node:crypto';
import express from 'express';

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
  /** How it is decided who asks: see authenticated-sender.ts. */
  readonly identity: IdentityWay;
  /** Signs the session cookies of `login`; at least 32 characters. */
  readonly sessionSecret: string;
  /** For `oidc`. */
  readonly oidc: OidcSettings;
  /** Whose `X-Forwarded-…` headers count, in Express's words, such as `loopback`. Undefined: nobody's. */
  readonly trustProxy: string | undefined;
}

const identityWays = ['anonymous', 'login', 'oidc', 'random'] as const;
type IdentityWay = (typeof identityWays)[number];

interface OidcSettings {
  /** The provider; undefined: one for development is started beside the app. */
  readonly issuer: string | undefined;
  /** First part of the identities; undefined: the issuer's host. */
  readonly name: string | undefined;
  /** What access tokens must be made out to: this backend, in the provider's words. */
  readonly audience: string;
  /** The page, in the provider's words: a public client. */
  readonly clientId: string;
  /** Where the provider for development listens; 0 takes any free port. */
  readonly developmentPort: number;
}

/** A setting that cannot be used as it is; the message names it and says what would do. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

type Environment = Readonly<Record<string, string | undefined>>;
type Lookup = (name: string) => string | undefined;

/** @throws SettingError for a value that is there and wrong; missing credentials are no error, see `missingCredentials`. */
export function readSettings(environment: Environment): QuickstartSettings {
  const text: Lookup = (name) => environment[name]?.trim() || undefined;
  return {
    accountSid: text('TWILIO_ACCOUNT_SID'),
    apiKey: text('TWILIO_API_KEY'),
    apiSecret: text('TWILIO_API_SECRET'),
    serviceSid: text('TWILIO_SYNC_SERVICE_SID') ?? 'default',
    socketUrl: socketUrl(text('TALLYSTICK_SOCKET_URL') ?? 'ws://127.0.0.1:8080/v3/wsconnect'),
    // A number, never text: the library would read the text "3600" as milliseconds.
    tokenTtl: wholeNumber('TOKEN_TTL', text('TOKEN_TTL') ?? '3600', 10, 86_400, 'the seconds that a token lives'),
    port: wholeNumber('PORT', text('PORT') ?? '3000', 0, 65_535, 'the port to listen on; 0 takes any free one'),
    identity: identityWay(text('IDENTITY') ?? 'anonymous', text),
    sessionSecret: sessionSecret(text('SESSION_SECRET')),
    oidc: oidcSettings(text),
    trustProxy: trustProxy(text('TRUST_PROXY')),
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

function identityWay(word: string, text: Lookup): IdentityWay {
  const way = identityWays.find((known) => known === word);
  if (way === undefined) {
    throw new SettingError(`IDENTITY must be one of ${identityWays.join(', ')}; it is "${word}".`);
  }
  if (text('NODE_ENV') !== 'production') return way;
  if (way === 'login') {
    throw new SettingError(
      'IDENTITY=login lets in users whose passwords everybody can read, and NODE_ENV is "production": put your own users in users.ts, and take this check out of settings.ts.',
    );
  }
  if (way === 'oidc' && text('OIDC_ISSUER') === undefined) {
    throw new SettingError(
      'OIDC_ISSUER is missing, and NODE_ENV is "production": the provider for development lets everybody in.',
    );
  }
  return way;
}

function sessionSecret(text: string | undefined): string {
  // Sessions are kept in memory and end with the process, so their signatures may.
  if (text === undefined) return randomBytes(32).toString('hex');
  if (text.length >= 32) return text;
  throw new SettingError('SESSION_SECRET must be text of at least 32 characters, random; the one given is shorter.');
}

function oidcSettings(text: Lookup): OidcSettings {
  const issuer = text('OIDC_ISSUER');
  if (issuer !== undefined) checkIssuer(issuer);
  for (const name of ['OIDC_AUDIENCE', 'OIDC_CLIENT_ID']) {
    if ((issuer === undefined) === (text(name) === undefined)) continue;
    throw new SettingError(
      `OIDC_ISSUER, OIDC_AUDIENCE and OIDC_CLIENT_ID belong together; of them, ${name} is ${issuer === undefined ? 'given alone' : 'missing'}.`,
    );
  }
  return {
    issuer,
    name: issuer === undefined ? 'dev' : undefined,
    audience: text('OIDC_AUDIENCE') ?? 'https://quickstart.example/tokens',
    clientId: text('OIDC_CLIENT_ID') ?? 'quickstart',
    developmentPort: wholeNumber(
      'OIDC_PORT',
      text('OIDC_PORT') ?? '3010',
      0,
      65_535,
      'the port of the provider for development',
    ),
  };
}

function checkIssuer(text: string): void {
  const url = URL.parse(text);
  const local = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url !== null && (url.protocol === 'https:' || local) && url.search === '' && url.hash === '') return;
  throw new SettingError(
    `OIDC_ISSUER must be an https address (http on this computer) without query, like https://login.example.com; it is "${text}".`,
  );
}

function trustProxy(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    express().set('trust proxy', text);
    return text;
  } catch {
    throw new SettingError(
      `TRUST_PROXY must be "loopback", or addresses and networks of proxies with commas between them; it is "${text}".`,
    );
  }
}

function socketUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'ws:' || url.protocol === 'wss:')) return text;
  throw new SettingError(
    `TALLYSTICK_SOCKET_URL must be a WebSocket address like ws://127.0.0.1:8080/v3/wsconnect; it is "${text}".`,
  );
}
