/**
 * A process that writes until it is killed: each writer drives one document through the life that `crash-life.ts`
 * tells, 64 of them at once. It says `batch WRITER:STEP …` before it hands a batch to storage and `ack WRITER:STEP …`
 * after storage acknowledged it.
 */

import { writeSync } from 'node:fs';
import { openSqlite } from '../src/storage/sqlite.ts';
import { putService, service } from './commands.ts';
import { commandAt } from './crash-life.ts';

const [directory = '', writers = '0'] = process.argv.slice(2);
const storage = await openSqlite({ directory, now: Date.now });
await storage.commit(0, [putService(service)]);

interface Waiting {
  readonly writer: number;
  readonly step: number;
  readonly done: () => void;
}

let waiting: Waiting[] = [];

async function write(writer: number): Promise<never> {
  for (let step = 0; ; step++) {
    await new Promise<void>((done) => waiting.push({ writer, step, done }));
  }
}

for (let writer = 0; writer < Number(writers); writer++) void write(writer);

for (let round = 0; ; round++) {
  // Batches of several sizes, so that writers are at different steps.
  const batch = waiting.splice(0, 1 + ((round * 7) % Number(writers)));
  const line = batch.map(({ writer, step }) => ` ${writer}:${step}`).join('');
  writeSync(1, `batch${line}\n`);
  const outcomes = await storage.commit(
    0,
    batch.map(({ writer, step }) => commandAt(writer, step)),
  );
  if (outcomes.some((outcome) => 'refused' in outcome)) throw new Error(`refused: ${JSON.stringify(outcomes)}`);
  writeSync(1, `ack${line}\n`);
  for (const { done } of batch) done();
  // The writers hand in their next step in promise jobs.
  await Promise.resolve();
}
