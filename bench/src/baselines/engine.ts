/**
 * The bound of `writes`: node:sqlite in one worker thread with group commit, and closed-loop writers in this thread that
 * hand it documents directly. No sockets, no protocol, no rules: what is left of an update when only its durability counts.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Latencies, serveGenerator } from '../generator.ts';
import type { Generator, Mark } from '../generator.ts';
import { documentText } from '../texts.ts';

export interface EnginePlan {
  readonly directory: string;
  readonly writers: number;
}

/** One update, as handed to the worker. */
export interface Update {
  readonly document: number;
  /** The one it replaces. */
  readonly revision: number;
  readonly body: string;
}

class Engine implements Generator<EnginePlan> {
  readonly #latencies = new Latencies();
  #worker: Worker | undefined;
  /** What arrived while the commit under way ran. */
  #pending: Update[] = [];
  #underWay: readonly Update[] = [];
  /** By document: when its update was handed in. */
  readonly #since: number[] = [];
  readonly #revisions: number[] = [];
  #done = 0;
  #running = false;
  #settled = Promise.withResolvers<void>();

  async open(plan: EnginePlan): Promise<void> {
    this.#worker = new Worker(new URL('./engine-worker.ts', import.meta.url), {
      workerData: { file: join(plan.directory, 'engine.db'), documents: plan.writers },
    });
    await once(this.#worker, 'message');
    this.#worker.on('message', () => this.#committed());
    for (let writer = 0; writer < plan.writers; writer++) this.#revisions[writer] = 0;
  }

  run(inFlight: number): void {
    if (inFlight > this.#revisions.length) throw new RangeError(`${inFlight} in flight of ${this.#revisions.length}`);
    this.#running = true;
    this.#settled = Promise.withResolvers<void>();
    for (let writer = 0; writer < inFlight; writer++) this.#write(writer);
    this.#flush();
  }

  mark(): Mark {
    return this.#latencies.mark(this.#done);
  }

  settle(): Promise<void> {
    this.#running = false;
    return this.#settled.promise;
  }

  #write(writer: number): void {
    const revision = this.#revisions[writer] ?? 0;
    this.#since[writer] = performance.now();
    this.#pending.push({ document: writer, revision, body: documentText({ topic: writer, n: revision }) });
  }

  #flush(): void {
    this.#underWay = this.#pending;
    this.#pending = [];
    if (this.#underWay.length > 0) this.#worker?.postMessage(this.#underWay);
    else this.#settled.resolve();
  }

  #committed(): void {
    const now = performance.now();
    for (const { document, revision } of this.#underWay) {
      this.#done++;
      this.#revisions[document] = revision + 1;
      this.#latencies.record(now - (this.#since[document] ?? now));
      if (this.#running) this.#write(document);
    }
    this.#flush();
  }
}

serveGenerator(new Engine());
