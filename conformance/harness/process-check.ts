/**
 * What a test file must not leave behind, checked when its last test is over: exceptions that nobody caught, in the
 * client's timers above all, and open sockets. Whoever opens something that outlives a test closes it here.
 */

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { until } from './deadline.ts';

const uncaught: unknown[] = [];
process.on('uncaughtException', (error) => uncaught.push(error));
process.on('unhandledRejection', (reason) => uncaught.push(reason));

/** A client that was shut down keeps timers of this length and longer: it looks after lost subscription outcomes. */
const longMs = 3000;
const leftByClients = new Set<WeakRef<NodeJS.Timeout>>();

const { setTimeout: plainSetTimeout } = globalThis;
function rememberingSetTimeout(
  callback: (...args: unknown[]) => void,
  ms?: number,
  ...args: unknown[]
): NodeJS.Timeout {
  const timer = plainSetTimeout(callback, ms, ...args);
  const isOfClient = ms !== undefined && ms >= longMs && /node_modules.(twil|@twilio)/.test(new Error().stack ?? '');
  if (isOfClient) leftByClients.add(new WeakRef(timer));
  return timer;
}
Object.assign(rememberingSetTimeout, plainSetTimeout);
Object.assign(globalThis, { setTimeout: rememberingSetTimeout });

function openSockets(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCP|Process)/.test(kind));
}

const ends: (() => Promise<void>)[] = [];

/** Runs after the last test of the file, before the check; the last one given runs first. */
export function atEnd(end: () => Promise<void>): void {
  ends.unshift(end);
}

after(async () => {
  const problems: unknown[] = [];
  for (const end of ends) await end().catch((error: unknown) => problems.push(error));
  for (const timer of leftByClients) timer.deref()?.unref();
  await until(
    () => `sockets and processes are closed: ${openSockets().join()}`,
    () => openSockets().length === 0,
    3000,
  );
  assert.deepEqual(problems, [], 'problems at the end');
  assert.deepEqual(uncaught, [], 'exceptions that nobody caught');
});
