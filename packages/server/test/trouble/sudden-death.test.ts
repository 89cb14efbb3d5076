/**
 * The real service, killed in the middle of group commits, over real sockets and one data directory that is carried
 * from life to life. A hundred kills in CI, in about a minute; else twenty, or `KILLS=<number>`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openForReading } from '../../src/storage/sqlite/database.ts';
import { makeDataDirectory } from '../data-directory.ts';
import { ServiceProcess } from './service-process.ts';
import { Random } from '../simulation/random.ts';
import { Writers } from './writers.ts';

const kills = Number(process.env['KILLS'] ?? (process.env['CI'] === undefined ? 20 : 100));
const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** A kill counts when it left so many writes unanswered, and came after so many acknowledged ones. */
const leastUnknown = 32;
const leastAcknowledged = 1_000;

test(
  '[STO5] [EVT1] [REV2] killed again and again in the middle of group commits, the service keeps all it acknowledged',
  { timeout: 300_000 },
  async (t) => {
    t.diagnostic(`run again with TEST_SEED=${seed}`);
    const random = new Random(seed);
    const data = makeDataDirectory();
    const cache = makeDataDirectory();
    const options = { directory: data.path, compileCache: cache.path };
    let service = new ServiceProcess(options);
    let next = new ServiceProcess(options);
    t.after(async () => {
      await Promise.all([service.kill(), next.kill()]);
      data.remove();
      cache.remove();
    });
    const writers = new Writers();
    const totals = { rounds: 0, kills: 0, acknowledged: 0, unknown: 0 };

    while (totals.kills < kills) {
      assert.ok(totals.rounds < kills + 20, 'too many kills left too little unanswered');
      await service.start();
      await writers.connect(service.socketUrl);
      if (totals.rounds === 0) await writers.prepare();
      else await writers.check();
      const killAfter = leastAcknowledged + random.between(0, 400);
      const { acknowledged, unknown } = await writers.writeUntilKilled(killAfter, () => service.signal('SIGKILL'));
      assert.equal(await service.ended, 'SIGKILL');
      totals.rounds++;
      totals.acknowledged += acknowledged;
      totals.unknown += unknown;
      assert.ok(acknowledged >= leastAcknowledged);
      if (unknown >= leastUnknown) totals.kills++;
      // The modules of the one after the next are loaded while the next is at work.
      [service, next] = [next, new ServiceProcess(options)];
    }
    t.diagnostic(JSON.stringify(totals));

    await service.start();
    await writers.connect(service.socketUrl);
    await writers.check();
    await writers.disconnect();
    service.signal('SIGTERM');
    assert.equal(await service.ended, 0);
    checkDatabase(data.path, writers.names);
  },
);

/** All that any life of the service acknowledged, and nothing that nobody asked for. */
function checkDatabase(directory: string, names: readonly string[]): void {
  const database = openForReading(directory);
  const stored = database.prepare('SELECT unique_name AS name FROM object WHERE unique_name IS NOT NULL').all();
  assert.deepEqual(new Set(stored.map((row) => row['name'])), new Set(names));
  const orphans = database.prepare('SELECT count(*) AS n FROM object o WHERE seq NOT IN (SELECT seq FROM event)').get();
  assert.equal(orphans?.['n'], 0, 'each object has its body');
  assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
  database.close();
}
