/** Removes what has expired, and what removed objects have left, through the one write path, in bounded batches. [TTL3] */

import type { DueCommand } from '../core/command.ts';
import type { Clock, Log } from '../platform.ts';
import type { Storage } from '../storage/storage.ts';
import type { WriteQueue } from './write-queue.ts';

const batch = 200;

export interface Sweeper {
  start(): void;
  /** Resolves when the sweep under way is done; none follows. */
  stop(): Promise<void>;
}

export function createSweeper(
  storage: Storage,
  writes: WriteQueue,
  clock: Clock,
  log: Log,
  intervalMs: number,
): Sweeper {
  let cancel: () => void = () => {};
  let stopped = false;
  let running: Promise<void> = Promise.resolve();

  /** Returns whether to go on at once: there may be more, and storage takes writes. */
  const sweep = async (): Promise<boolean> => {
    const [due] = await storage.read([{ query: 'due', limit: batch }]);
    const removed = await Promise.all(due.map((command) => submit(writes, command)));
    return due.length > 0 && removed.every(Boolean);
  };
  const run = async (): Promise<void> => {
    try {
      while (!stopped && writes.takesWrites && (await sweep()));
    } catch (error) {
      log.warn({ err: error }, 'sweep failed, will try again');
    }
    if (!stopped) schedule();
  };
  const schedule = (): void => {
    cancel = clock.after(intervalMs, () => {
      running = run();
    });
  };

  return {
    start: schedule,
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** Resolves to whether the write was taken. */
function submit(writes: WriteQueue, command: DueCommand): Promise<boolean> {
  return new Promise((resolve) =>
    writes.submit(command, (settled) => resolve(settled !== 'unknown' && !('refused' in settled))),
  );
}
