/** The embedded engine: SQLite in a directory of this process, group commit in one worker thread. [STO1] */

import { Worker } from 'node:worker_threads';
import type { Command } from '../core/command.ts';
import type { Instant } from '../core/object.ts';
import { epochOf, lockDirectory, openForReading, openForWriting, prepareDirectory } from './sqlite/database.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { packBatch, unpackOutcomes } from './sqlite/packed.ts';
import type { CommitReply } from './sqlite/commit-reply.ts';
import type { Request } from './sqlite/worker.ts';
import { NotApplied, OutcomeUnknown } from './storage.ts';
import type { AnswersTo, MarkerLimits, Outcome, Query, Storage } from './storage.ts';

export interface SqliteOptions {
  readonly directory: string;
  readonly now: () => Instant;
  readonly markers?: MarkerLimits;
  /** Told when the writing thread dies by itself: no later commit can succeed. */
  readonly onFailure?: (error: Error) => void;
}

/** Opens or makes the database. Throws StorageRefused with one clear line. */
export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  prepareDirectory(options.directory);
  const unlock = lockDirectory(options.directory);
  try {
    // The schema is brought up to date here, so that a refusal is thrown where it can be caught.
    openForWriting(options.directory).close();
    return await start(options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function start(options: SqliteOptions, unlock: () => void): Promise<Storage> {
  const database = openForReading(options.directory);
  const reader = new SqliteReader(database, options.markers);
  const writer = new WriterThread(options);
  let closed: Promise<void> | undefined;

  return {
    epoch: epochOf(database),
    lanes: 1,
    commit: (_lane, batch) => writer.commit(batch, options.now()),
    async read<const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>> {
      if (closed !== undefined) throw new Error('this storage is closed');
      return reader.read(queries, options.now());
    },
    close() {
      closed ??= writer.close().finally(() => {
        database.close();
        unlock();
      });
      return closed;
    },
  };
}

interface Waiting {
  readonly batch: readonly Command[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: Error) => void;
}

/** The worker seen from outside: requests are answered in order. */
class WriterThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #down: Error | undefined;
  #isClosed = false;

  constructor(options: SqliteOptions) {
    // The same code runs from sources in a clone and from plain files when published.
    const entry = new URL(
      import.meta.url.endsWith('.ts') ? './sqlite/worker.ts' : './sqlite/worker.js',
      import.meta.url,
    );
    this.#worker = new Worker(entry, { workerData: { directory: options.directory } });
    this.#worker.on('message', (reply: CommitReply) => this.#settle(reply));
    this.#worker.on('error', (error: Error) => {
      this.#fail(new OutcomeUnknown(`the storage thread failed: ${error.message}`, { cause: error }));
      options.onFailure?.(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new OutcomeUnknown('the storage thread has ended'));
        resolve();
      });
    });
  }

  commit(batch: readonly Command[], now: Instant): Promise<readonly Outcome[]> {
    if (this.#isClosed) return Promise.reject(new NotApplied('this storage is closed'));
    if (this.#down !== undefined) return Promise.reject(new NotApplied(this.#down.message));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#ask({ batch: packBatch(batch), now });
    });
  }

  /** Messages are handled in order, so the commits under way come first. */
  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#down === undefined) this.#ask('close');
    return this.#exited;
  }

  #ask(request: Request): void {
    this.#worker.postMessage(request);
  }

  #settle(reply: CommitReply): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    if ('outcomes' in reply) waiting.resolve(unpackOutcomes(reply.outcomes, waiting.batch));
    else if (reply.failed === 'notApplied') waiting.reject(new NotApplied(reply.reason));
    else waiting.reject(new OutcomeUnknown(reply.reason));
  }

  #fail(error: Error): void {
    this.#down ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
