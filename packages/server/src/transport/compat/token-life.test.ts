import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { otherService } from '../../../test/commands.ts';
import { eventIds, openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import { statusOf } from '../../../test/frame-client.ts';

suite('[TLC1] the notice', () => {
  /** Seconds after the connect at which notices come, until the connection ends. */
  const timeline = async (
    ttl: number,
    onNotice?: (h: Harness, client: Client) => Promise<void>,
  ): Promise<readonly number[]> => {
    const h = await openDoor();
    const start = h.clock.at;
    const client = await h.connectAndKeep('ann', { ttl });
    const notices: number[] = [];
    for (let second = 0; second <= 3600 && client.link.isOpen && !client.link.isDropped; second++) {
      for (const frame of client.take()) {
        if (frame.method !== 'client_update') continue;
        assert.equal(frame.header['client_update_type'], 'token_about_to_expire');
        notices.push((h.clock.at - start) / 1000);
        await onNotice?.(h, client);
      }
      await h.advance(1000);
    }
    return notices;
  };

  test('[TLC1] a token of an hour is announced once, 240 s before its end', async () => {
    assert.deepEqual(await timeline(3600), [3360]);
  });

  test('[TLC1] a short token is announced at once, and once more when half of it is gone', async () => {
    assert.deepEqual(await timeline(200), [0, 100]);
    assert.deepEqual(await timeline(20), [0, 10]);
  });

  for (const ttl of [20, 200]) {
    test(`[TLC1] a client that renews for ${ttl} s on each notice is told every ${ttl / 2} s, not in a loop`, async () => {
      const notices = await timeline(ttl, async (h, client) => {
        assert.equal(statusOf(await client.update(h.token('ann', { ttl }))).code, 200);
      });
      const expected = Array.from({ length: Math.floor(3600 / (ttl / 2)) + 1 }, (_, n) => (n * ttl) / 2);
      assert.deepEqual(notices, expected);
    });
  }

  test('[TLC1] after an update with a long token the notice comes 240 s before its end', async () => {
    const h = await openDoor();
    const client = await h.connect('ann', { ttl: 20 });
    await client.update(h.token('ann', { ttl: 3600 }));
    client.take();
    await h.advance(3_359_999);
    assert.deepEqual(client.take(), []);
    await h.advance(1);
    assert.deepEqual(
      client.take().map(({ method }) => method),
      ['client_update'],
    );
  });

  test('[TLC1] a client that did not ask for notices gets none', async () => {
    const h = await openDoor();
    const client = await h.connect('ann', { ttl: 20 }, { capabilities: ['offline_storage'] });
    await h.advance(15_000);
    assert.deepEqual(client.take(), []);
  });

  test('[TLC1] the notice at init comes after the reply', async () => {
    const h = await openDoor();
    const client = h.open();
    await client.init(h.token('ann', { ttl: 20 }));
    await h.advance(0);
    assert.deepEqual(
      client.take().map(({ method }) => method),
      ['reply', 'client_update'],
    );
  });
});

suite('[TLC2] [TLC3] updates', () => {
  test('[TLC2] a valid update keeps the connection and its subscriptions past the end of the first token', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', { ttl: 60 });
    const ben = await h.connect('ben');
    const sid = await ben.create();
    await ann.follow(sid);
    await h.advance(59_000);
    assert.deepEqual(statusOf(await ann.update(h.token('ann', { ttl: 3600, key: 2 }))), { code: 200, status: 'OK' });
    await h.advance(600_000);
    ann.take();
    await ben.write(sid, { n: 1 });
    assert.deepEqual(eventIds(ann.take()), [1]);
    assert.equal((await ann.call('GET', `/v3/Documents/${sid}`)).status, 200);
  });

  test('[TLC2] the times of the newest token count, also when it ends earlier', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', { ttl: 3600 });
    await ann.update(h.token('ann', { ttl: 10 }));
    await h.advance(11_000);
    assert.equal(ann.link.isDropped, true);
  });

  test('[TLC3] a refused update is answered 401, then the connection is closed', async () => {
    const h = await openDoor();
    const expired = h.token('ann', { ttl: 1 });
    await h.advance(1000);
    for (const [token, code] of [
      ['', 20101],
      [expired, 20104],
      [h.token('ann', { service: `IS${'9'.repeat(32)}` }), 54050],
    ] as const) {
      const ann = await h.connect('ann');
      const reply = await ann.update(token);
      const { code: outer, status, errorCode } = statusOf(reply);
      assert.deepEqual([outer, status, errorCode], [401, 'UNAUTHORIZED', code]);
      assert.equal(ann.link.closedWith?.code, 1008);
    }
    assert.equal(h.door.connections, 0);
  });

  test('[TLC3] a token of another identity or service sends the client away to come back', async () => {
    const h = await openDoor();
    for (const token of [h.token('ben'), h.token('ann', { service: otherService })]) {
      const ann = await h.connect('ann');
      assert.equal(await ann.update(token), undefined);
      const [frame, ...more] = ann.take();
      assert.deepEqual([frame?.method, more.length], ['close', 0]);
      const { code, status, errorCode } = statusOf(frame);
      assert.deepEqual([code, status, errorCode], [308, 'UPDATE_IS_FORBIDDEN', 51232]);
      assert.equal(ann.link.closedWith?.code, 1008);
    }
  });
});

suite('[TLC4] the end of the token', () => {
  const expiring = async (): Promise<{ h: Harness; ann: Client; ben: Client; sid: string }> => {
    const h = await openDoor();
    const ann = await h.connect('ann', { ttl: 60 });
    const ben = await h.connect('ben');
    const sid = await ben.create({ n: 0 });
    await ann.follow(sid, 0);
    await h.advance(59_999);
    ann.take();
    return { h, ann, ben, sid };
  };

  test('[TLC4] up to the end everything is delivered and answered, from then on nothing', async () => {
    const { h, ann, ben, sid } = await expiring();
    await ben.write(sid, { n: 1 });
    assert.deepEqual(eventIds(ann.take()), [1]);
    await h.advance(1);
    await ben.write(sid, { n: 2 });
    ann.request('GET', `/v3/Documents/${sid}`);
    ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 99 } });
    ann.send('put_notification_ctx', {}, '{}');
    ann.send('nonsense');
    await h.advance(999);
    assert.deepEqual(ann.take(), []);
    assert.deepEqual((await ben.call('GET', `/v3/Documents/${sid}`)).body['data'], { n: 2 });
  });

  test('[TLC4] a second later the connection is dropped without a word, and nothing held back was done', async () => {
    const { h, ann, ben, sid } = await expiring();
    await h.advance(1);
    ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 99 } });
    await h.advance(999);
    assert.equal(ann.link.isDropped, false);
    await h.advance(1);
    assert.deepEqual([ann.link.isDropped, ann.link.closedWith], [true, undefined]);
    assert.deepEqual(ann.take(), []);
    assert.equal(h.door.connections, 1);
    assert.equal(h.engine.hub.followedObjects, 0);
    assert.deepEqual((await ben.call('GET', `/v3/Documents/${sid}`)).body['data'], { n: 0 });
  });

  test('[TLC4] an update within the second lets follow all that was held back', async () => {
    const { h, ann, ben, sid } = await expiring();
    await h.advance(1);
    await ben.write(sid, { n: 1 });
    await ben.write(sid, { n: 2 });
    const read = ann.request('GET', `/v3/Documents/${sid}`);
    const write = ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 3 } });
    const odd = ann.send('nonsense');
    await h.advance(999);
    assert.deepEqual(statusOf(await ann.update(h.token('ann'))), { code: 200, status: 'OK' });
    assert.deepEqual([ann.answerTo(read).status, ann.answerTo(write).status], [200, 200]);
    assert.equal(statusOf(ann.replyTo(odd)).code, 400);
    assert.deepEqual(eventIds(ann.take()), [2, 3], 'the latest of what was missed, then the own one');
    await h.advance(60_000);
    await ben.write(sid, { n: 4 });
    assert.deepEqual(eventIds(ann.take()), [4]);
    assert.equal(ann.link.isOpen, true);
  });

  test('[TLC4] an answer under way at the end is held back too', async () => {
    const { h, ann, ben, sid } = await expiring();
    h.storage.commitGate.shut();
    const write = ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 1 } });
    await h.settle();
    await h.advance(1);
    h.storage.commitGate.open();
    await h.settle();
    assert.deepEqual(ann.take(), []);
    assert.deepEqual((await ben.call('GET', `/v3/Documents/${sid}`)).body['data'], { n: 1 });
    await ann.update(h.token('ann'));
    assert.equal(ann.answerTo(write).status, 200);
  });

  test('[TLC4] what waited to be sent at the end stays back, also when the socket drains', async () => {
    const { h, ann, ben, sid } = await expiring();
    ann.link.buffered = 100_000;
    await ben.write(sid, { n: 1 });
    await h.advance(1);
    ann.link.buffered = 0;
    ann.connection.drained();
    await h.settle();
    assert.deepEqual(ann.take(), []);
  });

  test('[TLC4] a refused update within the second is answered, and nothing else comes out', async () => {
    const { h, ann, ben, sid } = await expiring();
    await h.advance(1);
    await ben.write(sid, { n: 1 });
    assert.equal(statusOf(await ann.update('abc')).code, 401);
    assert.equal(ann.take().length, 1);
    const other = await expiring();
    await other.h.advance(1);
    await other.ben.write(other.sid, { n: 1 });
    await other.ann.update(other.h.token('eve'));
    assert.deepEqual(
      other.ann.take().map(({ method }) => method),
      ['close'],
    );
  });

  test('[TLC4] no timer of a connection outlives it', async () => {
    const { h, ann, ben } = await expiring();
    ann.connection.closed();
    ben.send('close');
    assert.equal(h.clock.pending, 1, 'only the sweeper waits');
  });
});
