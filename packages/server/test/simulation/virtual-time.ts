/** Time that moves only from one due call to the next. The same calls in the same order make the same run. */

import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/platform.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

export class VirtualTime implements Clock {
  #now = 1_800_000_000_000;
  #order = 0;
  #due: Due[] = [];

  readonly now = (): number => this.#now;

  readonly ticks = (): number => this.#now;

  readonly soon = (callback: () => void): void => {
    this.#add(0, callback);
  };

  after(ms: number, callback: () => void): () => void {
    const due = this.#add(Math.max(0, Math.ceil(ms)), callback);
    return () => {
      const index = this.#due.indexOf(due);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  get pending(): number {
    return this.#due.length;
  }

  /** Runs everything due within `ms`; promises settle between two calls. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due[0];
      if (next === undefined || next.at > end) break;
      this.#due.shift();
      this.#now = next.at;
      next.call();
      await turn();
    }
    this.#now = end;
  }

  #add(ms: number, call: () => void): Due {
    const due = { at: this.#now + ms, order: this.#order++, call };
    let index = this.#due.length;
    while (index > 0 && isLater(this.#due[index - 1], due)) index--;
    this.#due.splice(index, 0, due);
    return due;
  }
}

function isLater(a: Due | undefined, b: Due): boolean {
  return a !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order));
}
