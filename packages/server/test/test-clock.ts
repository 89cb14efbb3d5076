/** A clock that only moves when told to. */

import type { Instant } from '../src/core/object.ts';

export class TestClock {
  at: Instant = 1_800_000_000_000;
  /** Milliseconds that pass at every look at the clock; 0 stands still. */
  perLook = 0;
  /** What somebody has set the clock forward by, or back. Timers do not follow: they count what passes. */
  offset = 0;

  readonly now = (): Instant => {
    this.at += this.perLook;
    return this.at + this.offset;
  };

  advance(milliseconds: number): void {
    this.at += milliseconds;
  }
}
