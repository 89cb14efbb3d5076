/** A clock that only moves when told to. */

import type { Instant } from '../src/core/object.ts';

export class TestClock {
  at: Instant = 1_800_000_000_000;
  /** Milliseconds that pass at every look at the clock; 0 stands still. */
  perLook = 0;

  readonly now = (): Instant => {
    this.at += this.perLook;
    return this.at;
  };

  advance(milliseconds: number): void {
    this.at += milliseconds;
  }
}
