/**
 * A process that commits and says `ack N` after each acknowledged commit, to be watched from outside.
 * `engine`: the SQLite engine. `weak`: the same commits without its sync, to see that the watching notices.
 */

import { writeSync } from 'node:fs';
import type { Command } from '../src/core/command.ts';
import { openSqlite } from '../src/storage/sqlite.ts';
import { openForWriting, prepareDirectory } from '../src/storage/sqlite/database.ts';
import { SqliteWriter } from '../src/storage/sqlite/writer.ts';
import { create, putService, service } from './commands.ts';
import { markerOf } from './sync-trace.ts';

const [directory = '', mode = '', count = '0'] = process.argv.slice(2);
const commit = mode === 'engine' ? await openEngine() : openWeak();
await commit([putService(service)]);
for (let n = 1; n <= Number(count); n++) {
  await commit([create(n, { data: `{"marker":"${markerOf(n)}"}` })]);
  writeSync(1, `ack ${n}\n`);
}
process.exit();

async function openEngine(): Promise<(batch: readonly Command[]) => Promise<unknown>> {
  const storage = await openSqlite({ directory, now: Date.now });
  return (batch) => storage.commit(0, batch);
}

function openWeak(): (batch: readonly Command[]) => Promise<unknown> {
  prepareDirectory(directory);
  const database = openForWriting(directory);
  database.exec('PRAGMA synchronous = NORMAL');
  const writer = new SqliteWriter(database);
  return async (batch) => writer.commit(batch, Date.now());
}
