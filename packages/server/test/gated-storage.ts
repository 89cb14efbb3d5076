/** A storage whose commits and reads can be counted, held back and made to fail, so that tests can choose the moment. */

import type { Command } from '../src/core/command.ts';
import type { AnswersTo, Outcome, Query, Storage } from '../src/storage/storage.ts';

export class GatedStorage implements Storage {
  readonly #inner: Storage;
  /** The batches handed over so far. */
  readonly commits: (readonly Command[])[] = [];
  readonly reads: (readonly Query[])[] = [];
  /** Thrown by every commit while it is set; then nothing is applied. */
  commitError: Error | undefined;
  /** Thrown by the next commit after it was applied. */
  errorAfterCommit: Error | undefined;
  readError: Error | undefined;
  readonly commitGate: Gate = new Gate();
  /** Holds a read before it looks. */
  readonly readGate: Gate = new Gate();
  /** Holds the answers of a read that has looked. */
  readonly answerGate: Gate = new Gate();

  constructor(inner: Storage) {
    this.#inner = inner;
  }

  get epoch(): string {
    return this.#inner.epoch;
  }

  get lanes(): number {
    return this.#inner.lanes;
  }

  async commit(lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> {
    this.commits.push(batch);
    await this.commitGate.pass();
    if (this.commitError !== undefined) throw this.commitError;
    const outcomes = await this.#inner.commit(lane, batch);
    const error = this.errorAfterCommit;
    this.errorAfterCommit = undefined;
    if (error !== undefined) throw error;
    return outcomes;
  }

  async read<const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>> {
    this.reads.push(queries);
    await this.readGate.pass();
    if (this.readError !== undefined) throw this.readError;
    const answers = await this.#inner.read(queries);
    await this.answerGate.pass();
    return answers;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Open until it is shut; lets through, in order, what waits when it is opened again. */
export class Gate {
  #isShut = false;
  #waiting: (() => void)[] = [];

  shut(): void {
    this.#isShut = true;
  }

  open(): void {
    this.#isShut = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Lets the one go that waits longest; the others stay. */
  letOne(): void {
    this.#waiting.shift()?.();
  }

  pass(): Promise<void> {
    if (!this.#isShut) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
