/**
 * Every option of the service, declared once as data. Names of flags and environment variables, the help and the type
 * `Config` all follow from this table; reading and refusing values is `config.ts`.
 */

import type { SidKind } from '@tallystick/protocol';

interface Described {
  /** What it does, what 0 means, and the unit; shown in the help. */
  readonly prose: string;
  /** One of the five that belong together. Their values are never quoted in a message: they get mixed up. [CFG5] */
  readonly credential?: true;
}

/** A text of `least` to 256 characters that never appears in a message and is taken from the environment only. */
export type SecretOption = Described & { readonly type: 'secret'; readonly least: number };

/** One row of the table. An option without default is optional. */
export type Option =
  | SecretOption
  | (Described & { readonly type: 'address' | 'file' | 'origin' | 'path'; readonly default?: string })
  /** Comma-separated; read as an array. */
  | (Described & { readonly type: 'networks' | 'origins' })
  | (Described & { readonly type: 'choice'; readonly choices: readonly string[]; readonly default: string })
  | (Described & {
      readonly type: 'number';
      /** Inclusive. */
      readonly min: number;
      readonly max: number;
      readonly default?: number;
      /** 0 is accepted beside the range, and read as Infinity. */
      readonly unlimited?: true;
    })
  | (Described & { readonly type: 'sid'; readonly kind: SidKind; readonly credential: true });

const options = {
  host: {
    type: 'address',
    default: '127.0.0.1',
    prose: 'Address to listen on. 0.0.0.0 or :: takes every interface: put TLS in front.',
  },
  port: {
    type: 'number',
    min: 0,
    max: 65_535,
    default: 8080,
    prose: 'Port to listen on. 0 takes any free one; it is printed.',
  },
  publicUrl: {
    type: 'origin',
    prose:
      'Address that clients reach the service under, such as https://sync.example.org. Made of host and port if not given.',
  },
  tlsCert: {
    type: 'file',
    prose: 'Certificate in PEM form, with those above it, to serve https and wss. Read again when it changes.',
  },
  tlsKey: { type: 'file', prose: 'Its private key in PEM form, without a passphrase. Read again when it changes.' },
  trustedProxies: {
    type: 'networks',
    prose:
      'Proxies whose X-Forwarded-For tells who the client is: addresses, networks such as 10.0.0.0/8, loopback, linklocal, uniquelocal, with commas between. None if not given.',
  },
  allowedOrigins: {
    type: 'origins',
    prose:
      'Web pages that may connect, by their origins with commas between, such as https://app.example.org. All if not given. Clients that are no browsers may always.',
  },
  dataDir: {
    type: 'path',
    default: './data',
    prose: 'Directory of the database and the credentials; made with mode 0700. One process at a time.',
  },
  store: {
    type: 'choice',
    choices: ['sqlite', 'memory'],
    default: 'sqlite',
    prose: 'Where state is kept: sqlite (on disk) or memory (nothing is kept; for tests).',
  },
  accountSid: {
    type: 'sid',
    kind: 'account',
    credential: true,
    prose: 'Account that backends name: AC and 32 hex digits.',
  },
  authToken: {
    type: 'secret',
    least: 16,
    credential: true,
    prose: 'Secret of the account, for the REST API. At least 16 characters.',
  },
  apiKey: { type: 'sid', kind: 'key', credential: true, prose: 'Key that signs Access Tokens: SK and 32 hex digits.' },
  apiSecret: {
    type: 'secret',
    least: 16,
    credential: true,
    prose: 'Secret of that key; Access Tokens are signed with it. At least 16 characters.',
  },
  serviceSid: { type: 'sid', kind: 'service', credential: true, prose: 'The default service: IS and 32 hex digits.' },
  secretsKey: {
    type: 'secret',
    least: 32,
    prose:
      'Key that stored secrets are sealed with, at least 32 characters. Made in the file secrets.key of the data directory if not given.',
  },
  lostSecrets: {
    type: 'choice',
    choices: ['refuse', 'replace'],
    default: 'refuse',
    prose:
      'What to do when the stored secrets do not open: refuse to start, or replace them, which revokes all other keys.',
  },
  metricsPort: {
    type: 'number',
    min: 0,
    max: 65_535,
    prose: 'Port that serves /metrics to whoever reaches it. 0 takes any free one; it is logged. None if not given.',
  },
  metricsHost: {
    type: 'address',
    default: '127.0.0.1',
    prose: 'Address to listen on for that port.',
  },
  metricsToken: {
    type: 'secret',
    least: 16,
    prose: 'Bearer token for /metrics on the port of the service. Without it there is none there.',
  },
  logLevel: {
    type: 'choice',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    prose: 'Least important log lines to write: fatal, error, warn, info, debug, trace or silent.',
  },
  maxConnections: {
    type: 'number',
    min: 1,
    max: 10_000_000,
    default: 50_000,
    unlimited: true,
    prose: 'Connections in all; a further one is refused with 503. 0: no limit.',
  },
  maxConnectionsPerAddress: {
    type: 'number',
    min: 1,
    max: 10_000_000,
    default: 10_000,
    unlimited: true,
    prose:
      'Connections from one address, or one IPv6 network of 64 bits; a further one is refused with 429. 0: no limit.',
  },
  connectionRate: {
    type: 'number',
    min: 1,
    max: 1_000_000,
    default: 110,
    unlimited: true,
    prose:
      'New connections a second from one address; ten times as many may come at once. Further ones are told when to come back. 0: no limit.',
  },
  requestRate: {
    type: 'number',
    min: 1,
    max: 1_000_000,
    default: 1000,
    unlimited: true,
    prose: 'Requests a second of one connection; twice as many may come at once. Further ones wait. 0: no limit.',
  },
  maxRequests: {
    type: 'number',
    min: 1,
    max: 100_000,
    default: 32,
    unlimited: true,
    prose: 'Requests of one connection that are served at once. Further ones wait. 0: no limit.',
  },
  requestTimeoutMs: {
    type: 'number',
    min: 100,
    max: 3_600_000,
    default: 30_000,
    unlimited: true,
    prose: 'Milliseconds that an HTTP request, or one for the socket, may take to arrive. 0: no limit.',
  },
  maxHeaderBytes: {
    type: 'number',
    min: 1024,
    max: 1_048_576,
    default: 16_384,
    unlimited: true,
    prose:
      'Largest header of an HTTP request in bytes, its address included; a larger one is refused with 431. 0: no limit.',
  },
  maxUrlBytes: {
    type: 'number',
    min: 64,
    max: 1_048_576,
    default: 4096,
    unlimited: true,
    prose: 'Longest address of an HTTP request in bytes; a longer one is refused with 414. 0: no limit.',
  },
  maxFrameBytes: {
    type: 'number',
    min: 4096,
    max: 1_073_741_824,
    default: 262_144,
    unlimited: true,
    prose: 'Largest frame taken from a client, in bytes; a larger one ends its connection. 0: no limit.',
  },
  initTimeoutMs: {
    type: 'number',
    min: 10,
    max: 3_600_000,
    default: 30_000,
    unlimited: true,
    prose: 'Milliseconds that a new connection has to present a token. 0: no limit.',
  },
  pingIntervalMs: {
    type: 'number',
    min: 10,
    max: 3_600_000,
    default: 30_000,
    prose: 'Milliseconds between the pings that find dead connections.',
  },
  outboxBytes: {
    type: 'number',
    min: 65_536,
    max: 1_073_741_824,
    default: 1_048_576,
    unlimited: true,
    prose: 'Bytes that may wait for one slow client before it is cut off and has to resume. 0: no limit.',
  },
  maxSubscriptions: {
    type: 'number',
    min: 1,
    max: 1_000_000,
    default: 2000,
    unlimited: true,
    prose: 'Subscriptions of one connection. 0: no limit.',
  },
  writeQueue: {
    type: 'number',
    min: 1,
    max: 10_000_000,
    default: 10_000,
    unlimited: true,
    prose: 'Writes that may wait for storage; more are refused with 503 and change nothing. 0: no limit.',
  },
  batchCommands: {
    type: 'number',
    min: 1,
    max: 65_536,
    default: 1024,
    prose: 'Most writes that share one commit to disk.',
  },
  commitTimeoutMs: {
    type: 'number',
    min: 10,
    max: 3_600_000,
    default: 10_000,
    unlimited: true,
    prose: 'Milliseconds that a commit may take; then writes are refused with 503 until it comes back. 0: no limit.',
  },
  drainMs: {
    type: 'number',
    min: 0,
    max: 3_600_000,
    default: 10_000,
    prose: 'Milliseconds over which connections are closed at a stop. 0: at once.',
  },
  sweepIntervalMs: {
    type: 'number',
    min: 10,
    max: 3_600_000,
    default: 1000,
    prose: 'Milliseconds between two looks for expired objects.',
  },
} as const;

/** Every row with its literal types. */
export type OptionRows = typeof options;

export type OptionName = keyof OptionRows;

/** The same rows, seen uniformly. */
export const optionTable: Readonly<Record<OptionName, Option>> = options;

export const optionNames: readonly OptionName[] = Object.keys(options).filter(isOptionName);

function isOptionName(text: string): text is OptionName {
  return Object.hasOwn(options, text);
}

const prefix = 'TALLYSTICK_';

/** `maxFrameBytes` to `TALLYSTICK_MAX_FRAME_BYTES`. */
export function variableOf(name: OptionName): string {
  return prefix + name.replace(/[A-Z]/g, '_$&').toUpperCase();
}

/** `maxFrameBytes` to `--max-frame-bytes`; undefined for secrets, since command lines are visible to others. [CFG5] */
export function flagOf(name: OptionName): string | undefined {
  return optionTable[name].type === 'secret' ? undefined : `--${dashed(name)}`;
}

/** `maxFrameBytes` to `max-frame-bytes`, for secrets too. */
export function dashed(name: OptionName): string {
  return name.replace(/[A-Z]/g, '-$&').toLowerCase();
}
