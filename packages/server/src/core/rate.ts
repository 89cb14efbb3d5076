/**
 * How often something may happen: a token bucket, kept as one number. Both taking and refusing are two or three
 * operations, with nothing allocated: it is asked for every request.
 */

export class Rate {
  readonly #intervalMs: number;
  readonly #windowMs: number;
  /** When the bucket is full again, in ticks of a clock that nobody can set. */
  #fullAt = 0;

  /** `burstMs`: this many milliseconds' worth may be taken at once, and one at least. Infinity a second: no limit. */
  constructor(perSecond: number, burstMs: number) {
    this.#intervalMs = 1000 / perSecond;
    this.#windowMs = Math.max(0, burstMs - this.#intervalMs);
  }

  /** 0: one is taken. Else nothing is, and the next can be taken after so many milliseconds. */
  take(now: number): number {
    const start = this.#fullAt > now ? this.#fullAt : now;
    const lackMs = start - now - this.#windowMs;
    if (lackMs > 0) return lackMs;
    this.#fullAt = start + this.#intervalMs;
    return 0;
  }

  /** Nothing is lost when a full one is forgotten. */
  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
