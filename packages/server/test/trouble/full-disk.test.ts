/** The real service on a file system of a few megabytes that fills up and is freed again. A few seconds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Documents } from './documents.ts';
import { eventually } from './eventually.ts';
import { ServiceProcess } from './service-process.ts';
import { cannotMount, SmallDisk } from './small-disk.ts';
import { SocketClient } from './socket-client.ts';

const kilobytes = 6_000;
const skip = cannotMount();
const timeout = 60_000;

test(
  '[OPS6] [WRI5] [STO10] on a full disk writes are refused and reads go on; with room again it heals by itself',
  {
    skip,
    timeout,
  },
  async (t) => {
    const disk = await SmallDisk.mount(kilobytes);
    const options = { directory: `${disk.path}/data`, under: disk.under };
    let service = await ServiceProcess.start(options);
    t.after(async () => {
      await service.kill();
      await disk.unmount();
    });
    const { pid } = service;
    const documents = new Documents();
    let writer = await SocketClient.open(service.socketUrl);
    const reader = await SocketClient.open(service.socketUrl, 'ben');
    /** Several at once, so that there are commits of several writes and writes that wait behind them. */
    const write = async (): Promise<boolean> => {
      const taken = await Promise.all(Array.from({ length: 8 }, () => documents.create(writer, 16_000)));
      return taken.every(Boolean);
    };

    assert.equal(await write(), true);
    disk.fill();
    // What the log has room for is still taken.
    await eventually('writes are refused', async () => !(await write()));
    assert.equal(await service.ready(), 503);
    await documents.check(reader);
    for (let i = 0; i < 20; i++)
      assert.equal(await documents.create(writer, 1), false, 'refused before it is accepted');
    assert.equal(await service.ready(), 503);

    disk.clear();
    await eventually('it is ready again', async () => (await service.ready()) === 200);
    assert.equal(await write(), true);
    assert.equal(service.pid, pid);
    await documents.check(reader);

    disk.fill();
    await eventually('writes are refused again', async () => !(await write()));
    await service.kill();
    // There is no room for a start either, and it needs none.
    service = await ServiceProcess.start(options);
    writer = await SocketClient.open(service.socketUrl);
    await documents.check(writer);
    disk.clear();
    await eventually('writes are taken', write);
    await documents.check(writer);
    t.diagnostic(`${documents.acknowledged} writes acknowledged, ${documents.refused} refused`);
  },
);
