import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { otherService } from '../../../test/commands.ts';
import { notifications, openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import type { Fields } from '../../../test/frame-client.ts';

const stuck = 65_537;

suite('[SUB11] messages of streams', () => {
  test('[SUB11] a message as subscribers get it, in the general type', async () => {
    const { h, ann, ben, sid } = await pair();
    await follow(h, ben, sid);
    const { body } = await ann.call('POST', `/v3/Streams/${sid}/Messages`, { data: { x: 1 } });
    const frames = ben.take();
    assert.deepEqual(
      frames.map(({ header }) => header['message_type']),
      ['twilio.sync.event'],
    );
    const created = new Date(h.clock.now()).toISOString();
    assert.deepEqual(notifications(frames), [
      {
        event_type: 'stream_message_published',
        event: { stream_sid: sid, message_sid: body['sid'], message_data: { x: 1 }, date_created: created },
      },
    ]);
    await ann.call('DELETE', `/v3/Streams/${sid}`);
    assert.deepEqual(
      notifications(ben.take()).map(({ event_type: type, event }) => [type, (event as Fields)['stream_sid']]),
      [['stream_removed', sid]],
    );
    assert.equal(h.engine.hub.followedObjects, 0);
  });

  test('[SUB11] nothing is told again, and the outcome has no position', async () => {
    const { h, ann, ben, sid } = await pair();
    await publish(ann, sid, 1);
    ben.subscribe([{ object_sid: sid, object_type: 'stream', last_event_id: null }]);
    await h.settle();
    const payloads = notifications(ben.take());
    assert.deepEqual(payloads[0]?.['events'], [
      { object_sid: sid, object_type: 'stream', replay_status: 'completed', last_event_id: -1 },
    ]);
    assert.equal(payloads.length, 1);
    await publish(ann, sid, 2);
    await publish(ann, sid, 3);
    assert.deepEqual(messages(ben), [2, 3]);
  });

  test('[SUB11] asking again for a live subscription loses and repeats no message', async () => {
    const { h, ann, ben, sid } = await pair();
    await follow(h, ben, sid);
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, object_type: 'stream', last_event_id: null }]);
    await h.settle();
    await publish(ann, sid, 1);
    h.storage.answerGate.open();
    await h.settle();
    await publish(ann, sid, 2);
    assert.deepEqual(messages(ben), [1, 2]);
  });

  test('[SUB11] nobody hears a stream of another service, not even while it is looked up', async () => {
    const { h, ann, sid } = await pair();
    const eve = await h.connect('eve', { service: otherService });
    h.storage.answerGate.shut();
    eve.subscribe([{ object_sid: sid, object_type: 'stream', last_event_id: null }]);
    await h.settle();
    await publish(ann, sid, 1);
    h.storage.answerGate.open();
    await h.settle();
    await publish(ann, sid, 2);
    assert.deepEqual(messages(eve), []);
  });

  test('[SUB11] after a removal while the subscription is made nothing follows', async () => {
    const { h, ann, ben, sid } = await pair();
    h.storage.answerGate.shut();
    ben.subscribe([{ object_sid: sid, object_type: 'stream', last_event_id: null }]);
    await h.settle();
    ann.request('DELETE', `/v3/Streams/${sid}`);
    await h.settle();
    h.storage.answerGate.open();
    await h.settle();
    assert.deepEqual(
      notifications(ben.take()).map(({ event_type: type }) => type),
      ['subscription_established', 'stream_removed'],
    );
    assert.equal(h.engine.hub.followedObjects, 0);
  });
});

suite("[SUB12] the publisher's own messages", () => {
  test('[SUB12] its connection gets the answer and no event, every other connection the event', async () => {
    const { h, ann, ben, sid } = await pair();
    const also = await h.connect('ann');
    for (const client of [ann, also, ben]) await follow(h, client, sid);
    for (let n = 1; n <= 3; n++) await publish(ann, sid, n);
    await publish(ben, sid, 4);
    assert.deepEqual([messages(ann), messages(also), messages(ben)], [[4], [1, 2, 3, 4], [1, 2, 3]]);
  });

  test('[SUB12] what it publishes to streams that it does not follow hides no event of others', async () => {
    const { h, ann, ben, sid } = await pair();
    const followed = (await ann.call('POST', '/v3/Streams', {})).body['sid'] as string;
    const map = (await ann.call('POST', '/v3/Maps', {})).body['sid'] as string;
    await ann.call('PUT', `/v3/Maps/${map}/Items/a`, { data: {} });
    await follow(h, ann, followed);
    ann.subscribe([{ object_sid: map, object_type: 'map', last_event_id: 1 }]);
    // As many as are remembered.
    for (let n = 0; n < 64; n++) await publish(ann, sid, n);
    await publish(ann, followed, 1);
    await publish(ben, followed, 2);
    await ben.call('DELETE', `/v3/Maps/${map}/Items/a`);
    const types = notifications(ann.take()).map(({ event_type: type }) => type);
    assert.deepEqual(types, ['subscription_established', 'stream_message_published', 'map_item_removed']);
  });
});

suite('[BND19] messages for a client that does not read', () => {
  test('[BND19] every message waits, none replaces another, and those before a removal stay', async () => {
    const { h, ann, ben, sid } = await pair();
    await follow(h, ben, sid);
    ben.link.buffered = stuck;
    for (let n = 1; n <= 5; n++) await publish(ann, sid, n);
    await ann.call('DELETE', `/v3/Streams/${sid}`);
    ben.link.buffered = 0;
    ben.connection.drained();
    assert.deepEqual(messages(ben), [1, 2, 3, 4, 5, 'gone']);
  });

  test('[BND19] more than may wait cuts the client', async () => {
    const { h, ann, ben, sid } = await pair(10_000);
    await follow(h, ben, sid);
    ben.link.buffered = stuck;
    for (let n = 1; n <= 10; n++) await publish(ann, sid, 'x'.repeat(2000));
    assert.equal(ben.link.isDropped, true);
    assert.equal(ann.link.isDropped, false);
  });
});

async function pair(outboxBytes = Infinity): Promise<{ h: Harness; ann: Client; ben: Client; sid: string }> {
  const h = await openDoor({ outboxBytes });
  const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
  const { status, body } = await ann.call('POST', '/v3/Streams', {});
  assert.equal(status, 201);
  return { h, ann, ben, sid: body['sid'] as string };
}

async function follow(h: Harness, client: Client, sid: string): Promise<void> {
  client.subscribe([{ object_sid: sid, object_type: 'stream', last_event_id: null }]);
  await h.settle();
  assert.equal(notifications(client.take()).at(-1)?.['event_type'], 'subscription_established');
}

async function publish(client: Client, sid: string, n: unknown): Promise<void> {
  const { status } = await client.call('POST', `/v3/Streams/${sid}/Messages`, { data: { n } });
  assert.equal(status, 201);
}

/** The `n` of each message that came since the last look; `'gone'` for the removal of the stream. */
function messages(client: Client): readonly unknown[] {
  return notifications(client.take()).flatMap(({ event_type: type, event }) => {
    if (type === 'stream_removed') return ['gone'];
    if (type !== 'stream_message_published') return [];
    return [((event as Fields)['message_data'] as Fields)['n']];
  });
}
