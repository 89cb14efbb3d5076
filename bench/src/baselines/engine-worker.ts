/** The store thread of the bare engine: one transaction a batch. Bodies are appended; a document points to its newest. */

import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Update } from './engine.ts';

const { file, documents }: { readonly file: string; readonly documents: number } = workerData;

/** Pages; fewer checkpoints than the default of 1,000 give the engine its best rate: this is a bound. */
const checkpointPages = 10_000;

const database = new DatabaseSync(file);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = ${checkpointPages};
  CREATE TABLE event (seq INTEGER PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE TABLE document (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
`);
const create = database.prepare('INSERT INTO document (id, revision, seq) VALUES (?, 0, 0)');
const append = database.prepare('INSERT INTO event (seq, document, revision, body) VALUES (?, ?, ?, ?)');
const point = database.prepare('UPDATE document SET revision = ?, seq = ? WHERE id = ? AND revision = ?');

const ids = Array.from({ length: documents }, (_, index) => `ET${String(index).padStart(32, '0')}`);
for (const id of ids) create.run(id);

let seq = 0;

function commit(batch: readonly Update[]): void {
  database.exec('BEGIN IMMEDIATE');
  for (const { document, revision, body } of batch) {
    const id = ids[document] ?? '';
    seq++;
    append.run(seq, id, revision + 1, body);
    const { changes } = point.run(revision + 1, seq, id, revision);
    if (changes !== 1) throw new Error(`document ${document} is not at revision ${revision}`);
  }
  database.exec('COMMIT');
}

const port = parentPort;
port?.on('message', (batch: readonly Update[]) => {
  commit(batch);
  port.postMessage(batch.length);
});
port?.postMessage(0);
