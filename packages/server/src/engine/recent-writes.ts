/**
 * The answers of recent writes by identity and request id, so that a client that repeats a write whose answer it lost
 * gets that answer instead of a second write. In memory, bounded in time and number. [WRI3]
 */

import type { Instant } from '../core/object.ts';

/** How long an answer is kept at the least, unless there are too many. */
const windowMs = 120_000;
const mostInGeneration = 10_000;

type Listener<Answer> = (answer: Answer) => void;

interface Recent<Answer> {
  /** Undefined while the first write is under way; then these wait for its answer. */
  answer: Answer | undefined;
  readonly waiting: Listener<Answer>[];
}

type Generation<Answer> = Map<string, Recent<Answer>>;

export class RecentWrites<Answer> {
  readonly #now: () => Instant;
  /** Old answers go a generation at a time: nothing is searched for on the way of a write. */
  #young: Generation<Answer> = new Map();
  #old: Generation<Answer> = new Map();
  #youngSince: Instant;

  constructor(now: () => Instant) {
    this.#now = now;
    this.#youngSince = now();
  }

  /**
   * `start` runs for the first write of a key; a repeat gets the first one's answer. An answer that `isFinal` denies
   * changed nothing, so it is not kept and a repeat is a new try.
   */
  once(
    key: string,
    start: (settle: Listener<Answer>) => void,
    isFinal: (answer: Answer) => boolean,
    settle: Listener<Answer>,
  ): void {
    this.#age();
    const known = this.#young.get(key) ?? this.#old.get(key);
    if (known !== undefined) {
      if (known.answer === undefined) known.waiting.push(settle);
      else settle(known.answer);
      return;
    }
    const entry: Recent<Answer> = { answer: undefined, waiting: [settle] };
    const generation = this.#young;
    generation.set(key, entry);
    start((answer) => {
      if (isFinal(answer)) entry.answer = answer;
      else generation.delete(key);
      for (const listener of entry.waiting.splice(0)) listener(answer);
    });
  }

  #age(): void {
    const now = this.#now();
    if (this.#young.size < mostInGeneration && now - this.#youngSince < windowMs) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSince = now;
  }
}
