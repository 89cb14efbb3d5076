/**
 * Group commit: writes that arrive while a commit is under way form the next one. [WRI1]
 * Every write is settled exactly once: with its outcome, as refused before storage saw it, or as unknown.
 */

import type { ObjectEvent, Refusal } from '../core/change.ts';
import type { Command } from '../core/command.ts';
import type { Clock, Log } from '../platform.ts';
import { NotApplied } from '../storage/storage.ts';
import type { Outcome, Storage } from '../storage/storage.ts';

/** `unknown`: the write may have happened; its writer must not be told that it failed. [WRI4] */
export type Settled = Outcome | 'unknown';
export type Settle = (settled: Settled) => void;

interface Write {
  readonly command: Command;
  readonly settle: Settle;
}

export interface WriteQueueOptions {
  /** Commands that may wait. Infinity: no limit. */
  readonly bound: number;
  /** Commands of one commit at most. Infinity: no limit. */
  readonly batch: number;
}

/** Whom the queue tells what became of the store. */
export interface CommitListener {
  /** In order of commit, after the writers of the same commit were settled. */
  committed(event: ObjectEvent): void;
  /** A commit may have happened whose events nobody will get. */
  inDoubt(): void;
}

const full: Refusal = { refused: 20503 };

export class WriteQueue {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: WriteQueueOptions;
  readonly #listener: CommitListener;
  #waiting: Write[] = [];
  #busy = false;
  #healthy = true;
  #onIdle: (() => void)[] = [];

  constructor(storage: Storage, clock: Clock, log: Log, options: WriteQueueOptions, listener: CommitListener) {
    this.#storage = storage;
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
    this.#listener = listener;
  }

  /** False when the last commit failed or the queue is full: new writes would be refused or would wait in vain. */
  get takesWrites(): boolean {
    return this.#healthy && !this.#isFull;
  }

  get #isFull(): boolean {
    return this.#waiting.length >= this.#options.bound;
  }

  /** `settle` runs synchronously before any subscriber hears of the change. [EVT3] */
  submit(command: Command, settle: Settle): void {
    if (this.#isFull) {
      settle(full);
      return;
    }
    this.#waiting.push({ command, settle });
    if (this.#busy) return;
    this.#busy = true;
    // The sockets of this turn are read first, so that what came together is committed together.
    this.#clock.soon(() => void this.#run());
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#take());
    this.#busy = false;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #take(): readonly Write[] {
    const { batch } = this.#options;
    if (this.#waiting.length > batch) return this.#waiting.splice(0, batch);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#storage.commit(
        0,
        writes.map((write) => write.command),
      );
      this.#healthy = true;
    } catch (error) {
      this.#healthy = false;
      // Only what is known to have changed nothing may be called failed; an error that nobody thought of is not.
      const unknown = !(error instanceof NotApplied);
      this.#log.error({ err: error, writes: writes.length }, unknown ? 'commit of unknown outcome' : 'commit failed');
      for (const write of writes) write.settle(unknown ? 'unknown' : full);
      if (unknown) this.#listener.inDoubt();
      return;
    }
    for (const [i, write] of writes.entries()) write.settle(outcomes[i] ?? 'unknown');
    for (const outcome of outcomes) {
      if (!('refused' in outcome)) for (const event of outcome.events) this.#listener.committed(event);
    }
  }
}
