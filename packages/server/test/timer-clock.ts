/** A test clock with timers: they fire, in order of time, only while the clock is moved. */

import type { Clock } from '../src/platform.ts';
import { TestClock } from './test-clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class TimerClock extends TestClock implements Clock {
  #timers: readonly Timer[] = [];
  #soon: (() => void)[] = [];

  /** Timers that have not fired and were not taken back. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Whether the end of this turn has something to do. */
  get hasSoon(): boolean {
    return this.#soon.length > 0;
  }

  readonly ticks = (): number => this.at;

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.at + ms, callback };
    this.#timers = [...this.#timers, timer];
    return () => this.#remove(timer);
  };

  readonly soon = (callback: () => void): void => {
    this.#soon.push(callback);
  };

  /** Ends one turn of the event loop. */
  endTurn(): void {
    for (const callback of this.#soon.splice(0)) callback();
  }

  override advance(milliseconds: number): void {
    const until = this.at + milliseconds;
    for (let timer = this.#due(until); timer !== undefined; timer = this.#due(until)) {
      this.at = Math.max(this.at, timer.at);
      this.#remove(timer);
      timer.callback();
    }
    this.at = until;
  }

  /** Time passes in which nothing runs; what was due meanwhile runs late, at the end. */
  skip(milliseconds: number): void {
    this.at += milliseconds;
    for (let timer = this.#due(this.at); timer !== undefined; timer = this.#due(this.at)) {
      this.#remove(timer);
      timer.callback();
    }
  }

  #due(until: number): Timer | undefined {
    const due = this.#timers.filter((timer) => timer.at <= until);
    return due.toSorted((a, b) => a.at - b.at)[0];
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
}
