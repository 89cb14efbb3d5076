/** What is due, each found by an index of its own. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { clearanceRows } from '../../core/clearance.ts';
import type { DueCommand } from '../../core/command.ts';
import type { Instant, Sid } from '../../core/object.ts';
import type { MarkerLimits } from '../storage.ts';
import { keyOf } from './rows.ts';
import { prepareAll } from './statements.ts';

export class DueReader {
  readonly #sql: Record<keyof typeof statementTexts, StatementSync>;
  readonly #limits: MarkerLimits;

  constructor(database: DatabaseSync, limits: MarkerLimits) {
    this.#sql = prepareAll(database, statementTexts);
    this.#limits = limits;
  }

  read(limit: number, now: Instant): readonly DueCommand[] {
    const due: DueCommand[] = [];
    for (const row of this.#sql.objects.all(now, limit)) due.push({ type: 'expireObject', sid: row['sid'] as string });
    for (const row of this.#sql.items.all(now, limit - due.length)) {
      due.push({ type: 'expireItem', object: row['object'] as string, key: keyOf(row['key']) });
    }
    if (due.length < limit) due.push(...this.#clearance(now));
    return due.slice(0, limit);
  }

  /** At most one object of each kind at a time. */
  #clearance(now: Instant): DueCommand[] {
    const due: DueCommand[] = [];
    const crowded = this.#sql.crowded.get(this.#limits.count);
    if (crowded !== undefined) {
      const object = crowded['sid'] as Sid;
      const excess = Math.min((crowded['markers'] as number) - this.#limits.count, clearanceRows);
      const last = this.#sql.nthMarker.get(object, excess - 1);
      if (last !== undefined) due.push({ type: 'trim', object, upTo: last['event_id'] as number });
    }
    const before = now - this.#limits.ageMs;
    const aged = this.#sql.aged.get(before);
    if (aged !== undefined) {
      const object = aged['object'] as Sid;
      const last = this.#sql.lastAged.get(object, clearanceRows, before)?.['last'] as number | null | undefined;
      due.push({ type: 'trim', object, upTo: Math.max(aged['event_id'] as number, last ?? 0) });
    }
    const removed = this.#sql.removed.get();
    if (removed !== undefined) due.push({ type: 'purge', object: removed['object'] as Sid, limit: clearanceRows });
    return due;
  }
}

const statementTexts = {
  objects: 'SELECT sid FROM object WHERE expires_at <= ? ORDER BY expires_at, sid LIMIT ?',
  items: 'SELECT object, key FROM item WHERE expires_at <= ? ORDER BY expires_at, object, key LIMIT ?',
  crowded: 'SELECT sid, markers FROM object WHERE markers > 0 AND markers > ? ORDER BY markers DESC, sid LIMIT 1',
  nthMarker: 'SELECT event_id FROM marker WHERE object = ? ORDER BY event_id LIMIT 1 OFFSET ?',
  aged: 'SELECT object, event_id FROM marker WHERE removed_at <= ? ORDER BY removed_at, object, key LIMIT 1',
  lastAged: `SELECT max(event_id) AS last FROM
    (SELECT event_id, removed_at FROM marker WHERE object = ? ORDER BY event_id LIMIT ?) WHERE removed_at <= ?`,
  removed: 'SELECT object FROM purge ORDER BY object LIMIT 1',
} as const;
