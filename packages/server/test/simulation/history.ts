/** What the store really did, and every broken promise that the run saw. */

import type { ObjectEvent } from '../../src/core/change.ts';
import type { Command } from '../../src/core/command.ts';
import { revisionOf } from '../../src/core/object.ts';
import type { Sid } from '../../src/core/object.ts';
import type { Outcome } from '../../src/storage/storage.ts';

/** How often each path was taken, so that a reader sees that the run was no idle one. */
export type Counts = Record<
  | 'commits'
  | 'events'
  | 'reconnects'
  | 'replays'
  | 'conflicts'
  | 'repeats'
  | 'unknown'
  | 'hangs'
  | 'refused'
  | 'renewals'
  | 'heldRequests'
  | 'stalls'
  | 'conflations'
  | 'crossings'
  | 'restarts'
  | 'expiries',
  number
>;

export class History {
  readonly violations: string[] = [];
  readonly counts: Counts = {
    commits: 0,
    events: 0,
    reconnects: 0,
    replays: 0,
    conflicts: 0,
    repeats: 0,
    unknown: 0,
    hangs: 0,
    refused: 0,
    renewals: 0,
    heldRequests: 0,
    stalls: 0,
    conflations: 0,
    crossings: 0,
    restarts: 0,
    expiries: 0,
  };
  readonly #lastId: Map<Sid, number> = new Map();
  readonly #stored: Set<string> = new Set();

  violate(rule: string, what: string): void {
    this.violations.push(`[${rule}] ${what}`);
  }

  commit(batch: readonly Command[], outcomes: readonly Outcome[]): void {
    this.counts.commits++;
    for (const [i, outcome] of outcomes.entries()) {
      if ('refused' in outcome) continue;
      const command = batch[i];
      if (command?.type === 'expireObject' && outcome.events.length > 0) this.counts.expiries++;
      if (command?.type === 'updateDocument') this.#checkCondition(command.ifMatch, outcome.events);
      for (const event of outcome.events) this.#record(event);
    }
  }

  /** The operation that a document's data names was acknowledged. */
  acknowledged(operation: string): void {
    if (!this.#stored.has(operation)) this.violate('STO1', `${operation} was acknowledged but is not in the store`);
  }

  refused(operation: string): void {
    this.counts.refused++;
    if (this.#stored.has(operation)) this.violate('WRI2', `${operation} was refused but is in the store`);
  }

  #record(event: ObjectEvent): void {
    this.counts.events++;
    const last = this.#lastId.get(event.object) ?? -1;
    if (event.id !== last + 1) this.violate('EVT1', `${event.object}: event ${event.id} after ${last}`);
    this.#lastId.set(event.object, event.id);
    if (event.data === null) return;
    const operation = operationOf(event.data);
    if (this.#stored.has(operation)) this.violate('WRI3', `${operation} was applied twice`);
    this.#stored.add(operation);
  }

  #checkCondition(ifMatch: string | undefined, events: readonly ObjectEvent[]): void {
    const [event] = events;
    if (ifMatch === undefined || event === undefined) return;
    if (ifMatch !== revisionOf(event.id - 1)) {
      this.violate('REV2', `${event.object}: a write expecting ${ifMatch} became event ${event.id}`);
    }
  }
}

/** Every write of a run names itself in its data. */
export function operationOf(data: string): string {
  return String((JSON.parse(data) as { operation?: unknown }).operation);
}
