import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  accepted,
  account,
  byName,
  bySid,
  create,
  documentSid,
  make,
  publish,
  purge,
  push,
  put,
  putService,
  refOf,
  refusal,
  remove,
  removeItem,
  service,
  sidOf,
  update,
  updateItem,
} from '../../../test/commands.ts';
import { makeDataDirectory } from '../../../test/data-directory.ts';
import type { Command } from '../../core/command.ts';
import { NotApplied, OutcomeUnknown } from '../storage.ts';
import { openForWriting } from './database.ts';
import { SqliteReader } from './reader.ts';
import { SqliteWriter } from './writer.ts';

const now = 1000;

function newDatabase(t: TestContext): DatabaseSync {
  const directory = makeDataDirectory();
  const database = openForWriting(directory.path);
  t.after(() => {
    database.close();
    directory.remove();
  });
  new SqliteWriter(database).commit([putService(service)], now);
  return database;
}

/** The same database, whose statements throw when `fails` says so of their text, with the code that it says. */
function failing(database: DatabaseSync, fails: (sql: string) => boolean | number): DatabaseSync {
  const guard = (sql: string): void => {
    const code = fails(sql);
    if (code === false) return;
    throw Object.assign(new Error(`failed on purpose: ${sql.slice(0, 20)}`), { errcode: code });
  };
  return {
    get isTransaction() {
      return database.isTransaction;
    },
    exec(sql: string) {
      guard(sql);
      database.exec(sql);
    },
    prepare(sql: string) {
      const statement = database.prepare(sql);
      const after = <R>(result: () => R): R => {
        guard(sql);
        return result();
      };
      type Values = Parameters<StatementSync['run']>;
      return {
        run: (...values: Values) => after(() => statement.run(...values)),
        get: (...values: Values) => after(() => statement.get(...values)),
        all: (...values: Values) => after(() => statement.all(...values)),
      };
    },
  } as unknown as DatabaseSync;
}

/** All rows, of which a commit that was not applied may change none. */
function contents(database: DatabaseSync): unknown {
  return ['account', 'service', 'key', 'name', 'object', 'event', 'item', 'marker', 'purge'].map((table) =>
    database.prepare(`SELECT * FROM ${table}`).all(),
  );
}

function bodies(database: DatabaseSync): unknown[] {
  return database
    .prepare('SELECT body FROM event ORDER BY seq')
    .all()
    .map((row) => row['body']);
}

function idleToTheEnd(writer: SqliteWriter): void {
  for (let step = 0; writer.idle(); step++) assert.ok(step < 1000, 'idle work has no end');
}

const batch: readonly Command[] = [
  create(2, { uniqueName: 'new' }),
  update(bySid(1), { data: '{"n":1}' }),
  remove(byName('old')),
];

test('[STO6] a commit that fails on the way is not applied, and changes nothing', async (t) => {
  const database = newDatabase(t);
  let failure = '';
  const writer = new SqliteWriter(failing(database, (sql) => failure !== '' && sql.startsWith(failure)));
  writer.commit([create(1), create(3, { uniqueName: 'old' })], now);
  const before = contents(database);
  const places = ['BEGIN', 'SELECT * FROM service', 'INSERT INTO event', 'INSERT INTO object', 'UPDATE object'];
  for (const place of [...places, 'DELETE FROM object', 'INSERT OR REPLACE INTO name', 'DELETE FROM name']) {
    await t.test(place, () => {
      failure = place;
      assert.throws(() => writer.commit(batch, now), NotApplied);
      assert.deepEqual(contents(database), before);
      assert.equal(database.isTransaction, false);
    });
  }
  failure = '';
  assert.deepEqual(writer.commit(batch, now).map(refusal), [undefined, undefined, undefined]);
});

test('[STO6] when the commit itself fails, its outcome is unknown', (t) => {
  const database = newDatabase(t);
  let failures: readonly string[] = [];
  const writer = new SqliteWriter(failing(database, (sql) => failures.includes(sql)));
  writer.commit([create(1), create(3, { uniqueName: 'old' })], now);
  failures = ['COMMIT'];
  assert.throws(() => writer.commit(batch, now), OutcomeUnknown);
  failures = ['COMMIT', 'ROLLBACK'];
  assert.throws(() => writer.commit(batch, now), OutcomeUnknown);
  // The transaction that could not be rolled back must never be committed with a later batch.
  failures = [];
  assert.throws(() => writer.commit([create(4)], now), NotApplied);
  assert.equal(accepted(writer.commit([update(bySid(1), { data: '{}' })], now)[0]).object?.eventId, 1);
  assert.deepEqual(writer.commit(batch, now).map(refusal), [undefined, undefined, undefined]);
});

test('[STO6] a full disk refuses writes and takes them again when there is room', (t) => {
  const database = newDatabase(t);
  const writer = new SqliteWriter(database);
  writer.commit([create(1, { data: '{"n":0}' })], now);
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  database.exec(`PRAGMA max_page_count = ${pages}`);
  const large = `{"text":"${'x'.repeat(16_000)}"}`;
  const before = contents(database);
  assert.throws(() => writer.commit([update(bySid(1), { data: large }), create(2)], now), /full/);
  assert.throws(() => writer.commit([create(2, { data: large })], now), NotApplied);
  assert.deepEqual(contents(database), before);
  const [found] = new SqliteReader(database).read([{ query: 'document', ref: bySid(1) }], now);
  assert.equal(found?.data, '{"n":0}');
  database.exec(`PRAGMA max_page_count = ${pages + 100}`);
  assert.equal(refusal(writer.commit([create(2, { data: large })], now)[0]), undefined);
});

/** Result codes of SQLite for a commit that fails. */
const commitFailures: readonly (readonly [
  name: string,
  code: number,
  Failure: typeof NotApplied | typeof OutcomeUnknown,
])[] = [
  ['SQLITE_FULL', 13, NotApplied],
  ['SQLITE_IOERR_WRITE', 778, OutcomeUnknown],
  ['SQLITE_IOERR_FSYNC', 1034, OutcomeUnknown],
  ['SQLITE_IOERR_SHMSIZE', 4874, OutcomeUnknown],
  ['SQLITE_BUSY', 5, OutcomeUnknown],
];

test('[STO10] a commit that finds no room is not applied; of one that fails otherwise nobody knows', async (t) => {
  const database = newDatabase(t);
  let code: number | undefined;
  const writer = new SqliteWriter(failing(database, (sql) => sql === 'COMMIT' && (code ?? false)));
  writer.commit([create(1), create(3, { uniqueName: 'old' })], now);
  const before = contents(database);
  for (const [name, failure, Failure] of commitFailures) {
    await t.test(name, () => {
      code = failure;
      assert.throws(() => writer.commit(batch, now), Failure);
      assert.equal(database.isTransaction, false);
      assert.deepEqual(contents(database), before);
    });
  }
  code = undefined;
  assert.deepEqual(writer.commit(batch, now).map(refusal), [undefined, undefined, undefined]);
});

test('[STO11] each trial of storage appends 64 KiB to the log, and changes nothing that a command sees', (t) => {
  const database = newDatabase(t);
  const writer = new SqliteWriter(database);
  writer.commit([{ type: 'putAccount', sid: account, authToken: 'sealed' }, create(1)], now);
  const before = contents(database);
  const log = `${String(database.location())}-wal`;
  for (let trial = 0; trial < 3; trial++) {
    const size = statSync(log).size;
    assert.deepEqual(writer.commit([{ type: 'probe' }], now).map(refusal), [undefined]);
    assert.ok(statSync(log).size - size >= 65_536, `trial ${trial}`);
  }
  assert.deepEqual(contents(database), before);
});

test('[STO8] superseded bodies go in an idle moment, those of documents stay', (t) => {
  const database = newDatabase(t);
  const writer = new SqliteWriter(database);
  writer.commit([create(1, { data: '{"n":1}' }), create(2, { data: '{"n":2}' }), create(3, { data: '{"n":3}' })], now);
  writer.commit([update(bySid(1), { data: '{"n":4}' }), update(bySid(2), { ttl: 9 }), remove(bySid(3))], now);
  writer.commit([update(bySid(1), { data: '{"n":5}' }), update(bySid(1), { data: '{"n":6}' })], now);
  writer.commit([create(4), remove(bySid(4))], now);
  assert.deepEqual(bodies(database), ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}', '{"n":6}']);
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":2}', '{"n":6}']);
});

test('[STO8] many superseded bodies go without an idle moment', (t) => {
  const database = newDatabase(t);
  // Commits alone matter here, not their way to the disk.
  database.exec('PRAGMA synchronous = OFF');
  const writer = new SqliteWriter(database);
  const documents = 512;
  writer.commit(
    Array.from({ length: documents }, (_, n) => create(n)),
    now,
  );
  let most = 0;
  for (let round = 0; round < 20; round++) {
    const data = `{"round":${round}}`;
    writer.commit(
      Array.from({ length: documents }, (_, n) => update(bySid(n), { data })),
      now,
    );
    writer.tidy();
    most = Math.max(most, bodies(database).length);
  }
  assert.ok(most < documents + 4096 + documents, `${most} bodies`);
  const [found] = new SqliteReader(database).read([{ query: 'document', ref: bySid(17) }], now);
  assert.equal(found?.data, '{"round":19}');
});

test('[STO8] bodies that a crash left without an owner are found, while commits go on', (t) => {
  const database = newDatabase(t);
  database.exec('PRAGMA synchronous = OFF');
  const documents = 1000;
  const all = Array.from({ length: documents }, (_, n) => n);
  const crashed = new SqliteWriter(database);
  crashed.commit(
    all.map((n) => create(n)),
    now,
  );
  for (let round = 1; round <= 5; round++) {
    crashed.commit(
      all.map((n) => update(bySid(n), { data: `{"round":${round}}` })),
      now,
    );
  }
  // The writer that knew what is superseded is gone; another one searches, in more than one step.
  const writer = new SqliteWriter(database);
  writer.commit([update(bySid(0), { data: '{"round":6}' })], now);
  assert.equal(writer.idle(), true);
  writer.commit(
    [update(bySid(1), { data: '{"round":6}' }), remove(bySid(2)), create(documents, { data: '{"round":6}' })],
    now,
  );
  assert.equal(writer.idle(), true);
  writer.commit([update(bySid(3), { data: '{"round":6}' })], now);
  idleToTheEnd(writer);
  const left = bodies(database);
  assert.equal(left.length, documents);
  assert.equal(left.filter((body) => body === '{"round":6}').length, 4);
  const reader = new SqliteReader(database);
  for (const n of all) {
    const [found] = reader.read([{ query: 'document', ref: bySid(n) }], now);
    assert.equal(found?.data, n === 2 ? undefined : `{"round":${n < 4 ? 6 : 5}}`, documentSid(n));
  }
});

test('[STO12] an idle moment in which nothing can be read breaks nothing, and its work is done in a later one', (t) => {
  const database = newDatabase(t);
  const crashed = new SqliteWriter(database);
  crashed.commit([create(1), create(2)], now);
  crashed.commit([update(bySid(1), { data: '{"n":1}' })], now);
  let fails = true;
  const writer = new SqliteWriter(failing(database, (sql) => fails && sql.startsWith('SELECT seq FROM event') && 266));
  assert.equal(writer.idle(), false, 'not at once again: the disk is sick');
  assert.equal(writer.idle(), false);
  writer.commit([update(bySid(2), { data: '{"n":2}' })], now);
  fails = false;
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":1}', '{"n":2}']);
});

test('[STO8] what could not be deleted hinders no commit and is deleted later', (t) => {
  const database = newDatabase(t);
  let failure = '';
  const writer = new SqliteWriter(failing(database, (sql) => failure !== '' && sql.startsWith(failure)));
  writer.commit([create(1), create(2)], now);
  let n = 0;
  for (failure of ['BEGIN', 'DELETE FROM event', 'COMMIT', 'PRAGMA wal_checkpoint']) {
    const failed = failure;
    idleToTheEnd(writer);
    failure = '';
    writer.commit([update(bySid(1), { data: `{"n":${++n}}` })], now);
    failure = failed;
    idleToTheEnd(writer);
  }
  failure = '';
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{}', `{"n":${n}}`]);
});

const list = refOf('list', 1);
const map = refOf('map', 1);

test('[STO6] a commit of items that fails on the way is not applied, and changes nothing', async (t) => {
  const database = newDatabase(t);
  let failure = '';
  const writer = new SqliteWriter(failing(database, (sql) => failure !== '' && sql.startsWith(failure)));
  writer.commit([make('list', 1), make('map', 1), push(list), put(map, 'a'), put(map, 'b'), removeItem(map, 'b')], now);
  const before = contents(database);
  const items: readonly Command[] = [
    push(list),
    updateItem(list, 0, { data: '{"n":1}' }),
    removeItem(map, 'a'),
    put(map, 'b'),
    remove(list),
  ];
  const places = ['INSERT INTO item', 'UPDATE item', 'DELETE FROM item', 'INSERT OR REPLACE INTO marker'];
  for (const place of [...places, 'DELETE FROM marker', 'INSERT OR IGNORE INTO purge', 'DELETE FROM object']) {
    await t.test(place, () => {
      failure = place;
      assert.throws(() => writer.commit(items, now), NotApplied);
      assert.deepEqual(contents(database), before);
    });
  }
  failure = '';
  assert.deepEqual(
    writer.commit(items, now).map(refusal),
    items.map(() => undefined),
  );
});

test('[STO8] bodies of items go when they are superseded, removed or purged, those of living items stay', (t) => {
  const database = newDatabase(t);
  const writer = new SqliteWriter(database);
  writer.commit([make('list', 1), make('map', 1), ...[1, 2, 3].map((n) => push(list, { data: `{"n":${n}}` }))], now);
  writer.commit([updateItem(list, 0, { data: '{"n":4}' }), updateItem(list, 1, { ttl: 9 }), removeItem(list, 2)], now);
  writer.commit([put(map, 'a', { data: '{"n":5}' }), put(map, 'a', { data: '{"n":6}' }), put(map, 'b')], now);
  writer.commit([removeItem(map, 'b'), put(map, 'b', { data: '{"n":7}' })], now);
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":2}', '{"n":4}', '{"n":6}', '{"n":7}']);
  writer.commit([remove(list)], now);
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":2}', '{"n":4}', '{"n":6}', '{"n":7}'], 'what is left is still pointed to');
  writer.commit([purge(sidOf('list', 1), 1)], now);
  writer.commit([purge(sidOf('list', 1), 9)], now);
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":6}', '{"n":7}']);
});

test('[STO8] bodies of items that a crash left without an owner are found', (t) => {
  const database = newDatabase(t);
  const crashed = new SqliteWriter(database);
  crashed.commit([make('list', 1), make('map', 1), push(list), push(list), put(map, 'a')], now);
  crashed.commit(
    [updateItem(list, 0, { data: '{"n":1}' }), removeItem(list, 1), put(map, 'a', { data: '{"n":2}' })],
    now,
  );
  const writer = new SqliteWriter(database);
  idleToTheEnd(writer);
  assert.deepEqual(bodies(database), ['{"n":1}', '{"n":2}']);
});

test('[STR2] a batch of messages alone writes nothing to the disk', (t) => {
  const database = newDatabase(t);
  const writer = new SqliteWriter(database);
  writer.commit([make('stream', 1)], now);
  const log = `${String(database.location())}-wal`;
  const size = statSync(log).size;
  const stream = refOf('stream', 1);
  const outcomes = writer.commit([publish(stream, 1), publish(stream, 2), publish(refOf('stream', 2), 3)], now);
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, 54250]);
  assert.equal(statSync(log).size, size);
});

test('[LST1] [OBJ5] what a push and a removal write does not grow with the list', (t) => {
  const database = newDatabase(t);
  database.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0');
  const writer = new SqliteWriter(database);
  /** Pages that the log has got by a commit. */
  const pagesOf = (...commands: readonly Command[]): number => {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (const command of commands) assert.equal(refusal(writer.commit([command], now)[0]), undefined);
    return Math.floor(statSync(`${String(database.location())}-wal`).size / 4096);
  };
  writer.commit([make('list', 1), make('list', 2), push(list), push(refOf('list', 2))], now);
  const pushes = Array.from({ length: 100 }, () => push(list));
  const small = pagesOf(...pushes);
  const emptied = pagesOf(remove(refOf('list', 2)));
  for (let n = 0; n < 20; n++)
    writer.commit(
      Array.from({ length: 1000 }, () => push(list)),
      now,
    );
  const large = pagesOf(...pushes);
  assert.ok(large <= small * 1.2, `${small} pages for 100 pushes, then ${large}`);
  const removed = pagesOf(remove(list));
  assert.ok(removed <= emptied + 2, `${emptied} pages for the removal of a small list, ${removed} for a large one`);
});
