import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { markerLimits } from '../../test/commands.ts';
import { makeDataDirectory } from '../../test/data-directory.ts';
import { compareWithModel } from '../../test/model-comparison.ts';
import type { Compared } from '../../test/model-comparison.ts';
import type { Instant } from '../core/object.ts';
import { openSqlite } from './sqlite.ts';
import { openForReading, openForWriting } from './sqlite/database.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { SqliteWriter } from './sqlite/writer.ts';
import type { AnswersTo, Query } from './storage.ts';

const tables = ['account', 'service', 'key', 'name', 'object', 'event', 'item', 'marker', 'purge'];

test('[STO4] [STO8] the SQLite writer and reader give the outcomes and answers of the memory engine', async () => {
  const directory = makeDataDirectory();
  after(directory.remove);
  const writing = openForWriting(directory.path);
  // Disks are not the matter here, and a thousand commits are to be quick.
  writing.exec('PRAGMA synchronous = OFF');
  const reading = openForReading(directory.path);
  await compareWithModel(async (now) => withoutThread(writing, reading, now), { numRuns: 300 });
  writing.close();
  reading.close();
});

/** The two halves of the engine in this thread, on an emptied database, so that many short histories are quick. */
function withoutThread(writing: DatabaseSync, reading: DatabaseSync, now: () => Instant): Compared {
  for (const table of tables) writing.exec(`DELETE FROM ${table}`);
  let writer = new SqliteWriter(writing);
  const reader = new SqliteReader(reading, markerLimits);
  const idle = (): void => {
    while (writer.idle());
    const owners = [`object WHERE kind = 'document'`, 'item'].map((from) => count(writing, from));
    assert.equal(count(writing, 'event'), (owners[0] ?? 0) + (owners[1] ?? 0), 'one body for each document and item');
  };
  return {
    storage: {
      epoch: 'e',
      lanes: 1,
      commit: async (_lane, batch) => writer.commit(batch, now()),
      read: async <const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>> => reader.read(queries, now()),
      close: async () => {},
    },
    idle,
    restart: () => {
      writer = new SqliteWriter(writing);
    },
    end: async () => idle(),
  };
}

function count(database: DatabaseSync, from: string): number {
  return Number(database.prepare(`SELECT count(*) AS rows FROM ${from}`).get()?.['rows']);
}

test('[STO4] so does the whole engine with its thread', async () => {
  const open = async (now: () => Instant): Promise<Compared> => {
    const directory = makeDataDirectory();
    const storage = await openSqlite({ directory: directory.path, now, markers: markerLimits });
    const end = async (): Promise<void> => {
      await storage.close();
      directory.remove();
    };
    return { storage, end };
  };
  await compareWithModel(open, { numRuns: 5 });
});
