/** The reading half of the SQLite engine: bounded reads on a read-only connection, which never wait for a commit. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isAlive } from '../../core/object.ts';
import type { Instant, ObjectRef, ObjectRow, Sid, StoredItem } from '../../core/object.ts';
import { changesOf } from '../changes.ts';
import type { Latest } from '../changes.ts';
import { takePage } from '../page.ts';
import { defaultMarkerLimits } from '../storage.ts';
import type { AnswersTo, Changes, Directory, FoundItem, ItemPage, MarkerLimits, PageQuery, Query } from '../storage.ts';
import { DueReader } from './due.ts';
import {
  accountRow,
  itemColumns,
  keyColumn,
  keyRow,
  markerRow,
  objectColumns,
  objectRow,
  serviceRow,
  storedItem,
} from './rows.ts';
import type { SqlRow } from './rows.ts';
import { prepareAll } from './statements.ts';

interface Found {
  readonly row: ObjectRow;
  /** Of a document; else null. */
  readonly data: string | null;
}

export class SqliteReader {
  readonly #database: DatabaseSync;
  readonly #sql: Record<keyof typeof statementTexts, StatementSync>;
  readonly #due: DueReader;

  constructor(database: DatabaseSync, markers: MarkerLimits = defaultMarkerLimits) {
    this.#database = database;
    this.#sql = prepareAll(database, statementTexts);
    this.#due = new DueReader(database, markers);
  }

  /** One snapshot for all answers: more than one statement needs a transaction for that. */
  read<const Q extends readonly Query[]>(queries: Q, now: Instant): AnswersTo<Q> {
    const several = queries.length > 1 || queries.some(({ query }) => query !== 'document' && query !== 'object');
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
      case 'document': {
        const found = this.#find(query.ref, now);
        return found === undefined || found.data === null ? undefined : { row: found.row, data: found.data };
      }
      case 'object':
        return this.#find(query.ref, now)?.row;
      case 'item': {
        const object = this.#find(query.ref, now)?.row;
        return object === undefined ? undefined : this.#item(object, query.key, now);
      }
      case 'items': {
        const object = this.#find(query.ref, now)?.row;
        return object === undefined ? undefined : this.#page(object, query, now);
      }
      case 'changes':
        return this.#changes(query, now);
      case 'due':
        return this.#due.read(query.limit, now);
      case 'directory':
        return this.#directory();
    }
  }

  #find(ref: ObjectRef, now: Instant): Found | undefined {
    const row =
      ref.by === 'sid' ? this.#sql.bySid.get(ref.value) : this.#sql.byName.get(ref.service, ref.kind, ref.value);
    const found = alive(row, now);
    return found?.row.service === ref.service && found.row.kind === ref.kind ? found : undefined;
  }

  #item(object: ObjectRow, key: FoundItemKey, now: Instant): FoundItem {
    const row = this.#sql.item.get(object.sid, keyColumn(key));
    const item = row === undefined ? undefined : storedItem(row);
    return { object, item: item !== undefined && isAlive(item.row, now) ? item : undefined };
  }

  #page(object: ObjectRow, { order, from, most }: PageQuery, now: Instant): ItemPage {
    const { sid } = object;
    if (from === undefined) {
      const all = order === 'asc' ? this.#sql.pageFromStart : this.#sql.pageFromEnd;
      return { object, ...takePage(items(all.iterate(sid, now)), most), hasBefore: false };
    }
    const key = keyColumn(from.key);
    const from_ = from.inclusive ? 1 : 0;
    const run = order === 'asc' ? this.#sql.pageUp : this.#sql.pageDown;
    const page = takePage(items(run.iterate(sid, key, key, from_, now)), most);
    const before = order === 'asc' ? this.#sql.anyBelow : this.#sql.anyAbove;
    return { object, ...page, hasBefore: before.get(sid, key, key, 1 - from_, now) !== undefined };
  }

  #changes(query: Query & { query: 'changes' }, now: Instant): Changes {
    const found = alive(this.#sql.bySid.get(query.object), now);
    const source = {
      data: found?.data ?? null,
      after: (position: number) => this.#latestAfter(query.object, position),
    };
    return changesOf(found?.row, query, source, now);
  }

  *#latestAfter(object: Sid, position: number): Iterable<Latest> {
    for (const row of this.#sql.latest.iterate(object, position, object, position)) {
      yield row['body'] === null ? markerRow(row) : storedItem(row);
    }
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

type FoundItemKey = (Query & { query: 'item' })['key'];

function alive(row: SqlRow | undefined, now: Instant): Found | undefined {
  if (row === undefined) return undefined;
  const object = objectRow(row);
  return isAlive(object, now) ? { row: object, data: row['body'] as string | null } : undefined;
}

function* items(rows: Iterable<SqlRow>): Iterable<StoredItem> {
  for (const row of rows) yield storedItem(row);
}

const withBody = `SELECT ${objectColumns}, e.body FROM object o LEFT JOIN event e ON e.seq = o.seq`;
const itemWithBody = `SELECT ${itemColumns}, e.body FROM item i CROSS JOIN event e ON e.seq = i.seq`;
const isLiving = '(i.expires_at IS NULL OR i.expires_at > ?)';
/** The bound is inside the index range; whether it belongs to it is a flag, so that one statement serves both. */
const up = 'i.object = ? AND i.key >= ? AND (i.key > ? OR ?)';
const down = 'i.object = ? AND i.key <= ? AND (i.key < ? OR ?)';

const statementTexts = {
  bySid: `${withBody} WHERE o.sid = ?`,
  byName: `${withBody} WHERE o.sid = (SELECT sid FROM name WHERE service = ? AND kind = ? AND name = ?)`,
  item: `${itemWithBody} WHERE i.object = ? AND i.key = ?`,
  pageFromStart: `${itemWithBody} WHERE i.object = ? AND ${isLiving} ORDER BY i.key`,
  pageFromEnd: `${itemWithBody} WHERE i.object = ? AND ${isLiving} ORDER BY i.key DESC`,
  pageUp: `${itemWithBody} WHERE ${up} AND ${isLiving} ORDER BY i.key`,
  pageDown: `${itemWithBody} WHERE ${down} AND ${isLiving} ORDER BY i.key DESC`,
  anyBelow: `SELECT 1 FROM item i WHERE ${down} AND ${isLiving} LIMIT 1`,
  anyAbove: `SELECT 1 FROM item i WHERE ${up} AND ${isLiving} LIMIT 1`,
  latest: `SELECT ${itemColumns}, e.body, NULL AS removed_at
      FROM item i CROSS JOIN event e ON e.seq = i.seq WHERE i.object = ? AND i.event_id > ?
    UNION ALL
    SELECT object, key, event_id, 0, 0, 0, 0, NULL, '', NULL, removed_at FROM marker WHERE object = ? AND event_id > ?
    ORDER BY event_id`,
} as const;
