/**
 * Preloaded into every child process: answers how much processor time the whole process (its workers included) has used,
 * ends the process when asked, and ends it when the parent is gone. Otherwise it leaves the program alone; in
 * particular it does not keep it alive.
 */

import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

/** Milliseconds: a clock of this process, and user plus system time used since it started. */
export interface CpuSample {
  readonly at: number;
  readonly used: number;
}

function sample(): CpuSample {
  const { user, system } = process.cpuUsage();
  return { at: performance.now(), used: (user + system) / 1000 };
}

function answer(message: { readonly id: number; readonly command: string }): void {
  if (message.command === 'cpu') process.send?.({ id: message.id, value: sample() });
}

if (isMainThread && process.send !== undefined) {
  process.on('message', answer);
  process.on('disconnect', () => process.exit());
  process.channel?.unref();
}
