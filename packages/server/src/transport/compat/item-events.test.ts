import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { service } from '../../../test/commands.ts';
import { notifications, openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import type { Fields, ServerFrame } from '../../../test/frame-client.ts';

const stuck = 65_537;

suite('[SUB13] events on the wire', () => {
  test('[SUB13] an item of a map that comes, changes and goes', async () => {
    const { h, ann, ben, sid } = await pair('map');
    await follow(h, ben, 'map', sid, 0);
    const key = 'a b/c"é';
    const path = `/v3/Maps/${sid}/Items/${encodeURIComponent(key)}`;
    await ann.call('PUT', path, { data: { n: 1 }, ttl: 60 });
    await ann.call('PUT', path, { data: { n: 2 }, ttl: 0 });
    await ann.call('DELETE', path);
    await ann.call('DELETE', `/v3/Maps/${sid}`);
    const frames = ben.take();
    assert.ok(frames.every(({ header }) => header['message_type'] === 'com.twilio.rtd.cds.map'));
    const at = iso(h);
    const url = `https://sync.example.org/v3/Services/${service}/Maps/${sid}/Items/${encodeURIComponent(key)}`;
    const item = { map_sid: sid, item_key: key };
    assert.deepEqual(notifications(frames), [
      {
        event_type: 'map_item_added',
        event: {
          ...item,
          id: 1,
          map_revision: '1',
          item_url: url,
          item_revision: '1',
          item_data: { n: 1 },
          date_created: at,
          date_expires: iso(h, 60_000),
        },
      },
      {
        event_type: 'map_item_updated',
        event: {
          ...item,
          id: 2,
          map_revision: '2',
          item_url: url,
          item_revision: '2',
          item_data: { n: 2 },
          date_created: at,
          date_expires: null,
        },
      },
      {
        event_type: 'map_item_removed',
        event: { ...item, id: 3, map_revision: '3', item_data: { n: 2 }, date_created: at },
      },
      { event_type: 'map_removed', event: { map_sid: sid, id: 4, date_created: at } },
    ]);
  });

  test('[SUB13] an item of a list, with its index as a number', async () => {
    const { h, ann, ben, sid } = await pair('list');
    await follow(h, ben, 'list', sid, 0);
    await ann.call('POST', `/v3/Lists/${sid}/Items`, { data: { n: 1 } });
    await ann.call('POST', `/v3/Lists/${sid}/Items/0`, { data: { n: 2 } });
    await ann.call('DELETE', `/v3/Lists/${sid}/Items/0`);
    await ann.call('DELETE', `/v3/Lists/${sid}`);
    const frames = ben.take();
    assert.ok(frames.every(({ header }) => header['message_type'] === 'com.twilio.rtd.cds.list'));
    const events = notifications(frames).map(({ event_type: type, event }) => {
      const { list_sid: list, item_index: index, item_data: data, item_url: url } = event as Fields;
      assert.equal(list, sid);
      return [type, index, data, url];
    });
    const url = `https://sync.example.org/v3/Services/${service}/Lists/${sid}/Items/0`;
    assert.deepEqual(events, [
      ['list_item_added', 0, { n: 1 }, url],
      ['list_item_updated', 0, { n: 2 }, url],
      ['list_item_removed', 0, { n: 2 }, undefined],
      ['list_removed', undefined, undefined, undefined],
    ]);
  });

  test('[SUB13] who registered only the general type gets item events in it', async () => {
    const { h, ann, sid } = await pair('map');
    const ben = await h.connect('ben', {}, { registrations: [{ message_types: ['twilio.sync.event'] }] });
    await follow(h, ben, 'map', sid, 0);
    await put(ann, sid, 'a', 1);
    assert.deepEqual(
      ben.take().map(({ header }) => header['message_type']),
      ['twilio.sync.event'],
    );
  });
});

suite('[SUB8] replay of items', () => {
  test('[SUB8] the latest event of each item above the position, in order, removals included, before the outcome', async () => {
    const { h, ann, ben, sid } = await pair('map');
    for (const key of ['a', 'b', 'c']) await put(ann, sid, key, 1);
    await put(ann, sid, 'a', 2);
    await ann.call('DELETE', `/v3/Maps/${sid}/Items/b`);
    subscribe(ben, 'map', sid, 1);
    await h.settle();
    const frames = ben.take();
    assert.deepEqual(told(frames), ['202', 'added c 3', 'updated a 4', 'removed b 5', 'completed 5']);
    const replayed = frames.slice(1, 4);
    assert.ok(replayed.every(({ header }) => header['message_type'] === 'twilio.sync.event'));
    assert.ok(replayed.every(({ payload }) => payload?.['correlation_id'] === 7));
    const { item_data: last } = replayed[2]!.payload!['event'] as Fields;
    assert.deepEqual(last, {}, 'what a removed item held is not known any more');
    await put(ann, sid, 'd', 1);
    assert.deepEqual(told(ben.take()), ['added d 6']);
  });

  test('[SUB8] who starts now, or is where the list is, hears only what comes', async () => {
    const { h, ann, ben, sid } = await pair('list');
    await ann.call('POST', `/v3/Lists/${sid}/Items`, { data: {} });
    for (const after of [null, 1]) {
      subscribe(ben, 'list', sid, after);
      await h.settle();
      assert.deepEqual(told(ben.take()), ['202', 'completed 1']);
    }
    await ann.call('POST', `/v3/Lists/${sid}/Items`, { data: {} });
    assert.deepEqual(told(ben.take()), ['added 1 2']);
  });

  test('[SUB8] what has no room comes in parts: interrupted, and asked for again until it is whole', async () => {
    const h = await openDoor({ outboxBytes: 100_000 });
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const sid = await make(ann, 'map');
    for (let i = 0; i < 40; i++) await put(ann, sid, `k${i}`, 'x'.repeat(8000));
    const seen: string[] = [];
    let position = 0;
    let rounds = 0;
    for (let isWhole = false; !isWhole; rounds++) {
      subscribe(ben, 'map', sid, position);
      await h.settle();
      const heard = told(ben.take()).slice(1);
      const [outcome = '', at = ''] = (heard.at(-1) ?? '').split(' ');
      isWhole = outcome === 'completed';
      position = Number(at);
      seen.push(...heard.slice(0, -1));
      if (isWhole) continue;
      assert.equal(heard.length > 1, true, 'every part brings something');
      assert.equal(heard.at(-2)?.endsWith(` ${position}`), true);
      assert.equal(h.engine.hub.followedObjects, 0, 'nothing live comes ahead of what is missing');
    }
    assert.ok(rounds > 3, `${rounds} rounds`);
    assert.deepEqual(
      seen,
      Array.from({ length: 40 }, (_, i) => `added k${i} ${i + 1}`),
    );
    assert.equal(ben.link.isDropped, false);
    await put(ann, sid, 'new', 1);
    assert.deepEqual(told(ben.take()), ['added new 41']);
  });

  test('[SUB8] many lists at once share the room', async () => {
    const h = await openDoor({ outboxBytes: 100_000 });
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const after = new Map<string, number>();
    for (let i = 0; i < 7; i++) {
      const sid = await make(ann, 'map');
      after.set(sid, 0);
      for (let j = 0; j < 5; j++) await put(ann, sid, `k${j}`, 'x'.repeat(15_000));
    }
    const seen: string[] = [];
    for (let rounds = 0; after.size > 0; rounds++) {
      assert.ok(rounds < 40 && !ben.link.isDropped);
      ben.subscribe(
        [...after].map(([sid, position]) => ({ object_sid: sid, object_type: 'map', last_event_id: position })),
      );
      await h.settle();
      for (const { event_type: type, events, event } of notifications(ben.take())) {
        if (event !== undefined) {
          const { map_sid: sid, id } = event as Fields;
          seen.push(`${String(sid)} ${String(id)}`);
        } else assert.equal(type, 'subscription_established');
        for (const entry of (events ?? []) as readonly Fields[]) {
          const sid = entry['object_sid'] as string;
          if (entry['replay_status'] === 'completed') after.delete(sid);
          else after.set(sid, entry['last_event_id'] as number);
        }
      }
    }
    assert.equal(seen.length, 35);
    assert.equal(new Set(seen).size, 35);
  });

  test('[SUB8] what is told again leaves room for every other object of its part: nobody is cut for coming back', async () => {
    const h = await openDoor({ outboxBytes: 100_000 });
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const sids = [await make(ann, 'map'), await make(ann, 'map'), await make(ann, 'map'), await make(ann, 'map')];
    for (const sid of sids) for (let i = 0; i < 5; i++) await put(ann, sid, `k${i}`, 'x'.repeat(16_000));
    h.storage.readGate.shut();
    ben.subscribe(sids.map((sid) => ({ object_sid: sid, object_type: 'map', last_event_id: 0 })));
    await h.settle();
    ben.link.buffered = stuck;
    h.storage.readGate.open();
    await h.settle();
    assert.equal(ben.link.isDropped, false);
    ben.link.buffered = 0;
    ben.connection.drained();
    const heard = told(ben.take());
    assert.deepEqual(heard.slice(0, 2), ['202', 'added k0 1']);
    assert.equal(heard.filter((one) => one.startsWith('added k0')).length, 4, 'each gets on');
    assert.equal(heard.filter((one) => one.startsWith('interrupted')).length, 4);
  });
});

suite('[SUB10] item events while the state is read', () => {
  for (const gate of ['readGate', 'answerGate'] as const) {
    test(`[SUB10] the latest of each item is held (${gate}), merged by id, and nothing comes twice`, async () => {
      const { h, ann, ben, sid } = await pair('map');
      for (const key of ['a', 'b']) await put(ann, sid, key, 1);
      h.storage[gate].shut();
      subscribe(ben, 'map', sid, 1);
      await h.settle();
      await put(ann, sid, 'a', 2);
      await put(ann, sid, 'b', 2);
      await ann.call('DELETE', `/v3/Maps/${sid}/Items/a`);
      await put(ann, sid, 'c', 1);
      h.storage[gate].open();
      await h.settle();
      const expected =
        gate === 'readGate'
          ? ['202', 'added b 4', 'removed a 5', 'added c 6', 'completed 6']
          : ['202', 'added b 2', 'completed 2', 'updated b 4', 'removed a 5', 'added c 6'];
      assert.deepEqual(told(ben.take()), expected);
    });
  }

  test('[SUB10] the removal of the whole covers all that is held', async () => {
    const { h, ann, ben, sid } = await pair('map');
    h.storage.answerGate.shut();
    subscribe(ben, 'map', sid, 0);
    await h.settle();
    await put(ann, sid, 'a', 1);
    ann.request('DELETE', `/v3/Maps/${sid}`);
    await h.settle();
    h.storage.answerGate.open();
    await h.settle();
    assert.deepEqual(told(ben.take()), ['202', 'completed 0', 'gone 2']);
    assert.equal(h.engine.hub.followedObjects, 0);
  });

  test('[SUB10] more than 1,000 items that change meanwhile make the client ask again', async () => {
    const { h, ann, ben, sid } = await pair('list');
    h.storage.answerGate.shut();
    subscribe(ben, 'list', sid, 0);
    await h.settle();
    for (let i = 0; i < 1001; i++) ann.request('POST', `/v3/Lists/${sid}/Items`, { data: {} });
    await h.settle();
    h.storage.answerGate.open();
    await h.settle();
    assert.deepEqual(told(ben.take()), ['202', 'interrupted 0']);
    assert.equal(h.engine.hub.followedObjects, 0);
    subscribe(ben, 'list', sid, 0);
    await h.settle();
    const first = told(ben.take());
    assert.deepEqual([first.length, first.at(-1)], [1002, 'interrupted 1000']);
    subscribe(ben, 'list', sid, 1000);
    await h.settle();
    assert.deepEqual(told(ben.take()), ['202', 'added 1000 1001', 'completed 1001']);
  });
});

suite("[SUB12] the writer's own changes", () => {
  for (const kind of ['list', 'map'] as const) {
    test(`[SUB12] who removes an item of a ${kind} gets its position moved, everybody else the removal`, async () => {
      const { h, ann, ben, sid } = await pair(kind);
      const also = await h.connect('ann');
      const items = `/v3/${kind === 'map' ? 'Maps' : 'Lists'}/${sid}/Items`;
      if (kind === 'map') await put(ann, sid, '0', 1);
      else await ann.call('POST', items, { data: {} });
      for (const client of [ann, also, ben]) await follow(h, client, kind, sid, 1);
      ann.request('DELETE', `${items}/0`);
      await h.settle();
      const [reply, cursor, ...more] = ann.take();
      assert.deepEqual([reply?.method, more], ['reply', []]);
      assert.equal(cursor?.header['message_type'], `com.twilio.rtd.cds.${kind}`);
      const event = { [`${kind}_sid`]: sid, id: 2, date_created: iso(h) };
      assert.deepEqual(cursor.payload, { event_type: `${kind}_cursor`, event });
      for (const client of [also, ben]) assert.deepEqual(told(client.take()), ['removed 0 2']);
    });
  }

  test('[SUB12] the removals of others, and what else the writer does, are told to it as to all', async () => {
    const { h, ann, ben, sid } = await pair('map');
    await follow(h, ann, 'map', sid, 0);
    await put(ann, sid, 'a', 1);
    await put(ann, sid, 'a', 2);
    await put(ann, sid, 'b', 1);
    await ann.call('DELETE', `/v3/Maps/${sid}/Items/a`);
    await ben.call('DELETE', `/v3/Maps/${sid}/Items/b`);
    await ann.call('DELETE', `/v3/Maps/${sid}`);
    const events = notifications(ann.take()).map(({ event_type: type }) => type);
    const expected = ['item_added', 'item_updated', 'item_added', 'cursor', 'item_removed', 'removed'];
    assert.deepEqual(
      events,
      expected.map((name) => `map_${name}`),
    );
  });
});

suite('[SUB9] kinds', () => {
  test('[SUB9] an object is found only as what it is', async () => {
    const { h, ann, ben } = await pair('map');
    const sids = { list: await make(ann, 'list'), map: await make(ann, 'map'), stream: await make(ann, 'stream') };
    const codes = { document: 54100, list: 54150, map: 54200, stream: 54250, live_query: 20404 };
    for (const [kind, sid] of Object.entries(sids)) {
      for (const [type, code] of Object.entries(codes)) {
        ben.subscribe([{ object_sid: sid, object_type: type, last_event_id: null }]);
        await h.settle();
        const expected = type !== kind ? `failed 404 ${code}` : kind === 'stream' ? 'completed -1' : 'completed 0';
        assert.deepEqual(told(ben.take()), ['202', expected], `${kind} as ${type}`);
      }
    }
    for (const [kind, sid] of Object.entries(sids)) {
      await ann.call('DELETE', `/v3/${kind[0]!.toUpperCase()}${kind.slice(1)}s/${sid}`);
      ben.take();
      ben.subscribe([{ object_sid: sid, object_type: kind, last_event_id: null }]);
      await h.settle();
      assert.deepEqual(told(ben.take()), ['202', `failed 404 ${codes[kind as 'list']}`]);
    }
    assert.equal(h.engine.hub.followedObjects, 0);
  });
});

suite('[BND19] [BND20] a client that does not read', () => {
  test('[BND19] of each item the latest waits, in order of ids', async () => {
    const { h, ann, ben, sid } = await pair('map');
    await follow(h, ben, 'map', sid, 0);
    ben.link.buffered = stuck;
    for (const key of ['a', 'b', 'a', 'c', 'b']) await put(ann, sid, key, 1);
    await ann.call('DELETE', `/v3/Maps/${sid}/Items/c`);
    ben.link.buffered = 0;
    ben.connection.drained();
    assert.deepEqual(told(ben.take()), ['updated a 3', 'updated b 5', 'removed c 6']);
  });

  test('[BND20] the removal of a map drops what waits of its items, and of no other map', async () => {
    const { h, ann, ben, sid } = await pair('map');
    const other = await make(ann, 'map');
    for (const each of [sid, other]) await follow(h, ben, 'map', each, 0);
    ben.link.buffered = stuck;
    await put(ann, sid, 'a', 1);
    await put(ann, other, 'a', 1);
    await put(ann, sid, 'b', 1);
    await ann.call('DELETE', `/v3/Maps/${sid}`);
    ben.link.buffered = 0;
    ben.connection.drained();
    assert.deepEqual(told(ben.take()), ['added a 1', 'gone 3']);
  });
});

type Kind = 'list' | 'map' | 'stream';

async function pair(kind: Kind): Promise<{ h: Harness; ann: Client; ben: Client; sid: string }> {
  const h = await openDoor();
  const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
  return { h, ann, ben, sid: await make(ann, kind) };
}

async function make(client: Client, kind: Kind): Promise<string> {
  const path = { list: '/v3/Lists', map: '/v3/Maps', stream: '/v3/Streams' }[kind];
  const { status, body } = await client.call('POST', path, {});
  assert.equal(status, 201);
  return body['sid'] as string;
}

async function put(client: Client, map: string, key: string, n: unknown): Promise<void> {
  const { status } = await client.call('PUT', `/v3/Maps/${map}/Items/${key}`, { data: { n } });
  assert.ok(status === 200 || status === 201);
}

function subscribe(client: Client, kind: Kind, sid: string, after: number | null): void {
  client.subscribe([{ object_sid: sid, object_type: kind, last_event_id: after }]);
}

async function follow(h: Harness, client: Client, kind: Kind, sid: string, after: number | null): Promise<void> {
  subscribe(client, kind, sid, after);
  await h.settle();
  assert.match(told(client.take()).at(-1) ?? '', /^completed/);
}

function iso(h: Harness, later = 0): string {
  return new Date(h.clock.now() + later).toISOString();
}

/** What a subscriber hears, such as `'202'`, `'added a 1'`, `'gone 4'`, `'completed 4'`, `'failed 404 54200'`. */
function told(frames: readonly ServerFrame[]): readonly string[] {
  return frames.flatMap((frame) => {
    if (frame.method === 'reply') return String((frame.header['http_status'] as Fields)['code']);
    const { event_type: type, events, event = {} } = frame.payload ?? {};
    const { id, item_key: key, item_index: index } = event as Fields;
    const [, what] = /^(?:list|map)_item_(.*)$/.exec(String(type)) ?? [];
    if (what !== undefined) return `${what} ${String(key ?? index)} ${String(id)}`;
    if (String(type).endsWith('_removed')) return `gone ${String(id)}`;
    return (events as readonly Fields[]).map(({ replay_status: status, last_event_id: position, error }) => {
      const { status: code, code: number } = (error ?? {}) as Fields;
      return error === undefined ? `${String(status)} ${String(position)}` : `failed ${String(code)} ${String(number)}`;
    });
  });
}
