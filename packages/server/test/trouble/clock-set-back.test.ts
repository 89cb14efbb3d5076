/** A clock that is set back by an hour under the running service, and while it is stopped. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Instant } from '../../src/core/object.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { accepted, bySid, create, expire, putService, service, update } from '../commands.ts';
import { makeDataDirectory } from '../data-directory.ts';
import { eventIds, openDoor } from '../door-harness.ts';

const hour = 3_600_000;
const withId = { 'Twilio-Request-Id': 'RQ1' };

suite('[OPS9] a clock that is set back while the service runs', () => {
  test('[OPS9] [EVT1] [REV1] event ids and revisions go on growing, and subscribers miss nothing', async () => {
    const h = await openDoor();
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const sid = await ann.create({ n: 0 });
    await ben.follow(sid);
    await ann.write(sid, { n: 1 });
    h.clock.offset = -hour;
    await ann.write(sid, { n: 2 });
    const conditional = await ann.call('POST', `/v3/Documents/${sid}`, { data: { n: 3 } }, { 'If-Match': '2' });
    assert.deepEqual([conditional.status, conditional.body['revision']], [200, '3']);
    assert.deepEqual(eventIds(ben.take()), [1, 2, 3]);
    const late = await h.connect('cem');
    late.subscribe([{ object_sid: sid, last_event_id: 1 }]);
    await h.settle();
    assert.deepEqual(eventIds(late.take()), [3]);
  });

  test('[OPS9] [TTL2] [TTL3] what runs out at an instant is there until the clock comes to it, and goes then', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const before = await ann.create({}, { ttl: 60 });
    h.clock.offset = -hour;
    const after = await ann.create({}, { ttl: 60 });
    const status = async (sid: string): Promise<number> => (await ann.call('GET', `/v3/Documents/${sid}`)).status;
    await h.advance(59_999);
    assert.deepEqual([await status(before), await status(after)], [200, 200]);
    await h.advance(1);
    assert.deepEqual([await status(before), await status(after)], [200, 404]);
    h.clock.offset = 0;
    assert.equal(await status(before), 404);
    await h.advance(1000);
    const [due] = await h.storage.read([{ query: 'due', limit: 10 }]);
    assert.deepEqual(due, [], 'both were swept');
  });

  test('[OPS9] [TLC1] [TLC4] a token is good until the clock comes to its end; its holder is told once and cut once', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', { ttl: 600 });
    h.clock.offset = -hour;
    await h.advance(600_000);
    assert.equal((await ann.call('GET', '/v3/Documents/none')).status, 404, 'it is answered');
    const methods = (): readonly string[] => ann.take().map(({ method }) => method);
    assert.deepEqual(methods(), ['reply']);
    await h.advance(hour - 240_000);
    assert.deepEqual(methods(), ['client_update']);
    await h.advance(239_999);
    assert.equal(ann.link.isOpen, true);
    await h.advance(1001);
    assert.deepEqual([ann.link.isOpen, methods()], [false, []]);
    assert.equal(h.clock.pending > 0, true);
  });

  test('[OPS9] [WRI3] a repeated write is still known, and the memory of them is still bounded', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const first = await ann.call('POST', '/v3/Documents', { data: { n: 1 } }, withId);
    h.clock.offset = -hour;
    assert.deepEqual(await ann.call('POST', '/v3/Documents', { data: { n: 1 } }, withId), first);
  });

  test('[OPS9] [CON5] pings go on, and a connection that says nothing is dropped in the usual time', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000 });
    const [alive, dead] = [await h.connect('ann'), await h.connect('ben')];
    h.clock.offset = -hour;
    let pings = 0;
    for (let second = 0; second < 75; second += 5) {
      await h.advance(5_000);
      pings += alive.take().filter(({ method }) => method === 'ping').length;
      await alive.call('GET', '/v3/Documents/none');
      alive.take();
    }
    assert.deepEqual([alive.link.isOpen, dead.link.isOpen], [true, false]);
    assert.ok(pings === 2, `${pings} pings`);
  });
});

test('[OPS9] [STO5] set back while the service is stopped, ids and revisions go on, and so does what runs out', async (t) => {
  const { path: directory, remove } = makeDataDirectory();
  let now: Instant = 1_800_000_000_000;
  let storage: Storage = await openSqlite({ directory, now: () => now });
  t.after(async () => {
    await storage.close();
    remove();
  });
  await storage.commit(0, [putService(service), create(1), create(2, { ttl: 60 })]);
  await storage.commit(0, [update(bySid(1), { data: '{"n":1}' })]);
  now += 60_000;
  await storage.close();

  now -= hour;
  storage = await openSqlite({ directory, now: () => now });
  const [updated] = await storage.commit(0, [update(bySid(1), { data: '{"n":2}', ifMatch: '1' })]);
  assert.deepEqual([accepted(updated).object?.eventId, accepted(updated).events[0]?.id], [2, 2]);
  const read = (): Promise<readonly unknown[]> =>
    storage.read([
      { query: 'document', ref: bySid(2) },
      { query: 'due', limit: 10 },
    ]);
  const [[found], [, dueThen]] = [await read(), await read()];
  assert.ok(found !== undefined);
  assert.deepEqual(dueThen, []);
  now += hour;
  assert.deepEqual(await read(), [undefined, [expire(2)]]);
  const [swept] = await storage.commit(0, [expire(2)]);
  assert.deepEqual(
    accepted(swept).events.map(({ type, id }) => [type, id]),
    [['removed', 1]],
  );
});
