/** What the server takes from its surroundings, as small interfaces, with the real ones. Tests pass their own. */

import { randomBytes } from 'node:crypto';

export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds with fractions that nobody can set: only differences mean something. */
  readonly ticks: () => number;
  /** Calls once after `ms`; the returned function takes it back. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Calls once at the end of this turn of the event loop. */
  readonly soon: (callback: () => void) => void;
}

export interface Ids {
  /** Hex digits that nobody can guess. */
  secret(bytes: number): string;
}

/** Keeps secrets unreadable where they are stored. Sealing is bound to the sid that the secret belongs to. */
export interface Sealer {
  seal(sid: string, secret: string): string;
  /** Undefined when it was sealed under another key, for another sid, or not at all. */
  open(sid: string, sealed: string): string | undefined;
}

/** The part of a structured logger that the server uses. Fields first, as pino has it. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The longest delay that the timers of Node take; a longer one would fire at once. */
const longestDelayMs = 2_147_483_647;

export const systemClock: Clock = {
  now: Date.now,
  ticks: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longestDelayMs));
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};

export const systemIds: Ids = {
  secret: (bytes) => randomBytes(bytes).toString('hex'),
};
