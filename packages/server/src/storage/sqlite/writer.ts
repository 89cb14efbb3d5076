/** The writing half of the SQLite engine, synchronous: one batch is one transaction with one fsync. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Command } from '../../core/command.ts';
import type { Instant } from '../../core/object.ts';
import { decideBatch, needsOf } from '../apply.ts';
import { NotApplied, OutcomeUnknown } from '../storage.ts';
import type { Outcome } from '../storage.ts';
import { BatchLoader } from './load.ts';
import type { SqlRow } from './rows.ts';
import { prepareAll } from './statements.ts';
import { RowWriter } from './write.ts';

/** Superseded bodies are deleted in bulk: rows of neighbours share pages, and one fsync serves them all. */
const garbageBatch = 4_096;
/** Rows looked at in one step of the search for bodies that a crash left without an owner. */
const searchStep = 2_048;
/** SQLITE_FULL, which has no extensions. */
const diskFull = 13;

export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #sql: Record<keyof typeof statementTexts, StatementSync>;
  readonly #loader: BatchLoader;
  readonly #rows: RowWriter;
  /** Bodies that nothing points to any more. Lost in a crash, found again by `#search`. */
  #garbage: number[] = [];
  #nextSeq: number;
  #search: { next: number; readonly end: number } | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = prepareAll(database, statementTexts);
    this.#loader = new BatchLoader(database);
    this.#rows = new RowWriter(database);
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
      const { loaded, seqs } = this.#loader.load(needsOf(batch));
      const decided = decideBatch(batch, loaded, now);
      outcomes = decided.outcomes;
      nextSeq = this.#rows.write(decided.writes, seqs, this.#nextSeq, freed);
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
  /** 64 KiB. A trial of storage that writes less would call a disk healed that has no room for the next batch. [STO11] */
  fill: "INSERT OR REPLACE INTO meta VALUES ('trial', hex(zeroblob(32768)))",
  deleteBodies: 'DELETE FROM event WHERE seq BETWEEN ? AND ?',
  orphans: `SELECT seq FROM event WHERE seq BETWEEN ? AND ?
    AND NOT EXISTS (SELECT 1 FROM object o WHERE o.sid = event.object AND o.seq = event.seq)
    AND NOT EXISTS (SELECT 1 FROM item i WHERE i.object = event.object AND i.event_id = event.id AND i.seq = event.seq)`,
} as const;
