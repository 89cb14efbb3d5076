/** The writing half of the SQLite engine, synchronous: one batch is one transaction with one fsync. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Command, Need } from '../../core/command.ts';
import type { Instant, ObjectRow, Sid } from '../../core/object.ts';
import { decideBatch, Loaded, nameKey, needsOf } from '../apply.ts';
import type { WriteSet } from '../apply.ts';
import { NotApplied, OutcomeUnknown } from '../storage.ts';
import type { Outcome } from '../storage.ts';
import { accountRow, keyRow, objectColumns, objectRow, serviceRow } from './rows.ts';
import type { SqlRow } from './rows.ts';

/** Superseded bodies are deleted in bulk: rows of neighbours share pages, and one fsync serves them all. */
const garbageBatch = 4_096;
/** Rows looked at in one step of the search for bodies that a crash left without an owner. */
const searchStep = 2_048;
/** SQLITE_FULL, which has no extensions. */
const diskFull = 13;

export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  /** Where each loaded object's body stands, for the batch under way. */
  readonly #seqs: Map<Sid, number> = new Map();
  /** Bodies that nothing points to any more. Lost in a crash, found again by `#search`. */
  #garbage: number[] = [];
  #nextSeq: number;
  #search: { next: number; readonly end: number } | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
    const used = database.prepare('SELECT min(seq) AS first, max(seq) AS last FROM event').get();
    this.#nextSeq = Number(used?.['last'] ?? 0) + 1;
    this.#search = { next: Number(used?.['first'] ?? 1), end: this.#nextSeq };
  }

  /**
   * Throws NotApplied when certainly nothing was changed, else OutcomeUnknown. A commit appends the changed pages to the
   * log, the page that makes them count last, then syncs. When anything before it fails, or when there is no room for
   * one of these pages, that last page is not there, and what is will be written over. When a write, the sync or the
   * shared index fails otherwise, the last page may be on the disk: then this process goes on as if it were not, and
   * writes it over with the next commit, but after a crash before that it counts. [STO6] [STO10]
   */
  commit(batch: readonly Command[], now: Instant): readonly Outcome[] {
    const freed: number[] = [];
    let outcomes: readonly Outcome[];
    let nextSeq: number;
    try {
      this.#sql.begin.run();
      const decided = decideBatch(batch, this.#load(needsOf(batch)), now);
      outcomes = decided.outcomes;
      nextSeq = this.#write(decided.writes, freed);
      if (batch[0]?.type === 'probe') this.#sql.fill.run();
    } catch (error) {
      this.#rollback();
      throw new NotApplied(messageOf(error), { cause: error });
    }
    try {
      this.#sql.commit.run();
    } catch (error) {
      this.#rollback();
      const Failure = isDiskFull(error) ? NotApplied : OutcomeUnknown;
      throw new Failure(messageOf(error), { cause: error });
    }
    this.#nextSeq = nextSeq;
    this.#garbage.push(...freed);
    return outcomes;
  }

  /** Deletes superseded bodies once there are many. Called between batches. */
  tidy(): void {
    if (this.#garbage.length >= garbageBatch) this.#deleteGarbage();
  }

  /** Work for a moment without writes. Returns whether more is left to do. */
  idle(): boolean {
    if (this.#search !== undefined) return this.#searchStep(this.#search);
    if (this.#garbage.length > 0) {
      this.#deleteGarbage();
      return this.#garbage.length === 0;
    }
    this.#checkpoint();
    return false;
  }

  /** What cannot be deleted now, on a full disk for example, waits for the next time: commits tell of such trouble. */
  #deleteGarbage(): void {
    const seqs = this.#garbage.sort((a, b) => a - b);
    try {
      this.#sql.begin.run();
      for (let i = 0; i < seqs.length;) {
        const first = seqs[i] ?? 0;
        let last = first;
        for (i++; seqs[i] === last + 1; i++) last++;
        this.#sql.deleteBodies.run(first, last);
      }
      this.#sql.commit.run();
      this.#garbage = [];
    } catch {
      this.#rollback();
    }
  }

  #checkpoint(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // As with bodies: what is committed is safe in the log, and the next idle moment tries again.
    }
  }

  /** Returns whether to go on: a step that fails is done again in the next idle moment. */
  #searchStep(search: { next: number; readonly end: number }): boolean {
    const last = Math.min(search.next + searchStep, search.end);
    let orphans: readonly SqlRow[];
    try {
      orphans = this.#sql.orphans.all(search.next, last - 1);
    } catch {
      return false;
    }
    const known = new Set(this.#garbage);
    for (const row of orphans) {
      const seq = row['seq'] as number;
      if (!known.has(seq)) this.#garbage.push(seq);
    }
    search.next = last;
    if (last >= search.end) this.#search = undefined;
    return true;
  }

  /** Never throws. A transaction that it had to leave open fails the next BEGIN, which comes here again. */
  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#sql.rollback.run();
    } catch {
      // The caller is about to tell the first error, which says more.
    }
  }

  #load(needs: readonly Need[]): Loaded {
    const loaded = new Loaded();
    this.#seqs.clear();
    for (const need of needs) this.#loadOne(need, loaded);
    return loaded;
  }

  #loadOne(need: Need, loaded: Loaded): void {
    switch (need.need) {
      case 'account': {
        const row = this.#sql.account.get();
        if (row !== undefined) loaded.account = accountRow(row);
        return;
      }
      case 'service': {
        const row = this.#sql.service.get(need.sid);
        if (row !== undefined) loaded.services.set(need.sid, serviceRow(row));
        return;
      }
      case 'key': {
        const row = this.#sql.key.get(need.sid);
        if (row !== undefined) loaded.keys.set(need.sid, keyRow(row));
        return;
      }
      case 'object':
        this.#loadObject(need.sid, loaded);
        return;
      case 'name': {
        const row = this.#sql.name.get(need.service, need.kind, need.name);
        if (row === undefined) return;
        const sid = row['sid'] as string;
        loaded.names.set(nameKey(need.service, need.kind, need.name), sid);
        this.#loadObject(sid, loaded);
      }
    }
  }

  #loadObject(sid: Sid, loaded: Loaded): void {
    const row = this.#sql.object.get(sid);
    if (row === undefined) return;
    loaded.objects.set(sid, objectRow(row));
    this.#seqs.set(sid, row['seq'] as number);
  }

  /** Returns the first unused seq. */
  #write(writes: WriteSet, freed: number[]): number {
    const sql = this.#sql;
    let seq = this.#nextSeq;
    if (writes.account !== undefined) {
      sql.putAccount.run(writes.account.sid, writes.account.authToken, writes.account.createdAt);
    }
    for (const row of writes.services.values()) sql.putService.run(row.sid, row.account, row.uniqueName, row.createdAt);
    for (const row of writes.keys.values()) {
      sql.putKey.run(row.sid, row.account, row.name, row.secret, row.createdAt, row.revokedAt);
    }
    for (const [sid, row] of writes.objects) {
      const before = this.#seqs.get(sid);
      if (row === null) {
        sql.dropObject.run(sid);
        if (before !== undefined) freed.push(before);
        continue;
      }
      const body = writes.bodies.get(sid);
      if (body !== undefined) {
        if (before !== undefined) freed.push(before);
        sql.putEvent.run(seq, sid, row.eventId, body);
      }
      this.#putObject(row, before, body === undefined ? (before ?? 0) : seq++);
    }
    for (const holder of writes.names.values()) {
      if (holder.sid === null) sql.dropName.run(holder.service, holder.kind, holder.name);
      else sql.putName.run(holder.service, holder.kind, holder.name, holder.sid);
    }
    return seq;
  }

  #putObject(row: ObjectRow, before: number | undefined, seq: number): void {
    if (before !== undefined) {
      this.#sql.updateObject.run(row.eventId, seq, row.updatedAt, row.expiresAt, row.sid);
      return;
    }
    this.#sql.insertObject.run(
      row.sid,
      row.account,
      row.service,
      row.kind,
      row.uniqueName,
      row.eventId,
      seq,
      row.createdAt,
      row.updatedAt,
      row.expiresAt,
      row.createdBy,
    );
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === diskFull;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const statementTexts = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  account: 'SELECT * FROM account',
  service: 'SELECT * FROM service WHERE sid = ?',
  key: 'SELECT * FROM key WHERE sid = ?',
  object: `SELECT ${objectColumns} FROM object o WHERE o.sid = ?`,
  name: 'SELECT sid FROM name WHERE service = ? AND kind = ? AND name = ?',
  /** 64 KiB. A trial of storage that writes less would call a disk healed that has no room for the next batch. [STO11] */
  fill: "INSERT OR REPLACE INTO meta VALUES ('trial', hex(zeroblob(32768)))",
  putAccount: 'INSERT OR REPLACE INTO account VALUES (?, ?, ?)',
  putService: 'INSERT OR REPLACE INTO service VALUES (?, ?, ?, ?)',
  putKey: 'INSERT OR REPLACE INTO key VALUES (?, ?, ?, ?, ?, ?)',
  putEvent: 'INSERT INTO event VALUES (?, ?, ?, ?)',
  insertObject: 'INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  updateObject: 'UPDATE object SET event_id = ?, seq = ?, updated_at = ?, expires_at = ? WHERE sid = ?',
  dropObject: 'DELETE FROM object WHERE sid = ?',
  putName: 'INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)',
  dropName: 'DELETE FROM name WHERE service = ? AND kind = ? AND name = ?',
  deleteBodies: 'DELETE FROM event WHERE seq BETWEEN ? AND ?',
  orphans: `SELECT seq FROM event WHERE seq BETWEEN ? AND ?
    AND NOT EXISTS (SELECT 1 FROM object o WHERE o.sid = event.object AND o.seq = event.seq)`,
} as const;

function statements(database: DatabaseSync): Record<keyof typeof statementTexts, StatementSync> {
  const prepared = Object.entries(statementTexts).map(([name, text]) => [name, database.prepare(text)]);
  return Object.fromEntries(prepared) as Record<keyof typeof statementTexts, StatementSync>;
}
