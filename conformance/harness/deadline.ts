/** Waiting for what must happen, never for time to pass: every wait has a condition, and a deadline that names it. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Anything with listeners: the SDK's clients and objects, in every version. */
export interface Emitter {
  on(event: string, listener: (value: never) => void): unknown;
  removeListener(event: string, listener: (value: never) => void): unknown;
}

const defaultMs = 10_000;
const pollMs = 5;

/** The promise's value, or a rejection that says what did not happen within `ms`. */
export async function within<T>(what: string, promise: Promise<T>, ms: number = defaultMs): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(
    () => {
      throw new Error(`not within ${ms} ms: ${what}`);
    },
    () => undefined,
  );
  try {
    return await Promise.race([promise, late as Promise<never>]);
  } finally {
    over.abort();
  }
}

/** Resolves once the condition holds. */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  ms: number = defaultMs,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(pollMs);
  }
}

/** The argument of the next such event that `isWanted` takes. Call it before what causes the event. */
export function nextEvent<T>(
  emitter: Emitter,
  event: string,
  isWanted: (value: T) => boolean = () => true,
  ms: number = defaultMs,
): Promise<T> {
  const found = Promise.withResolvers<T>();
  const listener = (value: never): void => {
    if (isWanted(value)) found.resolve(value);
  };
  emitter.on(event, listener);
  return within(`event ${event}`, found.promise, ms).finally(() => emitter.removeListener(event, listener));
}

/** Every argument of such events from now on, in order. */
export function recorded<T>(emitter: Emitter, event: string): T[] {
  const values: T[] = [];
  emitter.on(event, (value: never) => void values.push(value));
  return values;
}
