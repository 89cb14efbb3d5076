/** Maps as applications use them through the official SDK: keys of every kind, races for one key, removal and return. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncMap } from 'twilio-sync';
import { connectedClient, refusal } from './harness/clients.ts';
import { nextEvent, recorded } from './harness/deadline.ts';
import { contentsOf, counted, itemChanges, live } from './harness/live-objects.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import { startEveryStore } from './harness/service.ts';

const missingSid = `MP${'0'.repeat(32)}`;

/** Keys that an address, an encoding or a sort could spoil. */
const oddKeys: readonly string[] = [
  'a/b',
  '/',
  '..',
  '.',
  '%2F',
  '%',
  '%zz',
  'a b+c&d=e?f#g',
  'ü',
  'n\u0065\u0301e',
  'née',
  '\u{1F600}',
  '\uFFFD',
  '0',
  'null',
  '__proto__',
  'constructor',
  '\n',
  '"\\',
  'MP1',
  'x'.repeat(320),
  '\u{1F600}'.repeat(320),
];

for (const [store, service] of await startEveryStore({ SWEEP_INTERVAL_MS: '50' })) {
  const client = (t: TestContext, identity: string): Promise<SyncClient> =>
    connectedClient(t, service.socketUrl, identity);

  const raw = async (t: TestContext): Promise<RawConnection> => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('raw');
    return connection;
  };

  /** One map that two clients have open and subscribed, with these items in it. */
  const share = async (
    t: TestContext,
    items: Readonly<Record<string, Record<string, unknown>>> = {},
  ): Promise<Shared> => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const mine = await live(ann.map(randomUUID()));
    for (const [key, data] of Object.entries(items)) await mine.set(key, data);
    return { ann, ben, mine, theirs: await live(ben.map(mine.sid)) };
  };

  suite(`maps on ${store}`, { concurrency: true }, () => {
    test('[MAP3] opened by name, by sid and unnamed; what is missing is 404', async (t) => {
      const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
      const name = randomUUID();
      const made = await ann.map(name);
      assert.match(made.sid, /^MP[0-9a-f]{32}$/);
      assert.deepEqual([made.uniqueName, made.revision, made.lastEventId, made.dateExpires], [name, '0', 0, null]);
      assert.equal((await ben.map(name)).sid, made.sid);
      const unnamed = await ann.map();
      assert.equal((await ben.map(unnamed.sid)).uniqueName, null);
      for (const [id, code] of [
        [randomUUID(), 54300],
        [missingSid, 54200],
      ] as const) {
        const refused = await refusal(ann.map({ id, mode: 'open_existing' }));
        assert.deepEqual([refused.status, refused.code], [404, code]);
      }
      const taken = await refusal(ben.map({ id: name, mode: 'create_new' }));
      assert.deepEqual([taken.status, taken.code], [409, 54301]);
    });

    test('[MAP1] [MAP20] the first set of a key is told as added, the next as updated, on each side (scenario 72)', async (t) => {
      const { mine, theirs } = await share(t);
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const item = await mine.set('a', { n: 1 });
      assert.deepEqual([item.key, item.data, item.lastEventId, item.revision], ['a', { n: 1 }, 1, '1']);
      await counted(remote, 1);
      await theirs.set('a', { n: 2 });
      await counted(local, 2);
      assert.deepEqual(local, [
        ['added', 'a', { n: 1 }, 'me'],
        ['updated', 'a', { n: 2 }, 'other'],
      ]);
      assert.deepEqual(remote, [
        ['added', 'a', { n: 1 }, 'other'],
        ['updated', 'a', { n: 2 }, 'me'],
      ]);
    });

    test('[MAP20] a client that never read the key is told by the answer whether it was new (scenario 72)', async (t) => {
      const { mine, ben } = await share(t, { a: { n: 0 } });
      const fresh = await (await client(t, 'cem')).map(mine.sid);
      const told = itemChanges(fresh);
      await fresh.set('a', { n: 1 });
      await fresh.set('b', { n: 2 });
      assert.deepEqual(told, [
        ['updated', 'a', { n: 1 }, 'me'],
        ['added', 'b', { n: 2 }, 'me'],
      ]);
      assert.equal((await (await ben.map(mine.sid)).get('b')).revision, '3');
    });

    test('[MAP3] a key that is not there is 404 / 54201 (scenario 73)', async (t) => {
      const { mine } = await share(t, { a: { n: 1 } });
      assert.deepEqual((await mine.get('a')).data, { n: 1 });
      for (const call of [() => mine.get('b'), () => mine.remove('b'), () => mine.setItemTtl('b', 10)]) {
        const refused = await refusal(call());
        assert.deepEqual([refused.status, refused.code], [404, 54201]);
      }
      const connection = await raw(t);
      for (const method of ['POST', 'DELETE']) {
        const { status, body } = await connection.request(method, `/v3/Maps/${mine.sid}/Items/b`, '{"data":{}}');
        assert.deepEqual([status, body['code']], [404, 54201], method);
      }
    });

    test('[MAP1] update makes a missing key and merges into a present one (scenario 74)', async (t) => {
      const { mine, theirs } = await share(t);
      const remote = itemChanges(theirs);
      assert.deepEqual((await mine.update('a', { x: 1 })).data, { x: 1 });
      assert.deepEqual((await mine.update('a', { y: 2 })).data, { x: 1, y: 2 });
      await counted(remote, 2);
      assert.deepEqual(remote, [
        ['added', 'a', { x: 1 }, 'other'],
        ['updated', 'a', { x: 1, y: 2 }, 'other'],
      ]);
    });

    test('[MAP5] [MAP20] [REV2] of two that put a key only if it is absent one makes it, the other meets it (scenario 75)', async (t) => {
      const clients = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => client(t, identity)));
      const name = randomUUID();
      const maps = await Promise.all(clients.map((each) => each.map(name)));
      for (let round = 0; round < 5; round++) {
        const key = `key-${round}`;
        const found: unknown[] = [];
        await Promise.all(
          maps.map((map, by) =>
            map.mutate(key, (data) => {
              const { members = [] } = data as { members?: number[] };
              found.push(members.length);
              return { members: [...members, by] };
            }),
          ),
        );
        const reader = await (await client(t, 'reader')).map(name);
        const { data, revision } = await reader.get(key);
        assert.deepEqual(
          (data as { members: number[] }).members.sort((a, b) => a - b),
          [0, 1, 2, 3, 4],
        );
        assert.equal(revision, (5 * (round + 1)).toString(16));
        // Every one of them began with nothing.
        assert.ok(found.filter((length) => length === 0).length >= 1);
      }
    });

    test('[REV2] increments of one key by five clients add up (scenario 76)', async (t) => {
      const clients = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => client(t, identity)));
      const name = randomUUID();
      const maps = await Promise.all(clients.map((each) => each.map(name)));
      await Promise.all(
        maps.map(async (map) => {
          for (let i = 0; i < 20; i++) {
            await map.mutate('sum', (data) => ({ n: ((data as { n?: number }).n ?? 0) + 1 }));
          }
        }),
      );
      const item = await (await (await client(t, 'reader')).map(name)).get('sum');
      assert.deepEqual([item.data, item.lastEventId], [{ n: 100 }, 100]);
    });

    test('[MAP6] [EVT2] a key removed and added again is told so, and goes on counting (scenarios 77 and 134)', async (t) => {
      const { mine, theirs } = await share(t, { a: { n: 0 } });
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const revisions = [(await mine.get('a')).revision];
      for (let n = 1; n <= 3; n++) {
        await mine.remove('a');
        revisions.push((await mine.set('a', { n })).revision);
      }
      await counted(remote, 6);
      assert.deepEqual(revisions, ['1', '3', '5', '7']);
      const expected = [1, 2, 3].flatMap((n) => [
        ['removed', 'a', { n: n - 1 }],
        ['added', 'a', { n }],
      ]);
      assert.deepEqual(
        local,
        expected.map((change) => [...change, 'me']),
      );
      assert.deepEqual(
        remote,
        expected.map((change) => [...change, 'other']),
      );
    });

    test('[MAP6] [MAP5] who missed both removal and return cannot overwrite the new value (scenario 134)', async (t) => {
      const relay = await startRelay({
        targetPort: service.relay.port,
        onMessage: ({ bytes }) =>
          /map_item_(added|updated|removed)/.test(bytes.toString('latin1')) ? 'swallow' : 'pass',
      });
      t.after(() => relay.close());
      const mine = await live((await connectedClient(t, relay.socketUrl, 'ann')).map(randomUUID()));
      await mine.set('a', { by: 'ann' });
      const theirs = await (await client(t, 'ben')).map(mine.sid);
      await theirs.remove('a');
      await theirs.set('a', { by: 'ben' });
      const seen: unknown[] = [];
      await mine.mutate('a', (data) => {
        seen.push((data as { by: string }).by);
        return Object.assign(data, { more: true });
      });
      assert.deepEqual(seen, ['ann', 'ben']);
      const fresh = await (await client(t, 'cem')).map(mine.sid);
      assert.deepEqual(await contentsOf(fresh), [['a', { by: 'ben', more: true }]]);
    });

    test('[MAP5] a condition on a key that is gone is 412, never 404: the map lives on (scenario 78)', async (t) => {
      const relay = await startRelay({
        targetPort: service.relay.port,
        onMessage: ({ bytes }) => (bytes.includes('map_item_removed') ? 'swallow' : 'pass'),
      });
      t.after(() => relay.close());
      const mine = await live((await connectedClient(t, relay.socketUrl, 'ann')).map(randomUUID()));
      await mine.set('a', { n: 0 });
      const ends = recorded(mine, 'removed');
      await (await (await client(t, 'ben')).map(mine.sid)).remove('a');
      // The SDK reads again after the 412, finds nothing, and says so.
      const refused = await refusal(mine.mutate('a', () => ({ n: 1 })));
      assert.deepEqual([refused.status, refused.code], [404, 54201]);
      assert.deepEqual(ends, []);
      assert.deepEqual((await mine.set('b', { n: 2 })).data, { n: 2 });
      const connection = await raw(t);
      for (const [key, ifMatch] of [
        ['a', '1'],
        ['never', '1'],
        ['b', '-1'],
        ['b', '1'],
      ] as const) {
        const path = `/v3/Maps/${mine.sid}/Items/${key}`;
        const { status, body } = await connection.request('PUT', path, '{"data":{}}', { 'If-Match': ifMatch });
        assert.deepEqual([status, body['code']], [412, 54205], `${key} ${ifMatch}`);
      }
      const gone = await connection.request('PUT', `/v3/Maps/${missingSid}/Items/a`, '{"data":{}}');
      assert.deepEqual([gone.status, gone.body['code']], [404, 54200]);
    });

    test('[MAP2] [MAP21] odd keys work as they are: set, hear, get, page, remove (scenario 79)', async (t) => {
      const { mine, theirs } = await share(t);
      const remote = itemChanges(theirs);
      for (const key of oddKeys) {
        assert.equal((await mine.set(key, { key })).key, key);
      }
      await counted(remote, oddKeys.length);
      assert.deepEqual(
        remote,
        oddKeys.map((key) => ['added', key, { key }, 'other']),
      );
      const fresh = await (await client(t, 'cem')).map(mine.sid);
      for (const key of oddKeys) assert.deepEqual((await fresh.get(key)).data, { key });
      const again = await (await client(t, 'dan')).map(mine.sid);
      assert.deepEqual(
        (await contentsOf(again)).map(([key]) => key),
        [...oddKeys].sort(),
      );
      for (const key of oddKeys) await again.remove(key);
      await counted(remote, 2 * oddKeys.length);
      assert.deepEqual(await contentsOf(await (await client(t, 'eve')).map(mine.sid)), []);
    });

    test('[MAP2] [MAP24] keys that cannot be are 400 / 54209 (scenario 80)', async (t) => {
      const { mine } = await share(t);
      for (const key of ['x'.repeat(321), '\u{1F600}'.repeat(321), 'with\u0000nul']) {
        const refused = await refusal(mine.set(key, {}));
        assert.deepEqual([refused.status, refused.code], [400, 54209], key.slice(0, 20));
      }
      assert.deepEqual(await contentsOf(mine), []);
    });

    test('[MAP2] [MAP23] keys are ordered by UTF-16 code units, in both directions (scenario 92)', async (t) => {
      const { mine } = await share(t);
      // In UTF-8 the last two would be the other way round, and a locale would mix the cases.
      const sorted = ['B', 'Z', 'a', 'a1', 'a10', 'a2', 'b', 'é', '\u{1F600}', '\uFF21'];
      for (const key of sorted.toReversed()) await mine.set(key, { key });
      const keys = async (order: 'asc' | 'desc'): Promise<unknown[]> => {
        const map = await (await client(t, order)).map(mine.sid);
        return (await map.getItems({ order })).items.map(({ key }) => key);
      };
      assert.deepEqual(await keys('asc'), sorted);
      assert.deepEqual(await keys('desc'), sorted.toReversed());
      assert.deepEqual(sorted, [...sorted].sort());
    });

    test('[TTL5] an item that runs out is removed for everybody, and its key is free (scenario 81)', async (t) => {
      const { mine, theirs } = await share(t);
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const item = await mine.set('a', { n: 1 }, { ttl: 1 });
      assert.equal(Date.parse(item.dateExpires) - item.dateUpdated.getTime(), 1000);
      await Promise.all([counted(local, 2), counted(remote, 2)]);
      assert.deepEqual(local[1], ['removed', 'a', { n: 1 }, 'other']);
      assert.deepEqual(remote[1], ['removed', 'a', { n: 1 }, 'other']);
      assert.equal((await refusal(theirs.get('a'))).code, 54201);
      assert.equal((await theirs.set('a', { n: 2 })).revision, '3');
      await counted(local, 3);
      assert.deepEqual(local[2], ['added', 'a', { n: 2 }, 'other']);
    });

    test('[TTL4] ttls of item and map move no revision and tell nobody', async (t) => {
      const { mine, theirs } = await share(t, { a: { n: 0 } });
      const remote = itemChanges(theirs);
      await mine.setItemTtl('a', 3600);
      await mine.setTtl(3600);
      const fresh = await (await client(t, 'cem')).map(mine.sid);
      const item = await fresh.get('a');
      assert.deepEqual([item.revision, item.lastEventId, fresh.lastEventId], ['1', 1, 1]);
      assert.match(item.dateExpires, /Z$/);
      assert.match(fresh.dateExpires, /Z$/);
      await mine.mutate('a', () => ({ n: 1 }));
      await counted(remote, 1);
      assert.deepEqual(remote, [['updated', 'a', { n: 1 }, 'other']]);
    });

    test('[MAP3] [OBJ4] removing a map: one event on each side, then 404 (scenarios 82 and 84)', async (t) => {
      const { ann, ben, mine, theirs } = await share(t, { a: { n: 0 } });
      const [local, remote] = [recorded(mine, 'removed'), recorded(theirs, 'removed')];
      const [localItems, remoteItems] = [itemChanges(mine), itemChanges(theirs)];
      const gone = nextEvent(theirs, 'removed');
      await mine.removeMap();
      await gone;
      assert.deepEqual([local, remote], [[{ isLocal: true }], [{ isLocal: false }]]);
      assert.equal((await refusal(ben.map({ id: mine.sid, mode: 'open_existing' }))).code, 54200);
      assert.equal((await refusal(theirs.set('a', { n: 1 }))).status, 404);
      assert.deepEqual([localItems, remoteItems], [[], []]);
      const again = await ann.map({ id: mine.uniqueName, mode: 'create_new' });
      assert.notEqual(again.sid, mine.sid);
      assert.deepEqual(await contentsOf(again), []);
    });

    test('[TTL2] [TTL3] a map that runs out fires removed on every side', async (t) => {
      const { mine, theirs, ben } = await share(t, { a: { n: 0 } });
      const ends = [mine, theirs].map((map) => nextEvent<{ isLocal: boolean }>(map, 'removed'));
      await mine.setTtl(1);
      for (const end of ends) assert.equal((await end).isLocal, false);
      const refused = await refusal(ben.map({ id: mine.sid, mode: 'open_existing' }));
      assert.deepEqual([refused.status, refused.code], [404, 54200]);
    });

    test('[MAP22] a map can be opened with its items (scenario 83)', async (t) => {
      const { mine } = await share(t, { a: { n: 1 }, b: { n: 2 } });
      const fresh = await (await client(t, 'cem')).map({ id: mine.sid, includeItems: true });
      assert.deepEqual((await fresh.get('b')).data, { n: 2 });
      assert.deepEqual(await contentsOf(fresh), [
        ['a', { n: 1 }],
        ['b', { n: 2 }],
      ]);
      const path = `/v3/Maps/${mine.sid}`;
      const connection = await raw(t);
      const { body } = await connection.request('GET', path, '', {}, { Include: 'items' });
      assert.deepEqual(
        (body['items'] as { key: string }[]).map(({ key }) => key),
        ['a', 'b'],
      );
      assert.equal((await connection.request('GET', path)).body['items'], undefined);
    });

    test('[MAP4] [MAP21] other clients add by POST of items, 409 / 54208 for a key that exists', async (t) => {
      const { mine, theirs } = await share(t);
      const remote = itemChanges(theirs);
      const connection = await raw(t);
      const items = `/v3/Maps/${mine.sid}/Items`;
      const made = await connection.request('POST', items, '{"key":"a/b","data":{"n":1}}');
      assert.equal(made.status, 201);
      const taken = await connection.request('POST', items, '{"key":"a/b","data":{"n":2}}');
      assert.deepEqual([taken.status, taken.body['code']], [409, 54208]);
      const updated = await connection.request('POST', `${items}/a%2Fb`, '{"data":{"n":3}}', { 'If-Match': '1' });
      assert.deepEqual([updated.status, updated.body['revision']], [200, '2']);
      await counted(remote, 2);
      assert.deepEqual(remote, [
        ['added', 'a/b', { n: 1 }, 'other'],
        ['updated', 'a/b', { n: 3 }, 'other'],
      ]);
    });

    test('[MAP5] [MAP24] what cannot be is refused by its code, and nothing changes', async (t) => {
      const { mine } = await share(t, { a: { n: 0 } });
      const connection = await raw(t);
      const path = `/v3/Maps/${mine.sid}/Items/a`;
      for (const [body, headers, status, code] of [
        ['{}', {}, 400, 54206],
        ['{"data":null}', {}, 400, 54206],
        [JSON.stringify({ data: { t: 'x'.repeat(16_377) } }), {}, 413, 54006],
        ['{"data":{},"ttl":1.5}', {}, 400, 54011],
        ['{"data":{}}', { 'If-Match': 'nonsense!' }, 400, 54003],
        ['{"data":{}}', { 'If-Match': '7' }, 412, 54205],
      ] as const) {
        const answer = await connection.request('PUT', path, body, headers);
        assert.deepEqual([answer.status, answer.body['code']], [status, code], body.slice(0, 40));
      }
      const fresh = await (await client(t, 'cem')).map(mine.sid);
      assert.deepEqual([await contentsOf(fresh), fresh.lastEventId], [[['a', { n: 0 }]], 1]);
    });
  });
}

interface Shared {
  readonly ann: SyncClient;
  readonly ben: SyncClient;
  /** Ann's. */
  readonly mine: SyncMap;
  /** Ben's. */
  readonly theirs: SyncMap;
}
