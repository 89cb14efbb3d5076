import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventIds, openDoor } from '../../../test/door-harness.ts';
import type { Client } from '../../../test/door-harness.ts';
import { clientFrame, rawFrame, statusOf } from '../../../test/frame-client.ts';

const large = { text: 'x'.repeat(16_000) };

test('[BND3] a client that pipelines more answers than may wait for it is slowed down, not cut', async () => {
  const h = await openDoor({ outboxBytes: 1_048_576 });
  const ann = await h.connect();
  const sids: string[] = [];
  for (let i = 0; i < 140; i++) sids.push(await ann.create(large));
  // The kernel takes nothing within one turn.
  ann.link.isReading = false;
  const ids = sids.map((sid) => ann.request('GET', `/v3/Documents/${sid}`));
  for (let i = 0; i < 10; i++) {
    await h.settle();
    ann.link.buffered = 0;
    ann.connection.drained();
  }
  assert.equal(ann.link.isDropped, false);
  for (const id of ids) assert.equal(ann.answerTo(id).status, 200);
});

test('[BND3] no more than 32 requests are under way at once; the rest waits unread and follows in order', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  h.storage.commits.length = 0;
  h.storage.commitGate.shut();
  const ids = Array.from({ length: 100 }, () => ann.request('POST', '/v3/Documents', { data: {} }));
  await h.settle();
  assert.equal(ann.link.isPaused, true);
  h.storage.commitGate.open();
  await h.settle();
  assert.deepEqual(
    h.storage.commits.map((batch) => batch.length),
    [32, 32, 32, 4],
  );
  assert.equal(ann.link.isPaused, false);
  for (const id of ids) assert.equal(ann.answerTo(id).status, 201);
});

test('[BND3] a client that has not read its answers is not read either', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  const sid = await ann.create(large);
  ann.link.buffered = 100_000;
  const id = ann.request('GET', `/v3/Documents/${sid}`);
  await h.settle();
  assert.equal(ann.link.isPaused, true);
  assert.equal(h.storage.reads.length, 0);
  ann.link.buffered = 0;
  ann.connection.drained();
  await h.settle();
  assert.equal(ann.link.isPaused, false);
  assert.equal(ann.answerTo(id).status, 200);
});

test('[BND3, CON6] a drain answers what was read and waits', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  h.storage.commitGate.shut();
  const ids = Array.from({ length: 40 }, () => ann.request('POST', '/v3/Documents', { data: {} }));
  await h.settle();
  const drained = h.door.drain();
  h.storage.commitGate.open();
  await h.settle();
  await drained;
  for (const id of ids) assert.equal(ann.answerTo(id).status, 201);
  assert.equal(ann.link.closedWith?.code, 1012);
});

test('[BND3] how many are under way at once is an option', async () => {
  const h = await openDoor({ maxRequests: 2 });
  const ann = await h.connect();
  h.storage.commits.length = 0;
  h.storage.commitGate.shut();
  for (let i = 0; i < 5; i++) ann.request('POST', '/v3/Documents', { data: {} });
  h.storage.commitGate.open();
  await h.settle();
  assert.deepEqual(
    h.storage.commits.map((batch) => batch.length),
    [2, 2, 1],
  );
  const free = await openDoor({ maxRequests: Infinity });
  const ben = await free.connect();
  free.storage.commits.length = 0;
  const ids = Array.from({ length: 900 }, () => ben.request('POST', '/v3/Documents', { data: {} }));
  await free.settle();
  assert.equal(free.storage.commits[0]?.length, 900);
  for (const id of ids) assert.equal(ben.answerTo(id).status, 201);
});

suite('[BND8] the rate of requests', () => {
  const asked = (client: Client, count: number): string[] =>
    Array.from({ length: count }, (_, n) => client.request('POST', '/v3/Documents', { data: { n } }));
  const answered = (client: Client, ids: readonly string[]): number =>
    ids.filter((id) => client.replyTo(id) !== undefined).length;

  test("[BND8] two seconds' worth may come at once; what is beyond waits unread, in order, and nothing is lost", async () => {
    const h = await openDoor({ requestRate: 100, maxRequests: Infinity });
    const ann = await h.connect();
    const ids = asked(ann, 250);
    await h.settle();
    assert.deepEqual([answered(ann, ids), ann.link.isPaused], [200, true]);
    await h.advance(250);
    assert.deepEqual([answered(ann, ids), ann.link.isPaused], [225, true]);
    await h.advance(250);
    assert.deepEqual([answered(ann, ids), ann.link.isPaused], [250, false]);
    const created = ids.map((id) => ann.answerTo(id).body['sid']);
    assert.equal(new Set(created).size, 250);
    assert.deepEqual(
      ann.frames
        .filter(({ method }) => method === 'reply')
        .slice(-250)
        .map(({ id }) => id),
      ids,
    );
    assert.equal(h.clock.pending, 2, 'only the sweeper and the end of the token wait');
  });

  test('[BND8] what comes while others wait does not overtake them, also when its rate would let it', async () => {
    const h = await openDoor({ requestRate: 100 });
    const ann = await h.connect();
    const ids = asked(ann, 201);
    await h.settle();
    await h.advance(15);
    ids.push(...asked(ann, 1));
    await h.settle();
    assert.equal(answered(ann, ids), 200);
    await h.advance(100);
    const replies = ann.frames.filter(({ method }) => method === 'reply').map(({ id }) => id);
    assert.deepEqual(replies.slice(-2), ids.slice(-2));
  });

  test('[BND8] over a minute a client gets exactly its rate, and others wait for nothing', async () => {
    const h = await openDoor({ requestRate: 10 });
    const [greedy, modest] = [await h.connect('greedy'), await h.connect('modest')];
    const ids: string[] = [];
    for (let second = 0; second < 60; second++) {
      if (!greedy.link.isPaused) ids.push(...asked(greedy, 30));
      const [id] = asked(modest, 1);
      await h.settle();
      assert.equal(answered(modest, [id!]), 1);
      await h.advance(1000);
    }
    const count = answered(greedy, ids);
    assert.ok(count >= 600 && count <= 621, `${count} in a minute`);
  });

  test('[BND8] 0 in the options is no limit', async () => {
    const h = await openDoor({ requestRate: Infinity });
    const ann = await h.connect();
    const ids = asked(ann, 900);
    await h.settle();
    assert.equal(answered(ann, ids), 900);
  });

  test('[BND8] whatever is answered counts, and telemetry', async () => {
    for (const method of ['put_notification_ctx', 'delete_notification_ctx', 'init', 'nonsense', 'telemetry.v1']) {
      const h = await openDoor({ requestRate: 1 });
      const ann = await h.connect();
      ann.send(method);
      ann.send(method);
      const [id] = asked(ann, 1);
      await h.settle();
      assert.equal(answered(ann, [id!]), 0, method);
      await h.advance(1000);
      assert.equal(answered(ann, [id!]), 1, method);
    }
  });

  test('[BND8] [CON5] a client that is not read because it asked too much is not taken for dead', async () => {
    const h = await openDoor({ requestRate: 1, pingIntervalMs: 10_000 });
    const ann = await h.connect('ann', { ttl: 86_400 });
    const ids = asked(ann, 100);
    await h.settle();
    for (let i = 0; i < 96; i++) await h.advance(1000);
    assert.deepEqual([ann.link.isDropped, answered(ann, ids)], [false, 98]);
    for (let i = 0; i < 30; i++) await h.advance(1000);
    assert.deepEqual([answered(ann, ids), ann.link.isDropped], [100, true], 'and when nothing waits any more it is');
  });

  test('[BND8] [CON6] a drain answers what was read and waits for its rate', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect();
    const ids = asked(ann, 100);
    await h.settle();
    const drained = h.door.drain();
    await h.settle();
    await drained;
    assert.deepEqual([answered(ann, ids), ann.link.closedWith?.code], [100, 1012]);
  });

  test('[BND8] [TLC4] what waits for its rate when the token ends waits for the next token', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect('ann', { ttl: 10 });
    await h.advance(9500);
    const ids = asked(ann, 4);
    await h.settle();
    await h.advance(600);
    const before = answered(ann, ids);
    assert.ok(before < 4);
    await h.advance(800);
    assert.equal(answered(ann, ids), before);
    await ann.update(h.token('ann'));
    await h.advance(5000);
    assert.deepEqual([answered(ann, ids), ann.link.isPaused], [4, false]);
  });

  test('[BND8] no timer of a connection that waits outlives it', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect();
    asked(ann, 100);
    await h.settle();
    ann.connection.closed();
    assert.equal(h.clock.pending, 1, 'only the sweeper waits');
    await h.advance(10_000);
  });
});

suite('[BND9] acknowledgements', () => {
  test('[BND9] acknowledgements cost nothing, in any form and in bursts of thousands', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect();
    const status = { code: 200, status: 'OK' };
    for (let i = 0; i < 5000; i++) {
      ann.receive(clientFrame(`TM${i}`, 'reply', { payload_type: 'application/json', status }));
      ann.receive(rawFrame('{"method":"reply","id":"TM1","payload_size":0}'));
    }
    const id = ann.request('POST', '/v3/Documents', { data: {} });
    await h.settle();
    assert.equal(ann.answerTo(id).status, 201);
    assert.deepEqual([ann.link.isOpen, ann.link.isPaused], [true, false]);
  });

  test('[BND9] a client that gets 5,000 events a second and acknowledges them late stays, and gets all', async () => {
    const h = await openDoor({ requestRate: 1000, outboxBytes: 1_048_576, pingIntervalMs: 30_000 });
    const writers = await Promise.all(Array.from({ length: 10 }, () => h.connect('writer')));
    const sids = await Promise.all(writers.map((writer) => writer.create()));
    const slow = await h.connect('slow');
    for (const sid of sids) await slow.follow(sid, 0);
    for (let round = 0; round < 20; round++) {
      for (const [i, writer] of writers.entries()) {
        for (let n = 0; n < 25; n++) writer.request('POST', `/v3/Documents/${sids[i]}`, { data: { round, n } });
      }
      await h.advance(50);
    }
    const events = slow.take();
    assert.equal(eventIds(events).length, 5000);
    for (const { id } of events) slow.receive(clientFrame(id, 'reply', { status: { code: 200, status: 'OK' } }));
    const id = slow.request('GET', `/v3/Documents/${sids[0]}`);
    await h.settle();
    assert.deepEqual([slow.answerTo(id).body['last_event_id'], slow.link.isOpen], [500, true]);
  });
});

suite('[BND10] what waits is bounded', () => {
  test('[BND10] by number: the frame after a thousand ends the connection', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect();
    for (let i = 0; i < 1002; i++) ann.send('nonsense');
    assert.equal(ann.link.isDropped, false);
    ann.send('nonsense');
    ann.send('nonsense');
    assert.equal(ann.link.isDropped, true);
    assert.ok(h.log.some(({ level, message }) => level === 'warn' && message.includes('more waits for it than may')));
  });

  test('[BND10] by bytes: a megabyte beyond the largest frame, also while the token has run out', async () => {
    for (const ttl of [10, 3600]) {
      const h = await openDoor({ requestRate: 1, maxFrameBytes: 262_144 });
      const ann = await h.connect('ann', { ttl });
      await h.advance(10_000);
      ann.send('nonsense');
      ann.send('nonsense');
      const payload = 'x'.repeat(200_000);
      for (let i = 0; i < 6; i++) ann.request('POST', '/v3/Documents', payload);
      assert.equal(ann.link.isDropped, false);
      ann.request('POST', '/v3/Documents', payload);
      assert.equal(ann.link.isDropped, true, `${ttl}`);
    }
  });

  test('[BND10] bytes that were served count no more', async () => {
    const h = await openDoor({ requestRate: 1 });
    const ann = await h.connect();
    const payload = 'x'.repeat(200_000);
    for (let i = 0; i < 4; i++) ann.request('POST', '/v3/Documents', payload);
    for (let i = 0; i < 40; i++) {
      ann.request('POST', '/v3/Documents', payload);
      await h.advance(1000);
      assert.deepEqual([ann.link.isPaused, ann.link.isDropped], [true, false]);
    }
  });
});

suite('[BND11] frames of control', () => {
  test('[BND11] fifty pings or pongs at once and ten a second are taken, one more drops the connection', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    for (let i = 0; i < 50; i++) ann.connection.control();
    for (let i = 0; i < 600; i++) {
      await h.advance(100);
      ann.connection.control();
    }
    assert.equal(ann.link.isOpen, true);
    ann.connection.control();
    assert.equal(ann.link.isDropped, true);
    assert.equal(h.door.connections, 0);
    ann.connection.control();
  });

  test('[BND11] so with pings before the init', async () => {
    const h = await openDoor();
    const client = h.open();
    for (let i = 0; i < 51; i++) client.connection.control();
    assert.equal(client.link.isDropped, true);
  });

  test('[BND11] updates of the token count as such: each costs a signature', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const ids = Array.from({ length: 50 }, () => ann.send('update', { token: h.token() }));
    await h.settle();
    assert.deepEqual(
      ids.map((id) => statusOf(ann.replyTo(id)).code),
      Array<number>(50).fill(200),
    );
    const further = ann.send('update', { token: h.token() });
    await h.settle();
    assert.deepEqual([ann.replyTo(further), ann.link.isDropped], [undefined, true]);
  });
});

test('[BND18] of what waits 32 requests are served in a turn, the rest in the next ones', async () => {
  const h = await openDoor({ maxRequests: Infinity });
  const ann = await h.connect();
  const sid = await ann.create({});
  ann.link.buffered = 100_000;
  h.storage.reads.length = 0;
  const ids = Array.from({ length: 70 }, () => ann.request('GET', `/v3/Documents/${sid}`));
  await h.settle();
  assert.equal(h.storage.reads.length, 0);
  ann.link.buffered = 0;
  ann.connection.drained();
  const served = [h.storage.reads.length];
  for (let turn = 0; turn < 2; turn++) {
    h.clock.endTurn();
    served.push(h.storage.reads.length);
  }
  assert.deepEqual(served, [32, 64, 70]);
  await h.settle();
  for (const id of ids) assert.equal(ann.answerTo(id).status, 200);
});
