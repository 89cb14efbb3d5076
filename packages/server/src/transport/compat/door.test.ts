import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { eventIds, openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import { clientFrame } from '../../../test/frame-client.ts';
import type { ServerFrame } from '../../../test/frame-client.ts';

suite('[CON5] keep-alive', () => {
  const pings = (frames: readonly ServerFrame[]): number => frames.filter(({ method }) => method === 'ping').length;
  /** Acknowledges what came; returns how many pings were among it. */
  const acknowledge = (client: Client): number => {
    const frames = client.take();
    for (const { id } of frames) client.receive(clientFrame(id, 'reply', { status: { code: 200, status: 'OK' } }));
    return pings(frames);
  };

  test('[CON5] a client that acknowledges is pinged about every interval and stays', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000 });
    const client = await h.connect('ann', { ttl: 86_400 });
    let count = 0;
    for (let i = 0; i < 360; i++) {
      await h.advance(10_000);
      count += acknowledge(client);
    }
    assert.equal(client.link.isOpen, true);
    assert.ok(count >= 100 && count <= 120, `${count} pings in an hour`);
  });

  test('[CON5] a connection from which nothing comes is dropped after two intervals and less than three', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000, initTimeoutMs: Infinity });
    const silent = await h.connect();
    const neverInit = h.open();
    await h.advance(59_999);
    assert.deepEqual([silent.link.isDropped, neverInit.link.isDropped], [false, false]);
    assert.equal(pings(silent.take()), 1);
    await h.advance(10_001);
    assert.deepEqual([silent.link.isDropped, neverInit.link.isDropped], [true, true]);
    assert.equal(h.door.connections, 0);
  });

  test('[CON5] any frame is a sign of life, and none is of use to another connection', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000 });
    const [lively, silent] = [await h.connect(), await h.connect()];
    for (let i = 0; i < 4; i++) {
      await h.advance(25_000);
      lively.send('telemetry.v1', { events: [] });
    }
    assert.deepEqual([lively.link.isOpen, silent.link.isDropped], [true, true]);
  });

  test('[CON5] what came while the process stood still counts: nobody is dropped for its own silence', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000 });
    const ann = await h.connect();
    // The timer of the look is late by minutes, as after a suspended machine or a stalled event loop.
    h.clock.skip(300_000);
    await h.settle();
    assert.equal(ann.link.isDropped, false);
    await h.advance(50_000);
    assert.equal(ann.link.isDropped, false, 'its two intervals begin anew');
    await h.advance(25_000);
    assert.equal(ann.link.isDropped, true);
  });

  test('[CON5] without an interval nobody is pinged or dropped', async () => {
    const h = await openDoor({ pingIntervalMs: Infinity });
    const client = await h.connect('ann', { ttl: 86_400 });
    await h.advance(3_600_000);
    assert.deepEqual([client.take(), client.link.isOpen], [[], true]);
  });
});

suite('[CON6] drain', () => {
  test('[CON6] open requests are answered, later ones are not read, then the connection is closed with 1012', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const sid = await ann.create();
    await ann.follow(sid);
    h.storage.commitGate.shut();
    const open = ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 1 } });
    await h.settle();
    const drained = watch(h.door.drain());
    const late = ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 2 } });
    await h.settle();
    assert.deepEqual([ann.link.isPaused, ann.link.isOpen, drained()], [true, true, false]);
    h.storage.commitGate.open();
    await h.settle();
    assert.equal(ann.answerTo(open).status, 200);
    assert.equal(ann.replyTo(late), undefined);
    assert.deepEqual(eventIds(ann.take()), [1]);
    assert.deepEqual([ann.link.closedWith?.code, drained(), h.door.connections], [1012, true, 0]);
    assert.equal(h.storage.commits.flat().length, 2);
  });

  test('[CON6] connections that say nothing or wait for a token are closed too', async () => {
    const h = await openDoor();
    const opening = h.open();
    const expired = await h.connect('ann', { ttl: 10 });
    await h.advance(10_000);
    expired.request('GET', '/v3/Documents/x');
    const drained = watch(h.door.drain());
    await h.settle();
    assert.deepEqual([opening.link.closedWith?.code, expired.link.closedWith?.code, drained()], [1012, 1012, true]);
    assert.equal(expired.frames.filter(({ method }) => method === 'reply').length, 1, 'only the init is answered');
  });

  test('[CON6] a request that storage never answers delays the drain by half of its time at most', async () => {
    const h = await openDoor({ drainMs: 4000 });
    const ann = await h.connect();
    h.storage.commitGate.shut();
    ann.request('POST', '/v3/Documents', {});
    await h.settle();
    const drained = watch(h.door.drain());
    await h.advance(1999);
    assert.equal(ann.link.isOpen, true);
    await h.advance(1);
    assert.deepEqual([ann.link.closedWith?.code, drained()], [1012, true]);
  });

  test('[CON6] a client that goes away while it is drained is not waited for', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    h.storage.commitGate.shut();
    ann.request('POST', '/v3/Documents', {});
    await h.settle();
    const drained = watch(h.door.drain());
    ann.connection.closed();
    await h.settle();
    assert.equal(drained(), true);
  });

  test('[CON6] a crowd is closed in turns that are spread over the rest of the window', async () => {
    const h = await openDoor({ drainMs: 4000 });
    const crowd = (await Promise.all(Array.from({ length: 2000 }, () => h.connect()))).map(({ link }) => link);
    const closed = (): number => crowd.filter(({ closedWith }) => closedWith?.code === 1012).length;
    const drained = watch(h.door.drain());
    await h.settle();
    const steps = [closed()];
    for (let i = 0; i < 20; i++) {
      await h.advance(100);
      steps.push(closed());
    }
    assert.ok(steps[0]! > 0 && steps[0]! <= 100, `${steps[0]} at once`);
    assert.ok(steps.every((count, i) => count - (steps[i - 1] ?? 0) <= 100));
    assert.equal(closed(), 2000, 'all within the half of the window that is for closing');
    assert.equal(drained(), true);
    assert.equal(h.door.connections, 0);
  });

  test('[CON6] with a window of 0 everything is closed at once', async () => {
    const h = await openDoor({ drainMs: 0 });
    const clients = await Promise.all(Array.from({ length: 200 }, () => h.connect()));
    const drained = watch(h.door.drain());
    await h.settle();
    assert.ok(clients.every(({ link }) => link.closedWith?.code === 1012));
    assert.equal(drained(), true);
  });

  test('[OPS3] a drain of nobody is done at once, and leaves no timer but the sweeper', async () => {
    const h = await openDoor({ pingIntervalMs: 30_000 });
    const ann = await h.connect();
    ann.send('close');
    const drained = watch(h.door.drain());
    await h.settle();
    assert.deepEqual([drained(), h.clock.pending], [true, 1]);
  });
});

suite('[BND1] [BND2] slow readers', () => {
  const kilobyte = 'x'.repeat(1000);

  const slowAndQuick = async (
    outboxBytes = Infinity,
  ): Promise<{ h: Harness; ann: Client; slow: Client; quick: Client; sids: readonly string[] }> => {
    const h = await openDoor({ outboxBytes, pingIntervalMs: 30_000 });
    const [ann, slow, quick] = [await h.connect('ann'), await h.connect('slow'), await h.connect('quick')];
    const sids = [await ann.create(), await ann.create()];
    for (const sid of sids) {
      await slow.follow(sid, 0);
      await quick.follow(sid, 0);
    }
    slow.link.isReading = false;
    return { h, ann, slow, quick, sids };
  };

  test('[BND1] of what a client does not read only the latest of each document waits; then it comes, in order', async () => {
    const { h, ann, slow, quick, sids } = await slowAndQuick(1_048_576);
    const [x = '', y = ''] = sids;
    for (let n = 1; n <= 1000; n++) await ann.write(n % 2 === 0 ? x : y, { n, kilobyte });
    const before = eventIds(slow.take());
    assert.ok(before.length > 30 && before.length < 80, `${before.length} events fill the socket`);
    assert.ok(slow.link.buffered < 65_536 + 2048);
    assert.equal(slow.link.isOpen, true);
    const id = slow.request('GET', `/v3/Documents/${x}`);
    await h.settle();
    assert.equal(slow.replyTo(id), undefined);

    slow.link.buffered = 0;
    slow.link.isReading = true;
    slow.connection.drained();
    assert.deepEqual(eventIds(slow.take()), [500, 500]);
    await h.settle();
    assert.equal(slow.answerTo(id).status, 200);
    slow.take();
    await ann.write(x, { n: 1001 });
    assert.deepEqual(eventIds(slow.take()), [501]);
    assert.deepEqual(eventIds(quick.take()).length, 1001);
  });

  test('[BND1] [BND3] [CON5] a client that asks and does not read is not read either, and cut when it stays silent', async () => {
    const { h, ann, slow, sids } = await slowAndQuick(200_000);
    await ann.write(sids[0]!, { kilobyte });
    for (let i = 0; i < 500; i++) {
      slow.request('GET', `/v3/Documents/${sids[0]}`);
      await h.settle();
    }
    assert.deepEqual([slow.link.isDropped, slow.link.isPaused], [false, true]);
    const sent = slow.link.writes.flat().reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(sent < 100_000, `${sent} bytes`);
    await h.advance(70_000);
    assert.equal(slow.link.isDropped, true);
  });

  test('[BND1] a client that goes on asking in spite of that is cut', async () => {
    const { h, slow, sids } = await slowAndQuick(200_000);
    slow.link.buffered = 100_000;
    for (let i = 0; i < 1001; i++) slow.request('GET', `/v3/Documents/${sids[0]}`);
    assert.equal(slow.link.isDropped, true);
    assert.equal(h.door.connections, 2);
    const back = await h.connect('slow');
    back.subscribe([{ object_sid: sids[0], last_event_id: 0 }]);
    await h.settle();
    assert.deepEqual(eventIds(back.take()), []);
  });

  test('[BND2] a slow reader that is cut in the middle of a delivery costs nobody an event', async () => {
    const h = await openDoor({ outboxBytes: 65_536 });
    const ann = await h.connect('ann');
    const sids: string[] = [];
    for (let i = 0; i < 80; i++) sids.push(await ann.create());
    const clients: Client[] = [];
    for (let i = 0; i < 5; i++) clients.push(await h.connect('ben'));
    for (const client of clients) {
      client.subscribe(sids.map((sid) => ({ object_sid: sid, last_event_id: 0 })));
      await h.settle();
      client.take();
    }
    const slow = clients[2]!;
    slow.link.buffered = 100_000;
    for (const sid of sids) ann.request('POST', `/v3/Documents/${sid}`, { data: { kilobyte } });
    await h.settle();
    assert.equal(slow.link.isDropped, true);
    for (const client of clients) {
      if (client !== slow) assert.deepEqual(eventIds(client.take()), Array<number>(80).fill(1));
    }
  });

  test('[BND1] a client that reads is not cut for what comes in one turn', async () => {
    const h = await openDoor({ outboxBytes: 65_536 });
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const sids: string[] = [];
    for (let i = 0; i < 200; i++) sids.push(await ann.create());
    ben.subscribe(sids.map((sid) => ({ object_sid: sid, last_event_id: 0 })));
    await h.settle();
    ben.take();
    for (const sid of sids) ann.request('POST', `/v3/Documents/${sid}`, { data: { kilobyte } });
    await h.settle();
    assert.equal(ben.link.isOpen, true);
    assert.deepEqual(eventIds(ben.take()), Array<number>(200).fill(1));
  });

  test('[BND1] [SUB7] a client that missed more than may wait gets it in parts, as fast as it reads', async () => {
    const h = await openDoor({ outboxBytes: 65_536 });
    const ann = await h.connect('ann');
    const sids: string[] = [];
    for (let i = 0; i < 40; i++) sids.push(await ann.create({ text: 'x'.repeat(16_000) }));
    const ben = await h.connect('ben');
    ben.link.isReading = false;
    ben.subscribe(sids.map((sid) => ({ object_sid: sid, last_event_id: -1 })));
    await h.settle();
    await ann.write(sids[39]!, { n: 1 });
    for (let i = 0; i < 40 && ben.link.buffered > 0; i++) {
      assert.ok(ben.link.buffered < 3 * 65_536, `${ben.link.buffered} bytes wait in the socket`);
      ben.link.buffered = 0;
      ben.connection.drained();
      await h.settle();
    }
    assert.equal(ben.link.isOpen, true);
    const ids = eventIds(ben.take());
    assert.deepEqual(ids, [...Array<number>(39).fill(0), 1]);
    await ann.write(sids[0]!, { n: 2 });
    ben.link.buffered = 0;
    ben.connection.drained();
    assert.deepEqual(eventIds(ben.take()), [1]);
  });

  test('[BND1] a removal takes the place of the updates before it', async () => {
    const { ann, slow, sids } = await slowAndQuick();
    slow.link.buffered = 100_000;
    await ann.write(sids[0]!, { n: 1 });
    await ann.call('DELETE', `/v3/Documents/${sids[0]}`);
    slow.link.buffered = 0;
    slow.connection.drained();
    assert.deepEqual(eventIds(slow.take()), ['removed 2']);
  });
});

/** Whether a promise has been fulfilled, as far as one has looked. */
function watch(promise: Promise<unknown>): () => boolean {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  return () => isDone;
}
