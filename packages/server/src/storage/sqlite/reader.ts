/** The reading half of the SQLite engine: point reads on a read-only connection, which never wait for a commit. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isAlive } from '../../core/object.ts';
import type { Instant, ObjectRef, Sid } from '../../core/object.ts';
import { changesOf } from '../changes.ts';
import type { AnswersTo, Directory, Query, StoredDocument } from '../storage.ts';
import { accountRow, keyRow, objectColumns, objectRow, serviceRow } from './rows.ts';
import type { SqlRow } from './rows.ts';

const withBody = `SELECT ${objectColumns}, e.body FROM object o JOIN event e ON e.seq = o.seq`;

export class SqliteReader {
  readonly #database: DatabaseSync;
  readonly #bySid: StatementSync;
  readonly #byName: StatementSync;
  readonly #due: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#bySid = database.prepare(`${withBody} WHERE o.sid = ?`);
    this.#byName = database.prepare(
      `${withBody} WHERE o.sid = (SELECT sid FROM name WHERE service = ? AND kind = ? AND name = ?)`,
    );
    this.#due = database.prepare('SELECT sid FROM object WHERE expires_at <= ? ORDER BY expires_at, sid LIMIT ?');
  }

  /** One snapshot for all answers: more than one statement needs a transaction for that. */
  read<const Q extends readonly Query[]>(queries: Q, now: Instant): AnswersTo<Q> {
    const several = queries.length > 1;
    if (several) this.#database.exec('BEGIN');
    try {
      return queries.map((query) => this.#answer(query, now)) as unknown as AnswersTo<Q>;
    } finally {
      // Some errors end the transaction by themselves. One left open would show its snapshot for ever.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    }
  }

  #answer(query: Query, now: Instant): AnswersTo<readonly Query[]>[number] {
    switch (query.query) {
      case 'document':
        return this.#document(query.ref, now);
      case 'changes':
        return changesOf(alive(this.#bySid.get(query.object), now), query);
      case 'due':
        return this.#due.all(now, query.limit).map((row): Sid => row['sid'] as string);
      case 'directory':
        return this.#directory();
    }
  }

  #document(ref: ObjectRef, now: Instant): StoredDocument | undefined {
    const row = ref.by === 'sid' ? this.#bySid.get(ref.value) : this.#byName.get(ref.service, ref.kind, ref.value);
    const found = alive(row, now);
    return found?.row.service === ref.service && found.row.kind === ref.kind ? found : undefined;
  }

  /** Read at start only, so its statements are not kept. */
  #directory(): Directory {
    const account = this.#database.prepare('SELECT * FROM account').get();
    return {
      account: account === undefined ? undefined : accountRow(account),
      services: this.#database.prepare('SELECT * FROM service').all().map(serviceRow),
      keys: this.#database.prepare('SELECT * FROM key').all().map(keyRow),
    };
  }
}

function alive(row: SqlRow | undefined, now: Instant): StoredDocument | undefined {
  if (row === undefined) return undefined;
  const object = objectRow(row);
  return isAlive(object, now) ? { row: object, data: row['body'] as string } : undefined;
}
