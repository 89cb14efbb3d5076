import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ended, startChild } from '../../../test/child-process.ts';
import { accepted, account, bySid, documentSid, make, push, refOf, service } from '../../../test/commands.ts';
import { makeDataDirectory } from '../../../test/data-directory.ts';
import { openSqlite } from '../sqlite.ts';
import { StorageRefused } from '../storage.ts';
import type { Storage } from '../storage.ts';
import { openForWriting, prepareDirectory } from './database.ts';
import { migrations } from './migrations.ts';
import { SqliteReader } from './reader.ts';
import { SqliteWriter } from './writer.ts';

const now = (): number => 0;

function newDirectory(t: TestContext): string {
  const directory = makeDataDirectory();
  t.after(directory.remove);
  return directory.path;
}

/** A storage that is closed with the test at the latest: an open one would keep the process alive. */
async function open(t: TestContext, directory: string): Promise<Storage> {
  const storage = await openSqlite({ directory, now });
  t.after(() => storage.close());
  return storage;
}

/** Opening must be refused with one line that matches; twice, since a refusal must not leave a lock behind. */
async function assertRefused(directory: string, message: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(openSqlite({ directory, now }), (error) => {
      assert.ok(error instanceof StorageRefused, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(directory), error.message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
}

test('[STO7] a second process on the same data is refused, until the first is gone', async (t) => {
  const directory = newDirectory(t);
  const child = startChild('lock-child.ts', [directory]);
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await assertRefused(directory, /in use by another process/);
  child.kill('SIGKILL');
  await ended(child);
  const storage = await open(t, directory);
  await storage.close();
});

test('[STO7] a second storage in the same process is refused too, until the first is closed', async (t) => {
  const directory = newDirectory(t);
  const first = await open(t, directory);
  await assertRefused(directory, /in use/);
  assert.deepEqual(await first.commit(0, [{ type: 'putAccount', sid: account, authToken: 'a' }]), [
    { object: undefined, item: undefined, events: [] },
  ]);
  await first.close();
  const second = await open(t, directory);
  await second.close();
});

test('[STO7] a directory that cannot be made is refused', async (t) => {
  const file = join(newDirectory(t), 'file');
  writeFileSync(file, '');
  await assertRefused(join(file, 'data'), /cannot be written/);
  await assertRefused(file, /cannot be written/);
});

test('[STO7] a schema newer than the program is refused, and the data is left as it is', async (t) => {
  const directory = newDirectory(t);
  const database = openForWriting(directory);
  database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
  database.close();
  await assertRefused(directory, /schema \d+, newer than this program knows/);
  const untouched = new DatabaseSync(join(directory, 'tallystick.db'));
  assert.equal(untouched.prepare('PRAGMA user_version').get()?.['user_version'], migrations.length + 1);
  untouched.close();
});

test('[STO7] what is no database is refused', async (t) => {
  const directory = newDirectory(t);
  writeFileSync(join(directory, 'tallystick.db'), 'something else entirely '.repeat(100));
  await assertRefused(directory, /not a database/);
});

test('[STO7] files that cannot be opened are refused', async (t) => {
  const [one, two] = [newDirectory(t), newDirectory(t)];
  mkdirSync(join(one, 'tallystick.db'));
  await assertRefused(one, /tallystick\.db cannot be opened/);
  mkdirSync(join(two, 'lock.db'));
  await assertRefused(two, /lock\.db cannot be opened/);
});

test('[STO1] the writing connection syncs each commit', (t) => {
  const database = openForWriting(newDirectory(t));
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  assert.equal(database.prepare('PRAGMA synchronous').get()?.['synchronous'], 2, '2 is FULL');
  database.close();
});

test('the data is for its owner only', async (t) => {
  const directory = join(newDirectory(t), 'made', 'here');
  const storage = await open(t, directory);
  await storage.commit(0, [{ type: 'putAccount', sid: account, authToken: 'a' }]);
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(directory), '700');
  const files = readdirSync(directory).filter((name) => name.startsWith('tallystick.db'));
  assert.deepEqual(files.sort(), ['tallystick.db', 'tallystick.db-shm', 'tallystick.db-wal']);
  for (const file of files) assert.equal(mode(join(directory, file)), '600', file);
  await storage.close();
});

test('[CON8] the epoch is made with the data, kept with it, and another for other data', async (t) => {
  const epochs: string[] = [];
  const [one, two] = [newDirectory(t), newDirectory(t)];
  for (const directory of [one, one, two]) {
    const storage = await open(t, directory);
    epochs.push(storage.epoch);
    await storage.close();
  }
  const [first, again, other] = epochs;
  assert.match(first ?? '', /^[0-9a-f]{24}$/);
  assert.equal(again, first);
  assert.notEqual(other, first);
});

test(
  '[STO7] a directory whose parent can be made by nobody is refused, and does not hang',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  () => {
    assert.throws(() => prepareDirectory('/proc/nothing/here'), StorageRefused);
  },
);

test('[STO5] a database of before there were lists keeps its documents, and takes lists', (t) => {
  const directory = newDirectory(t);
  const before = new DatabaseSync(join(directory, 'tallystick.db'));
  for (const step of migrations.slice(0, 2)) before.exec(step);
  before.exec(`
    INSERT INTO meta VALUES ('epoch', 'old');
    INSERT INTO service VALUES ('${service}', '${account}', 'default', 1);
    INSERT INTO event VALUES (7, '${documentSid(1)}', 3, '{"n":3}');
    INSERT INTO object VALUES
      ('${documentSid(1)}', '${account}', '${service}', 'document', NULL, 3, 7, 1, 2, NULL, 'ann');
    PRAGMA user_version = 2;
  `);
  before.close();
  const database = openForWriting(directory);
  t.after(() => database.close());
  const writer = new SqliteWriter(database);
  const [, pushed] = writer.commit([make('list', 1), push(refOf('list', 1))], now());
  assert.equal(accepted(pushed).item?.row.key, 0);
  while (writer.idle());
  const [found] = new SqliteReader(database).read([{ query: 'document', ref: bySid(1) }], now());
  const { eventId, nextIndex, markers, trimmedTo } = found?.row ?? {};
  assert.deepEqual([found?.data, eventId, nextIndex, markers, trimmedTo], ['{"n":3}', 3, 0, 0, 0]);
});
