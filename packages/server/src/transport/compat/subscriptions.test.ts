import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { documentSid, otherService } from '../../../test/commands.ts';
import { eventIds, notifications, openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import type { Fields, ServerFrame } from '../../../test/frame-client.ts';

suite('[SUB1] handing over without a gap', () => {
  for (const [moment, gate] of [
    ['before the state is read', 'readGate'],
    ['after the state was read', 'answerGate'],
  ] as const) {
    test(`[SUB1] events that happen ${moment} reach the subscriber once, in order`, async () => {
      const { h, ann, ben, sid } = await pair({ n: 0 });
      await ann.write(sid, { n: 1 });
      h.storage[gate].shut();
      ben.subscribe([{ object_sid: sid, last_event_id: 0 }]);
      await h.settle();
      await ann.write(sid, { n: 2 });
      await ann.write(sid, { n: 3 });
      assert.deepEqual(outcomesAndEvents(ben.take()), ['202']);
      h.storage[gate].open();
      await h.settle();
      const expected = gate === 'readGate' ? [3, 'established 3'] : [1, 'established 1', 3];
      assert.deepEqual(outcomesAndEvents(ben.take()), expected);
      await ann.write(sid, { n: 4 });
      assert.deepEqual(outcomesAndEvents(ben.take()), [4]);
    });

    test(`[SUB1] a removal ${moment} ends the subscription`, async () => {
      const { h, ann, ben, sid } = await pair();
      h.storage[gate].shut();
      ben.subscribe([{ object_sid: sid, last_event_id: 0 }]);
      await h.settle();
      ann.request('DELETE', `/v3/Documents/${sid}`);
      await h.settle();
      h.storage[gate].open();
      await h.settle();
      const expected = gate === 'readGate' ? ['failed 404 54100'] : ['established 0', 'removed 1'];
      assert.deepEqual(outcomesAndEvents(ben.take()).slice(1), expected);
      assert.equal(h.engine.hub.followedObjects, 0);
    });
  }

  test('[SUB1] a subscriber without position starts with what comes after', async () => {
    const { h, ann, ben, sid } = await pair();
    await ann.write(sid, { n: 1 });
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, last_event_id: null }]);
    await h.settle();
    await ann.write(sid, { n: 2 });
    h.storage.answerGate.open();
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', 'established 1', 2]);
  });

  test('[SUB1] a client that goes away while its state is read leaves nothing behind', async () => {
    const { h, ann, ben, sid } = await pair();
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }]);
    await h.settle();
    ben.connection.closed();
    h.storage.answerGate.open();
    await h.settle();
    assert.equal(h.engine.hub.followedObjects, 0);
    await ann.write(sid, { n: 1 });
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202']);
  });

  test('[SUB1] a subscriber whose state cannot be read is dropped, to come back', async () => {
    const { h, ben, sid } = await pair();
    h.storage.readError = new Error('no reader');
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202']);
    assert.equal(ben.link.isDropped, true);
    assert.equal(h.engine.hub.followedObjects, 0);
  });
});

suite('[SUB2] positions', () => {
  test('[SUB2] an older position gets one event with the present state, marked as replay; the present one none', async () => {
    const { h, ann, ben, sid } = await pair({ n: 0 });
    await ann.write(sid, { n: 1 });
    await ann.write(sid, { n: 2 });
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }], { correlation_id: 4711 });
    await h.settle();
    const [, replay, outcome, ...more] = ben.take();
    assert.equal(more.length, 0);
    assert.equal(replay?.header['message_type'], 'twilio.sync.event');
    assert.equal(replay?.payload?.['correlation_id'], 4711);
    const { id, document_data: data, document_revision: revision } = replay.payload['event'] as Fields;
    assert.deepEqual([id, data, revision], [2, { n: 2 }, '2']);
    assert.equal(outcome?.payload?.['correlation_id'], 4711);
    ben.subscribe([{ object_sid: sid, last_event_id: 2 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', 'established 2']);
  });

  test('[SUB7] a client that was away ends equal to the store, whatever it missed', async () => {
    const { h, ann, ben, sid } = await pair({ n: 0 });
    await ben.follow(sid, 0);
    await ann.write(sid, { n: 1 });
    assert.deepEqual(eventIds(ben.take()), [1]);
    ben.connection.drop();
    const removed = await ann.create({});
    for (let n = 2; n <= 5; n++) await ann.write(sid, { n });
    await ann.call('DELETE', `/v3/Documents/${removed}`);
    const back = await h.connect('ben');
    back.subscribe([
      { object_sid: sid, last_event_id: 1 },
      { object_sid: removed, last_event_id: 0 },
    ]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(back.take()), ['202', 5, 'established 5', 'failed 404 54100']);
    await ann.write(sid, { n: 6 });
    assert.deepEqual(eventIds(back.take()), [6]);
  });

  test('[SUB7] a position ahead of the object is mended with the present state', async () => {
    const { h, ann, ben, sid } = await pair();
    ben.subscribe([{ object_sid: sid, last_event_id: 99 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', 0, 'established 0']);
    await ann.write(sid, {});
    assert.deepEqual(eventIds(ben.take()), [1]);
  });
});

suite('[SUB3] [SUB4] [SUB5] [SUB6] requests', () => {
  test('[SUB3] what does not exist, has run out, or belongs to another service cannot be followed', async () => {
    const { h, ann, ben, sid } = await pair();
    const stranger = await h.connect('eve', { service: otherService });
    const short = await ann.create({}, { ttl: 1 });
    h.clock.at += 1000;
    ben.subscribe([
      { object_sid: documentSid(1_000_000) },
      { object_sid: short },
      { object_sid: 'nonsense' },
      { object_sid: '' },
    ]);
    stranger.subscribe([{ object_sid: sid, last_event_id: null }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', ...Array<string>(4).fill('failed 404 54100')]);
    assert.deepEqual(outcomesAndEvents(stranger.take()), ['202', 'failed 404 54100']);
    await ann.write(sid, { secret: 1 });
    assert.deepEqual(stranger.take(), []);
    assert.equal(h.engine.hub.followedObjects, 0);
  });

  test('[SUB4] of two requests for one object only the newer has an outcome', async () => {
    const { h, ann, ben, sid } = await pair();
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }], { correlation_id: 1 });
    await h.settle();
    await ann.write(sid, { n: 1 });
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }], { correlation_id: 2 });
    await h.settle();
    ben.take();
    h.storage.answerGate.open();
    await h.settle();
    const frames = ben.take();
    assert.deepEqual(outcomesAndEvents(frames), [1, 'established 1']);
    assert.deepEqual(
      notifications(frames).map((payload) => payload['correlation_id']),
      [2, 2],
    );
    await ann.write(sid, { n: 2 });
    assert.deepEqual(eventIds(ben.take()), [2]);
  });

  test('[SUB4] a cancel silences the request before it, and one after it counts again', async () => {
    const { h, ann, ben, sid } = await pair();
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, last_event_id: 0 }]);
    await h.settle();
    ben.subscribe([{ object_sid: sid }], { action: 'cancel' });
    await h.settle();
    h.storage.answerGate.open();
    await h.settle();
    await ann.write(sid, { n: 1 });
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', '202', 'canceled']);
    assert.equal(h.engine.hub.followedObjects, 0);
    await ben.follow(sid, 1);
    await ann.write(sid, { n: 2 });
    assert.deepEqual(eventIds(ben.take()), [2]);
  });

  test('[SUB4] asking again for a live subscription neither loses nor repeats an event', async () => {
    const { h, ann, ben, sid } = await pair();
    await ben.follow(sid, 0);
    await ann.write(sid, { n: 1 });
    h.storage.readGate.shut();
    ben.subscribe([{ object_sid: sid, last_event_id: 1 }]);
    await h.settle();
    await ann.write(sid, { n: 2 });
    h.storage.readGate.open();
    await h.settle();
    await ann.write(sid, { n: 3 });
    assert.deepEqual(outcomesAndEvents(ben.take()), [1, '202', 2, 'established 2', 3]);
  });

  test('[SUB5] beyond the bound each object too many is refused, those that are followed stay', async () => {
    const h = await openDoor({ maxSubscriptions: 2 });
    const ann = await h.connect();
    const sids = [await ann.create(), await ann.create(), await ann.create(), await ann.create()];
    ann.take();
    ann.subscribe(sids.map((sid) => ({ object_sid: sid, last_event_id: 0 })));
    await h.settle();
    const full = ['failed 429 54419', 'failed 429 54419'];
    assert.deepEqual(outcomesAndEvents(ann.take()), ['202', ...full, 'established 0', 'established 0']);
    ann.subscribe([{ object_sid: sids[0], last_event_id: 0 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ann.take()), ['202', 'established 0'], 'asking again takes no room');
    ann.subscribe([{ object_sid: sids[0] }], { action: 'cancel' });
    ann.subscribe([{ object_sid: sids[3], last_event_id: 0 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ann.take()), ['202', 'canceled', '202', 'established 0']);
    await ann.call('DELETE', `/v3/Documents/${sids[3]}`);
    ann.take();
    ann.subscribe([{ object_sid: sids[2], last_event_id: 0 }]);
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ann.take()), ['202', 'established 0'], 'a removed object frees its room');
  });

  test('[SUB6] a cancel is answered, also for what is gone or was never followed', async () => {
    const { h, ann, ben, sid } = await pair();
    await ben.follow(sid);
    await ann.call('DELETE', `/v3/Documents/${sid}`);
    ben.take();
    ben.subscribe([{ object_sid: sid }, { object_sid: documentSid(1_000_001) }], { action: 'cancel' });
    await h.settle();
    assert.deepEqual(outcomesAndEvents(ben.take()), ['202', 'canceled', 'canceled']);
  });

  test('[SUB6] after a cancel no event follows', async () => {
    const { h, ann, ben, sid } = await pair();
    await ben.follow(sid);
    ben.subscribe([{ object_sid: sid }], { action: 'cancel' });
    await h.settle();
    ben.take();
    await ann.write(sid, {});
    assert.deepEqual(ben.take(), []);
    assert.equal(h.engine.hub.followedObjects, 0);
  });

  test('[CON11] a subscription request that is not one is refused', async () => {
    const { h, ben } = await pair();
    const good = { event_protocol_version: 4, action: 'establish', correlation_id: 1, requests: [] };
    const entry = { object_sid: documentSid(1), object_type: 'document' };
    const bad: readonly unknown[] = [
      '',
      '[]',
      'data_sync',
      { ...good, action: 'remove' },
      { ...good, event_protocol_version: 5 },
      { ...good, correlation_id: '1' },
      { ...good, requests: {} },
      { ...good, requests: [7] },
      { ...good, requests: [{ object_sid: documentSid(1) }] },
      { ...good, requests: [{ ...entry, last_event_id: '0' }] },
      { ...good, requests: Array.from({ length: 1001 }, () => entry) },
    ];
    for (const body of bad) assert.equal((await ben.call('POST', '/v4/Subscriptions', body)).status, 400);
    ben.take();
    await h.settle();
    assert.deepEqual(ben.take(), []);
    const answered = await ben.call('POST', '/v4/Subscriptions', {
      ...good,
      requests: Array.from({ length: 1000 }, () => entry),
    });
    assert.equal(answered.status, 202);
    assert.ok(Number(answered.body['estimated_delivery_in_ms']) > 0);
    assert.ok(Number(answered.body['max_batch_size']) > 0);
    assert.equal(answered.body['ttl_in_s'], undefined);
  });
});

suite('[CON13] event protocols', () => {
  test('[CON13] protocol 4 groups outcomes in events, at most 100 a notification', async () => {
    const { h, ben } = await pair();
    for (let i = 0; i < 150; i++) ben.request('POST', '/v3/Documents', {});
    await h.settle();
    const created = ben.take().map(({ payload }) => ({ object_sid: payload?.['sid'], last_event_id: 0 }));
    ben.subscribe([...created, { object_sid: documentSid(1_000_000) }]);
    await h.settle();
    const payloads = notifications(ben.take());
    assert.deepEqual(
      payloads.map(({ event_type: type, events }) => [type, (events as readonly Fields[]).length]),
      [
        ['subscription_established', 100],
        ['subscription_established', 50],
        ['subscription_failed', 1],
      ],
    );
    assert.ok(payloads.every((payload) => !('event' in payload) && payload['event_protocol_version'] === 4));
  });

  test('[CON13] protocol 3 tells every outcome alone, in event', async () => {
    const { h, ann, ben, sid } = await pair();
    const other = await ann.create();
    const three = { event_protocol_version: 3 };
    ben.subscribe([{ object_sid: sid }, { object_sid: other }, { object_sid: documentSid(1_000_000) }], three);
    ben.subscribe([{ object_sid: sid }, { object_sid: other }], { ...three, action: 'cancel' });
    ben.subscribe([{ object_sid: sid }], three);
    await h.settle();
    await ann.write(sid, {});
    const payloads = notifications(ben.take());
    assert.deepEqual(
      payloads.map((payload) => payload['event_type']),
      [
        'subscription_canceled',
        'subscription_canceled',
        'subscription_failed',
        'subscription_established',
        'document_updated',
      ],
    );
    assert.ok(payloads.every((payload) => !('events' in payload) && typeof payload['event'] === 'object'));
    assert.ok(payloads.slice(0, 4).every((payload) => payload['event_protocol_version'] === 3));
    const established = payloads[3]?.['event'] as Fields;
    assert.deepEqual(
      [established['object_sid'], established['replay_status'], established['last_event_id']],
      [sid, 'completed', 0],
    );
  });
});

suite('[EVT2] [EVT4] delivery', () => {
  test('[EVT4] an event is encoded once: every subscriber gets the same message', async () => {
    const { h, ann, sid } = await pair();
    const clients: Client[] = [];
    for (let i = 0; i < 20; i++) clients.push(await h.connect(`reader ${i}`));
    for (const client of clients) await client.follow(sid);
    await ann.write(sid, { n: 1 });
    const last = clients.map((client) => client.link.writes.at(-1)?.[0]);
    assert.deepEqual(eventIds(clients[0]!.take()), [1]);
    assert.ok(last.every((message) => message !== undefined && message === last[0]));
  });

  test('[EVT4] two subscribers in different message types get one encoding each', async () => {
    const { h, ann, sid } = await pair();
    const general = { registrations: [{ message_types: ['twilio.sync.event'] }] };
    const clients = [
      await h.connect(),
      await h.connect('x', {}, general),
      await h.connect(),
      await h.connect('x', {}, general),
    ];
    for (const client of clients) await client.follow(sid);
    await ann.write(sid, { n: 1 });
    const [a, b, c, d] = clients.map((client) => client.link.writes.at(-1)?.[0]);
    assert.ok(a !== undefined && b !== undefined && a !== b);
    assert.deepEqual([a === c, b === d], [true, true]);
  });

  test('[EVT2] events of many writers reach every subscriber once, in order', async () => {
    const { h, ann, ben, sid } = await pair();
    const cem = await h.connect('cem');
    for (const client of [ann, ben, cem]) await client.follow(sid, 0);
    for (let turn = 0; turn < 10; turn++) {
      for (const client of [ann, ben, cem]) client.request('POST', `/v3/Documents/${sid}`, { data: { turn } });
      await h.settle();
    }
    const expected = Array.from({ length: 30 }, (_, i) => i + 1);
    for (const client of [ann, ben, cem]) assert.deepEqual(eventIds(client.take()), expected);
  });

  test('[EVT2] a ttl that changes is told to nobody, a removal once', async () => {
    const { ann, ben, sid } = await pair();
    await ben.follow(sid);
    await ann.call('POST', `/v3/Documents/${sid}`, { ttl: 60 });
    assert.deepEqual(ben.take(), []);
    await ann.call('DELETE', `/v3/Documents/${sid}`);
    assert.deepEqual(eventIds(ben.take()), ['removed 1']);
  });
});

async function pair(data: Fields = {}): Promise<{ h: Harness; ann: Client; ben: Client; sid: string }> {
  const h = await openDoor();
  const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
  return { h, ann, ben, sid: await ann.create(data) };
}

/** What a subscriber hears: `'202'`, event ids, and each outcome with its position or its refusal. */
function outcomesAndEvents(frames: readonly ServerFrame[]): readonly (string | number)[] {
  return frames.flatMap((frame) => {
    if (frame.method === 'reply') return String((frame.header['http_status'] as Fields)['code']);
    const { event_type: type, events, event } = frame.payload ?? {};
    if (!String(type).startsWith('subscription_')) return eventIds([frame]);
    return ((events ?? [event]) as readonly Fields[]).map((entry) => {
      const { status, code } = (entry['error'] ?? {}) as { readonly status?: number; readonly code?: number };
      const position = entry['last_event_id'] as number | undefined;
      const what = position ?? (status === undefined ? '' : `${status} ${code}`);
      return `${String(type).slice('subscription_'.length)} ${what}`.trim();
    });
  });
}
