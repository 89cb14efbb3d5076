/** SIGTERM to the real service while something in it does not come to an end. A few seconds each. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeDataDirectory } from '../data-directory.ts';
import { ServiceProcess } from './service-process.ts';
import { SocketClient } from './socket-client.ts';

const timeout = 60_000;

async function start(t: TestContext): Promise<{ service: ServiceProcess; directory: string }> {
  const { path: directory, remove } = makeDataDirectory();
  const service = await ServiceProcess.start({ directory, flags: ['--drain-ms', '500'] });
  t.after(async () => {
    await service.kill();
    remove();
  });
  return { service, directory };
}

test('[OPS3] [OPS8] storage that does not answer does not keep the service from ending', { timeout }, async (t) => {
  const { service, directory } = await start(t);
  const client = await SocketClient.open(service.socketUrl);
  const sid = await client.create({ n: 0 });
  // Commits of the service now wait for this lock, longer than the stop takes.
  const lock = new DatabaseSync(join(directory, 'tallystick.db'));
  t.after(() => lock.close());
  lock.exec('BEGIN IMMEDIATE');
  const underWay = assert.rejects(client.call('POST', `/v3/Documents/${sid}`, { data: { n: 1 } }));
  await client.call('GET', `/v3/Documents/${sid}`);
  service.signal('SIGTERM');
  assert.equal(await service.ended, 'SIGKILL', 'an exit would wait for the thread that hangs');
  await underWay;
});

test(
  '[OPS3] [BND2] a client that does not read does not keep the service from ending, nor others from their answers',
  { timeout },
  async (t) => {
    const { service } = await start(t);
    const stuck = await SocketClient.open(service.socketUrl, 'stuck');
    const writer = await SocketClient.open(service.socketUrl);
    const sid = await writer.create({ n: 0 });
    await stuck.follow(new Map([[sid, null]]));
    stuck.pause();
    const text = 'x'.repeat(16_000);
    for (let n = 1; n <= 300; n++) {
      assert.equal((await writer.call('POST', `/v3/Documents/${sid}`, { data: { n, text } })).status, 200);
    }
    const last = Array.from({ length: 20 }, (_, n) => writer.call('POST', `/v3/Documents/${sid}`, { data: { n } }));
    await writer.call('GET', `/v3/Documents/${sid}`);
    service.signal('SIGTERM');
    for (const { status } of await Promise.all(last)) assert.equal(status, 200);
    assert.equal(await service.ended, 0);
  },
);
