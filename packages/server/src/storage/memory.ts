/** The memory engine: nothing outlives the process. It is the model that the durable engines are compared with. */

import type { Command } from '../core/command.ts';
import type { Instant } from '../core/object.ts';
import { decideBatch, needsOf } from './apply.ts';
import { answer } from './memory/answers.ts';
import { load, newTables, write } from './memory/tables.ts';
import { defaultMarkerLimits, NotApplied } from './storage.ts';
import type { AnswersTo, MarkerLimits, Outcome, Query, Storage } from './storage.ts';

export interface MemoryOptions {
  readonly epoch: string;
  readonly now: () => Instant;
  readonly markers?: MarkerLimits;
}

export function openMemory(options: MemoryOptions): Storage {
  const tables = newTables();
  const limits = options.markers ?? defaultMarkerLimits;
  let closed = false;

  const check = (): void => {
    if (closed) throw new NotApplied('this storage is closed');
  };

  return {
    epoch: options.epoch,
    lanes: 1,
    async commit(_lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> {
      check();
      const { outcomes, writes } = decideBatch(batch, load(tables, needsOf(batch)), options.now());
      write(tables, writes);
      return outcomes;
    },
    async read<const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>> {
      check();
      const now = options.now();
      return queries.map((query) => answer(tables, query, now, limits)) as unknown as AnswersTo<Q>;
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}
