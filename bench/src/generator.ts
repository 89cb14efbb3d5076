/** What the orchestrator and a load generator (a process of its own) say to each other. */

import { createHistogram } from 'node:perf_hooks';
import process from 'node:process';
import type { Child } from './child.ts';

/** A closed loop that can be started, looked at while it runs, and brought to rest. */
export interface Generator<Plan> {
  open(plan: Plan): Promise<void>;
  /** Starts the loop with so many operations in flight; it runs until settle. */
  run(inFlight: number): void;
  /** Operations done since open, and the latencies since the last mark. */
  mark(): Mark;
  /** Resolves when nothing is in flight any more. Rejects, or ends the process, when something was lost. */
  settle(): Promise<void>;
}

export interface Mark {
  /** Clock of the generator, milliseconds. */
  readonly at: number;
  readonly done: number;
  /** Milliseconds; 0 when nothing was recorded. */
  readonly p50: number;
  readonly p99: number;
}

/** Latencies between two marks. */
export class Latencies {
  readonly #histogram = createHistogram();

  record(milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * 1000)));
  }

  mark(done: number): Mark {
    const quantile = (percent: number): number =>
      this.#histogram.count === 0 ? 0 : this.#histogram.percentile(percent) / 1000;
    const mark = { at: performance.now(), done, p50: quantile(50), p99: quantile(99) };
    this.#histogram.reset();
    return mark;
  }
}

/** From the parent; `cpu` is the probe's. */
type Command<Plan> = { readonly id: number } & (
  | { readonly command: 'open'; readonly input: Plan }
  | { readonly command: 'run'; readonly input: number }
  | { readonly command: 'mark' | 'settle' | 'cpu' }
);

/** In the child: answers the commands until the parent is gone. */
export function serveGenerator<Plan>(generator: Generator<Plan>): void {
  const answer = async (message: Command<Plan>): Promise<void> => {
    const { id } = message;
    try {
      process.send?.({ id, value: await perform(generator, message) });
    } catch (error) {
      process.send?.({ id, error: String(error) });
    }
  };
  process.on('message', (message: Command<Plan>) => {
    if (message.command !== 'cpu') void answer(message);
  });
  process.channel?.ref();
}

function perform<Plan>(generator: Generator<Plan>, message: Command<Plan>): unknown {
  if (message.command === 'open') return generator.open(message.input);
  if (message.command === 'run') return generator.run(message.input);
  return message.command === 'mark' ? generator.mark() : generator.settle();
}

/** In the parent: the same commands, typed. */
export class RemoteGenerator<Plan> {
  readonly child: Child;

  constructor(child: Child) {
    this.child = child;
  }

  open(plan: Plan): Promise<void> {
    return this.child.ask('open', plan);
  }

  run(inFlight: number): Promise<void> {
    return this.child.ask('run', inFlight);
  }

  mark(): Promise<Mark> {
    return this.child.ask('mark');
  }

  settle(): Promise<void> {
    return this.child.ask('settle');
  }
}
