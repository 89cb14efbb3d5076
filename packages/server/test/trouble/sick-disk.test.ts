/** The real service on a disk whose syncs fail, and on one whose syncs do not come back. A few seconds each. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeDataDirectory } from '../data-directory.ts';
import { Documents } from './documents.ts';
import { eventually } from './eventually.ts';
import { ServiceProcess } from './service-process.ts';
import { cannotTrace, SickDisk } from './sick-disk.ts';
import type { Illness } from './sick-disk.ts';
import { SocketClient } from './socket-client.ts';
import type { DocumentEvent } from './socket-client.ts';

const skip = cannotTrace();
const timeout = 60_000;

interface Started {
  readonly service: ServiceProcess;
  readonly directory: string;
  readonly fallIll: (kind: Illness) => Promise<SickDisk>;
}

async function start(t: TestContext, flags: readonly string[] = []): Promise<Started> {
  const { path: directory, remove } = makeDataDirectory();
  const service = await ServiceProcess.start({ directory, flags });
  let disk: SickDisk | undefined;
  t.after(async () => {
    await disk?.heal();
    await service.kill();
    remove();
  });
  const fallIll = async (kind: Illness): Promise<SickDisk> => {
    disk = await SickDisk.of(service.pid, directory, kind);
    return disk;
  };
  return { service, directory, fallIll };
}

test(
  '[OPS6] [WRI5] [STO6] while the disk fails, no write is told anything untrue and reads go on; it heals by itself',
  {
    skip,
    timeout,
  },
  async (t) => {
    const { service, directory, fallIll } = await start(t);
    const { pid } = service;
    const documents = new Documents();
    const writer = await SocketClient.open(service.socketUrl);
    assert.equal(await documents.create(writer, 100), true);
    const disk = await fallIll('failing');
    assert.equal(await documents.create(writer, 200), false);
    assert.deepEqual([await writer.closed, documents.unknown], [1006, 1], 'it may be on the disk');
    assert.equal(await service.ready(), 503);

    const client = await SocketClient.open(service.socketUrl);
    // Trials fail meanwhile, and nobody is cut off for that.
    await Promise.race([untilRefusedFor(1_200, documents, client), client.closed.then(() => assert.fail('cut off'))]);
    await documents.check(client);

    await disk.heal();
    await eventually('it is ready again', async () => (await service.ready()) === 200);
    assert.equal(await documents.create(client, 300), true);
    assert.equal(service.pid, pid);
    await service.kill();
    const next = await ServiceProcess.start({ directory });
    t.after(() => next.kill());
    await documents.check(await SocketClient.open(next.socketUrl));
  },
);

/** Writes for so many milliseconds, each of which must be refused. */
async function untilRefusedFor(ms: number, documents: Documents, client: SocketClient): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end;) {
    assert.equal(await documents.create(client, 1), false);
  }
}

test(
  '[WRI6] [OPS6] a commit that hangs is waited for no longer than the limit; when it comes back it is told',
  {
    skip,
    timeout,
  },
  async (t) => {
    const { service, fallIll } = await start(t, ['--commit-timeout-ms', '500']);
    const [writer, other, follower] = await Promise.all(
      ['ann', 'ben', 'cem'].map((identity) => SocketClient.open(service.socketUrl, identity)),
    );
    assert.ok(writer !== undefined && other !== undefined && follower !== undefined);
    const sid = await writer.create({ n: 0 });
    const heard: DocumentEvent[] = [];
    const hears = Promise.withResolvers<void>();
    follower.onEvent = (event) => {
      heard.push(event);
      hears.resolve();
    };
    await follower.follow(new Map([[sid, null]]));

    const disk = await fallIll('hanging');
    const path = `/v3/Documents/${sid}`;
    const underWay = writer.call('POST', path, { data: { n: 1 } });
    const unanswered = assert.rejects(underWay, /the connection ended/);
    // Once the disk hangs, a read tells that the first write is with it and not before it.
    assert.deepEqual((await other.call('GET', path)).body['data'], { n: 0 });
    const behind = other.call('POST', path, { data: { n: 2 } });
    assert.equal((await behind).status, 503);
    await unanswered;
    assert.equal(await service.ready(), 503);
    assert.equal((await other.call('POST', path, { data: { n: 3 } })).status, 503);
    assert.deepEqual((await other.call('GET', path)).body['data'], { n: 0 });
    assert.deepEqual(heard, []);

    await disk.heal();
    await hears.promise;
    assert.deepEqual(heard, [{ object: sid, id: 1, data: { n: 1 } }]);
    assert.equal(await service.ready(), 200);
    assert.equal((await other.call('POST', path, { data: { n: 4 } })).status, 200);
  },
);
