import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatabaseSync } from 'node:sqlite';
import { openForReading, openForWriting } from '../src/storage/sqlite/database.ts';
import { SqliteReader } from '../src/storage/sqlite/reader.ts';
import { SqliteWriter } from '../src/storage/sqlite/writer.ts';
import type { StoredDocument } from '../src/storage/storage.ts';
import { ended, startChild } from './child-process.ts';
import { nameOf, standsAt } from './crash-life.ts';
import { makeDataDirectory } from './data-directory.ts';

const writers = 64;
const rounds = 3;

/** A number from 0 to 1, the same for the same seed and round (mulberry32). */
function chance(seed: number, round: number): number {
  let x = (seed + Math.imul(round + 1, 0x6d2b79f5)) | 0;
  x = Math.imul(x ^ (x >>> 15), x | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
}

type Batch = readonly (readonly [writer: number, step: number])[];

interface Told {
  readonly begun: readonly Batch[];
  readonly acknowledged: readonly Batch[];
}

/** Starts the writing process and kills it after a number of acknowledged batches, in the middle of the next ones. */
async function crash(directory: string, afterBatches: number): Promise<Told> {
  const child = startChild('crash-child.ts', [directory, String(writers)]);
  let text = '';
  let acks = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    acks += chunk.split('ack').length - 1;
    if (acks >= afterBatches) child.kill('SIGKILL');
  });
  await ended(child);
  assert.equal(child.signalCode, 'SIGKILL');
  // A line cut by the kill was not told.
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return { begun: batchesOf('batch', lines), acknowledged: batchesOf('ack', lines) };
}

function batchesOf(word: string, lines: readonly string[]): readonly Batch[] {
  return lines
    .filter((line) => line.startsWith(`${word} `))
    .map((line) =>
      line
        .split(' ')
        .slice(1)
        .map((pair) => {
          const [writer, step] = pair.split(':').map(Number);
          return [writer ?? -1, step ?? -1] as const;
        }),
    );
}

function stored(database: DatabaseSync): readonly (StoredDocument | undefined)[] {
  const reader = new SqliteReader(database);
  const refs = Array.from({ length: writers }, (_, writer) => nameOf(writer));
  const queries = refs.map((ref) => ({ query: 'document', ref }) as const);
  return reader.read(queries, Date.now());
}

function count(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
}

/** Every acknowledged batch is there, and of the one that was under way all or nothing. */
function checkAgainst(told: Told, found: readonly (StoredDocument | undefined)[]): void {
  const expected = Array.from({ length: writers }, () => -1);
  for (const batch of told.acknowledged) for (const [writer, step] of batch) expected[writer] = step;
  const underWay = told.begun[told.acknowledged.length] ?? [];
  const applied = underWay.map(([writer, step]) => standsAt(step, found[writer]));
  assert.ok(new Set(applied).size <= 1, `a batch is there in part: ${applied.join()}`);
  if (applied[0] === true) for (const [writer, step] of underWay) expected[writer] = step;
  for (const [writer, step] of expected.entries()) {
    assert.ok(standsAt(step, found[writer]), `writer ${writer}, step ${step}: found ${JSON.stringify(found[writer])}`);
  }
}

const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test('[STO5] [STO8] killed at any moment: all acknowledged is there, nothing in part, no body too many', async (t) => {
  t.diagnostic(`run again with TEST_SEED=${seed}`);
  let orphans = 0;
  for (let round = 0; round < rounds; round++) {
    const directory = makeDataDirectory();
    try {
      const told = await crash(directory.path, 1 + Math.floor(chance(seed, round) * 150));
      // The engine is not needed to look, and a writer without its thread cleans up when told to.
      const writing = openForWriting(directory.path);
      const reading = openForReading(directory.path);
      const found = stored(reading);
      checkAgainst(told, found);

      orphans += count(writing, 'event') - count(writing, 'object');
      const writer = new SqliteWriter(writing);
      while (writer.idle());
      assert.equal(count(writing, 'event'), count(writing, 'object'), 'one body for each object');
      assert.deepEqual(stored(reading), found, 'cleaning changed nothing');
      assert.equal(writing.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
      reading.close();
      writing.close();
    } finally {
      directory.remove();
    }
  }
  assert.ok(orphans > 0, 'the crashes left nothing to clean');
});

test('[STO5] this check notices a lost write and half a batch', () => {
  const batch: Batch = [
    [0, 0],
    [1, 0],
  ];
  const document = { row: { eventId: 0 }, data: '{"step":0}' } as StoredDocument;
  const acknowledged: Told = { begun: [batch], acknowledged: [batch] };
  const underWay: Told = { begun: [batch], acknowledged: [] };
  const [all, half, none] = [[document, document], [document], []];
  checkAgainst(acknowledged, all);
  assert.throws(() => checkAgainst(acknowledged, half), /writer 1, step 0/);
  assert.throws(() => checkAgainst(acknowledged, none), /writer 0, step 0/);
  checkAgainst(underWay, all);
  checkAgainst(underWay, none);
  assert.throws(() => checkAgainst(underWay, half), /in part/);
});
