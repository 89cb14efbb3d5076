/** A client that stops reading, seen from outside: the memory of the service, and what others wait. About 25 seconds. */

import assert from 'node:assert/strict';
import { setInterval as every } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeDataDirectory } from '../data-directory.ts';
import { Random } from '../simulation/random.ts';
import { Follower } from './follower.ts';
import { ServiceProcess } from './service-process.ts';
import { SocketClient } from './socket-client.ts';

const documentCount = 8;
const updatesPerSecond = 100;
const calmSeconds = 4;
/** The first of them fill what the system itself buffers. */
const stuckSeconds = 15;
const windowSeconds = 4;
const otherCount = 3;
/** What is not kept for the slow reader while it does not read is about 7 MB between the two windows. */
const mostGrowth = 3_000_000;
const mostResidentGrowth = 32_000_000;
const longestWaitMs = 1_000;
const timeout = 60_000;

interface World {
  readonly service: ServiceProcess;
  readonly writer: SocketClient;
  readonly sids: readonly string[];
}

async function start(t: TestContext, flags: readonly string[] = []): Promise<World> {
  const { path: directory, remove } = makeDataDirectory();
  const service = await ServiceProcess.start({ directory, flags });
  t.after(async () => {
    await service.kill();
    remove();
  });
  const writer = await SocketClient.open(service.socketUrl, 'writer');
  const sids = await Promise.all(Array.from({ length: documentCount }, () => writer.create({})));
  return { service, writer, sids };
}

async function follow({ service, sids }: World, identity: string): Promise<[Follower, SocketClient]> {
  const client = await SocketClient.open(service.socketUrl, identity);
  const follower = new Follower(sids);
  await follower.follow(client);
  return [follower, client];
}

test(
  '[BND1] [BND2] [BND16] [BND17] one that reads nothing under 100 updates a second costs neither memory nor others time',
  { timeout },
  async (t) => {
    const world = await start(t);
    const { service, writer, sids } = world;
    const random = new Random(1);
    const others = await Promise.all(Array.from({ length: otherCount }, (_, i) => follow(world, `other ${i}`)));
    const [slow, slowClient] = await follow(world, 'slow');
    let updates = 0;
    /** When each update was sent, by its number. */
    const sentAt: number[] = [];
    let waits: number[] = [];
    for (const [other] of others) {
      other.heard = ({ data }) => waits.push(performance.now() - (sentAt[Number(data['update'])] ?? 0));
    }
    /** Updates for so many seconds; gives what others waited, and the memory of the service second by second. */
    const run = async (seconds: number): Promise<{ waits: number[]; used: number[]; resident: number[] }> => {
      const memory: { resident: number; used: number }[] = [];
      const answers: Promise<unknown>[] = [];
      waits = [];
      let ticks = 0;
      for await (const _ of every(1000 / updatesPerSecond)) {
        // The timer may be late on a busy machine: then several go at once.
        const data = { update: updates, text: 'x'.repeat(random.between(300, 16_000)) };
        sentAt[updates++] = performance.now();
        answers.push(writer.call('POST', `/v3/Documents/${random.pick(sids)}`, { data }));
        if (++ticks % updatesPerSecond === 0) memory.push(await service.memory());
        if (ticks >= seconds * updatesPerSecond) break;
      }
      await Promise.all(answers);
      await Promise.all(others.map(([other]) => other.untilEqual(writer)));
      return { waits, used: memory.map(({ used }) => used), resident: memory.map(({ resident }) => resident) };
    };

    const calm = await run(calmSeconds);
    slowClient.pause();
    const before = slow.events;
    const stuck = await run(stuckSeconds);
    const used = growth(stuck.used);
    const resident = growth(stuck.resident);
    t.diagnostic(`memory grew by ${used} bytes in use, ${resident} resident`);
    assert.ok(used < mostGrowth && resident < mostResidentGrowth);
    t.diagnostic(
      `others waited ${median(calm.waits)} ms before and ${median(stuck.waits)} ms now, ${Math.max(...stuck.waits)} at most`,
    );
    assert.ok(Math.max(...stuck.waits) < longestWaitMs);
    assert.ok(median(stuck.waits) < 3 * median(calm.waits) + 20);
    for (const [other] of others) assert.equal(other.events, updates, 'others hear of every update');

    slowClient.resume();
    await Promise.race([slow.untilEqual(writer), slowClient.closed.then(() => assert.fail('it was cut'))]);
    const missed = stuckSeconds * updatesPerSecond - (slow.events - before);
    t.diagnostic(`${missed} of ${stuckSeconds * updatesPerSecond} updates were covered by later ones`);
    assert.ok(missed > 0 && slow.events > before);
  },
);

test(
  '[BND1] [BND17] [SUB7] one that reads nothing is cut beyond the bound, and ends equal to the store when it comes back',
  { timeout },
  async (t) => {
    const world = await start(t, ['--outbox-bytes', '65536']);
    const { writer, sids } = world;
    const [slow, client] = await follow(world, 'slow');
    const [other] = await follow(world, 'other');
    client.pause();
    const text = 'x'.repeat(16_000);
    const updates = 600;
    for (let i = 0; i < updates; i += documentCount) {
      await Promise.all(sids.map((sid) => writer.call('POST', `/v3/Documents/${sid}`, { data: { i, text } })));
    }
    client.resume();
    assert.equal(await client.closed, 1006);
    assert.ok(slow.events < updates);
    const again = await SocketClient.open(world.service.socketUrl, 'slow');
    await slow.follow(again);
    await slow.untilEqual(writer);
    await other.untilEqual(writer);
    assert.equal(other.events, updates);
  },
);

/** From the second window of the samples to the last one; the first is for what the system buffers. */
function growth(samples: readonly number[]): number {
  return median(samples.slice(-windowSeconds)) - median(samples.slice(windowSeconds, 2 * windowSeconds));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
