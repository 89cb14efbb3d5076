/**
 * Group commit: writes that arrive while a commit is under way form the next one. [WRI1]
 * Every write is settled exactly once: with its outcome, as refused before storage saw it, or as unknown.
 * While storage fails or does not answer, nothing is taken; the queue itself tries storage until it does again. [WRI5]
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
  /** Milliseconds after which nobody waits for a commit any longer. Infinity: no limit. [WRI6] */
  readonly commitTimeoutMs: number;
}

/** Whom the queue tells what became of the store. */
export interface CommitListener {
  /** In order of commit, after the writers of the same commit were settled. */
  committed(event: ObjectEvent): void;
  /** A commit may have happened whose events nobody will get. */
  inDoubt(): void;
  /** A commit that was given up was applied after all; its events were told like any others. */
  cameLate(): void;
  /** A commit has ended; trials of storage do not count. `milliseconds` from handing it over to its answer. [MET1] */
  measured(result: 'applied' | 'failed' | 'unknown', milliseconds: number, commands: number): void;
}

const refused: Refusal = { refused: 20503 };

/** From a failed commit to the next trial of storage. A trial costs one small commit. */
const trialAfterMs = 500;

const nothing = (): void => {};

export class WriteQueue {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: WriteQueueOptions;
  readonly #listener: CommitListener;
  #waiting: Write[] = [];
  /** Whether `#run` is under way or about to be. */
  #busy = false;
  /** False from a commit that failed, or was given up, until one succeeds. */
  #healthy = true;
  /** Whether the commit under way has taken so long that nobody waits for it any longer. */
  #isGivenUp = false;
  #isStopped = false;
  #cancelTrial: () => void = nothing;
  #onIdle: (() => void)[] = [];

  constructor(storage: Storage, clock: Clock, log: Log, options: WriteQueueOptions, listener: CommitListener) {
    this.#storage = storage;
    this.#clock = clock;
    this.#log = log;
    this.#options = options;
    this.#listener = listener;
  }

  /** Whether a write submitted now would be taken. */
  get takesWrites(): boolean {
    return this.#healthy && !this.#isStopped && this.#waiting.length < this.#options.bound;
  }

  /** Writes that no commit has taken up yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** `settle` runs synchronously before any subscriber hears of the change. [EVT3] */
  submit(command: Command, settle: Settle): void {
    if (this.takesWrites) this.#add({ command, settle });
    else settle(refused);
  }

  /** Takes nothing more. Resolves when nothing waits, and nothing is under way that anybody waits for. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTrial();
    if (!this.#busy || this.#isGivenUp) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #add(write: Write): void {
    this.#waiting.push(write);
    if (this.#busy) return;
    this.#busy = true;
    // The sockets of this turn are read first, so that what came together is committed together.
    this.#clock.soon(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#take());
    this.#busy = false;
    this.#tellIdle();
  }

  #tellIdle(): void {
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
    const { commitTimeoutMs } = this.#options;
    const isTrial = !this.#healthy;
    const stopWaiting = Number.isFinite(commitTimeoutMs)
      ? this.#clock.after(commitTimeoutMs, () => this.#giveUp(writes))
      : nothing;
    const startedAt = this.#clock.ticks();
    const measure = (result: 'applied' | 'failed' | 'unknown'): void => {
      if (!isTrial) this.#listener.measured(result, this.#clock.ticks() - startedAt, writes.length);
    };
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#storage.commit(
        0,
        writes.map((write) => write.command),
      );
    } catch (error) {
      stopWaiting();
      measure(error instanceof NotApplied ? 'failed' : 'unknown');
      this.#fail(error, writes, isTrial);
      return;
    }
    stopWaiting();
    measure('applied');
    this.#succeed(outcomes, writes);
  }

  #succeed(outcomes: readonly Outcome[], writes: readonly Write[]): void {
    if (!this.#healthy) this.#log.info({}, 'storage takes writes again');
    this.#healthy = true;
    // Subscribers hear of a commit that came late as well; its writers were settled when it was given up.
    const isLate = this.#endWait();
    if (!isLate) for (const [i, write] of writes.entries()) write.settle(outcomes[i] ?? 'unknown');
    for (const outcome of outcomes) {
      if (!('refused' in outcome)) for (const event of outcome.events) this.#listener.committed(event);
    }
    if (isLate) this.#listener.cameLate();
  }

  #fail(error: unknown, writes: readonly Write[], isTrial: boolean): void {
    this.#healthy = false;
    // Only what is known to have changed nothing may be called failed; an error that nobody thought of is not.
    const isUnknown = !(error instanceof NotApplied);
    // What a trial says is known already, and it may be said for hours.
    this.#log[isTrial ? 'debug' : 'error'](
      { err: error, writes: writes.length },
      isUnknown ? 'commit of unknown outcome' : 'commit failed',
    );
    if (!this.#endWait()) for (const write of writes) write.settle(isUnknown ? 'unknown' : refused);
    this.#refuseWaiting();
    // A trial has no events that anybody could miss.
    if (isUnknown && !isTrial) this.#listener.inDoubt();
    if (!this.#isStopped) this.#cancelTrial = this.#clock.after(trialAfterMs, () => this.#try());
  }

  /** The commit does not come back: nobody is to wait in vain. What is behind it never reached storage. [WRI6] */
  #giveUp(writes: readonly Write[]): void {
    this.#healthy = false;
    this.#isGivenUp = true;
    this.#log.error({ writes: writes.length, waiting: this.#waiting.length }, 'commit does not come back');
    for (const write of writes) write.settle('unknown');
    this.#refuseWaiting();
    this.#tellIdle();
  }

  /** Returns whether the commit that has come back was given up. */
  #endWait(): boolean {
    const wasGivenUp = this.#isGivenUp;
    this.#isGivenUp = false;
    return wasGivenUp;
  }

  #refuseWaiting(): void {
    for (const write of this.#waiting.splice(0)) write.settle(refused);
  }

  /** Without writes nobody would learn that storage has healed: a write that changes nothing tells. [OPS6] */
  #try(): void {
    this.#add({ command: { type: 'probe' }, settle: nothing });
  }
}
