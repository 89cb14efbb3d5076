/** Finds a pattern in one message after the other. They are much alike, so it looks first where the last one had it. */
export class Finder {
  readonly #pattern: Buffer;
  #guess = 0;

  constructor(pattern: Buffer | string) {
    this.#pattern = Buffer.from(pattern);
  }

  /** Position in `bytes` of the first byte of the pattern between `start` and `end`, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    if (this.#isAt(bytes, start + this.#guess, end)) return start + this.#guess;
    const guess = bytes.subarray(start, end).indexOf(this.#pattern);
    if (guess === -1) return -1;
    this.#guess = guess;
    return start + guess;
  }

  #isAt(bytes: Buffer, at: number, end: number): boolean {
    const pattern = this.#pattern;
    if (at + pattern.length > end) return false;
    for (let index = 0; index < pattern.length; index++) if (bytes[at + index] !== pattern[index]) return false;
    return true;
  }
}
