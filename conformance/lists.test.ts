/** Lists as applications use them through the official SDK: pushing, writing, removing and expiring items. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncList } from 'twilio-sync';
import { connectedClient, refusal } from './harness/clients.ts';
import { nextEvent, recorded } from './harness/deadline.ts';
import { contentsOf, counted, itemChanges, live } from './harness/live-objects.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import { startEveryStore } from './harness/service.ts';

const missingSid = `ES${'0'.repeat(32)}`;

for (const [store, service] of await startEveryStore({ SWEEP_INTERVAL_MS: '50' })) {
  const client = (t: TestContext, identity: string): Promise<SyncClient> =>
    connectedClient(t, service.socketUrl, identity);

  const raw = async (t: TestContext): Promise<RawConnection> => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('raw');
    return connection;
  };

  /** One list that two clients have open and subscribed, with these items in it. */
  const share = async (t: TestContext, ...items: readonly Record<string, unknown>[]): Promise<Shared> => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const mine = await live(ann.list(randomUUID()));
    for (const item of items) await mine.push(item);
    return { ann, ben, mine, theirs: await live(ben.list(mine.sid)) };
  };

  suite(`lists on ${store}`, { concurrency: true }, () => {
    test('[LST2] [LST20] opened by name, by sid and unnamed; what is missing is 404', async (t) => {
      const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
      const name = randomUUID();
      const made = await ann.list(name);
      assert.match(made.sid, /^ES[0-9a-f]{32}$/);
      assert.deepEqual([made.uniqueName, made.revision, made.lastEventId, made.dateExpires], [name, '0', 0, null]);
      assert.equal((await ben.list(name)).sid, made.sid);
      const unnamed = await ann.list();
      assert.equal((await ben.list(unnamed.sid)).uniqueName, null);
      for (const [id, code] of [
        [randomUUID(), 54300],
        [missingSid, 54150],
      ] as const) {
        const refused = await refusal(ann.list({ id, mode: 'open_existing' }));
        assert.deepEqual([refused.status, refused.code], [404, code]);
      }
      const taken = await refusal(ben.list({ id: name, mode: 'create_new' }));
      assert.deepEqual([taken.status, taken.code], [409, 54301]);
    });

    test('[LST1] [LST20] pushed items count up from 0, and each is told once on each side (scenario 54)', async (t) => {
      const { mine, theirs } = await share(t);
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const first = await mine.push({ n: 'a' });
      assert.deepEqual([first.index, first.data, first.dateExpires], [0, { n: 'a' }, null]);
      assert.deepEqual([first.lastEventId, first.revision], [1, '1']);
      await counted(remote, 1);
      assert.equal((await theirs.push({ n: 'b' })).index, 1);
      await counted(local, 2);
      assert.equal((await mine.push({ n: 'c' })).index, 2);
      await counted(remote, 3);
      assert.deepEqual(local, [
        ['added', 0, { n: 'a' }, 'me'],
        ['added', 1, { n: 'b' }, 'other'],
        ['added', 2, { n: 'c' }, 'me'],
      ]);
      assert.deepEqual(remote, [
        ['added', 0, { n: 'a' }, 'other'],
        ['added', 1, { n: 'b' }, 'me'],
        ['added', 2, { n: 'c' }, 'other'],
      ]);
    });

    test('[LST1] set replaces the data of an item, and tells what was before (scenario 55)', async (t) => {
      const { mine, theirs } = await share(t, { n: 0 }, { m: 0 });
      await theirs.get(0);
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const befores = recorded<{ previousItemData: unknown }>(theirs, 'itemUpdated');
      const item = await mine.set(0, { n: 1 });
      assert.deepEqual([item.data, item.lastEventId, item.revision], [{ n: 1 }, 3, '3']);
      await counted(remote, 1);
      assert.deepEqual(local, [['updated', 0, { n: 1 }, 'me']]);
      assert.deepEqual(remote, [['updated', 0, { n: 1 }, 'other']]);
      assert.deepEqual(befores[0]?.previousItemData, { n: 0 });
      assert.deepEqual(await contentsOf(await (await client(t, 'cem')).list(mine.sid)), [
        [0, { n: 1 }],
        [1, { m: 0 }],
      ]);
    });

    test('[LST1] update merges at the top, and a cancelled mutate sends nothing', async (t) => {
      const { mine, theirs } = await share(t, { a: 1, deep: { x: 1 } });
      const remote = itemChanges(theirs);
      assert.deepEqual((await mine.update(0, { b: 2, deep: { y: 2 } })).data, { a: 1, b: 2, deep: { y: 2 } });
      await counted(remote, 1);
      const same = await mine.mutate(0, () => null as never);
      assert.deepEqual([same.data, same.revision], [{ a: 1, b: 2, deep: { y: 2 } }, '2']);
      assert.equal((await theirs.get(0)).revision, '2');
    });

    test('[REV2] [LST4] increments of one item by five clients add up (scenario 56)', async (t) => {
      const clients = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => client(t, identity)));
      const name = randomUUID();
      const lists = await Promise.all(clients.map((each) => each.list(name)));
      await lists[0]!.push({ n: 0 });
      await Promise.all(
        lists.map(async (list) => {
          for (let i = 0; i < 20; i++) await list.mutate(0, (data) => ({ n: (data as { n: number }).n + 1 }));
        }),
      );
      const reader = await (await client(t, 'reader')).list(name);
      const item = await reader.get(0);
      assert.deepEqual([item.data, item.lastEventId, item.revision], [{ n: 100 }, 101, (101).toString(16)]);
    });

    test('[LST4] [REV2] a client that is behind meets 412, reads again, and succeeds', async (t) => {
      const relay = await startRelay({
        targetPort: service.relay.port,
        onMessage: ({ bytes }) => (bytes.includes('list_item_updated') ? 'swallow' : 'pass'),
      });
      t.after(() => relay.close());
      const ann = await connectedClient(t, relay.socketUrl, 'ann');
      const ben = await client(t, 'ben');
      const mine = await live(ann.list(randomUUID()));
      await mine.push({ n: 0 });
      const theirs = await ben.list(mine.sid);
      await theirs.set(0, { n: 10 });
      const seen: unknown[] = [];
      const item = await mine.mutate(0, (data) => {
        seen.push((data as { n: number }).n);
        return { n: (data as { n: number }).n + 1 };
      });
      assert.deepEqual([seen, item.data], [[0, 10], { n: 11 }]);
    });

    test('[LST1] [LST3] [LST21] a removed item is told once with its data, and its index never comes again (scenario 57)', async (t) => {
      const { mine, theirs } = await share(t, { n: 0 }, { n: 1 });
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      await mine.remove(1);
      await counted(remote, 1);
      assert.equal((await theirs.push({ n: 2 })).index, 2);
      await counted(local, 2);
      assert.deepEqual(local, [
        ['removed', 1, { n: 1 }, 'me'],
        ['added', 2, { n: 2 }, 'other'],
      ]);
      assert.deepEqual(remote, [
        ['removed', 1, { n: 1 }, 'other'],
        ['added', 2, { n: 2 }, 'me'],
      ]);
      const reader = await (await client(t, 'cem')).list(mine.sid);
      assert.deepEqual(await contentsOf(reader), [
        [0, { n: 0 }],
        [2, { n: 2 }],
      ]);
    });

    test('[LST2] an index that is not there is 404 / 54151 for every verb (scenario 58)', async (t) => {
      const { mine } = await share(t, { n: 0 });
      for (const call of [
        () => mine.get(7),
        () => mine.set(7, { n: 1 }),
        () => mine.update(7, { n: 1 }),
        () => mine.remove(7),
        () => mine.setItemTtl(7, 10),
      ]) {
        const refused = await refusal(call());
        assert.deepEqual([refused.status, refused.code], [404, 54151]);
      }
      const connection = await raw(t);
      for (const method of ['POST', 'DELETE']) {
        const { status, body } = await connection.request(method, `/v3/Lists/${mine.sid}/Items/7`, '{"data":{}}');
        assert.deepEqual([status, body['code']], [404, 54151], method);
      }
    });

    test('[LST2] writing an item that was removed behind the back rejects, and the list lives on (scenario 59)', async (t) => {
      const relay = await startRelay({
        targetPort: service.relay.port,
        onMessage: ({ bytes }) => (bytes.includes('list_item_removed') ? 'swallow' : 'pass'),
      });
      t.after(() => relay.close());
      const mine = await live((await connectedClient(t, relay.socketUrl, 'ann')).list(randomUUID()));
      await mine.push({ n: 0 });
      const ends = recorded(mine, 'removed');
      await (await (await client(t, 'ben')).list(mine.sid)).remove(0);
      for (const call of [() => mine.set(0, { n: 1 }), () => mine.update(0, { n: 1 }), () => mine.remove(0)]) {
        const refused = await refusal(call());
        assert.deepEqual([refused.status, refused.code], [404, 54151]);
      }
      assert.equal((await mine.push({ n: 1 })).index, 1);
      assert.deepEqual(ends, []);
    });

    test('[LST2] [OBJ4] removing a list: one event on each side, then 404, and the name is free (scenario 60)', async (t) => {
      const { ann, ben, mine, theirs } = await share(t, { n: 0 });
      const [local, remote] = [recorded(mine, 'removed'), recorded(theirs, 'removed')];
      const [localItems, remoteItems] = [itemChanges(mine), itemChanges(theirs)];
      const gone = nextEvent(theirs, 'removed');
      await mine.removeList();
      await gone;
      assert.deepEqual([local, remote], [[{ isLocal: true }], [{ isLocal: false }]]);
      assert.equal((await refusal(theirs.push({ n: 1 }))).status, 404);
      assert.equal((await refusal(theirs.getItems({}))).status, 404);
      assert.equal((await refusal(ben.list({ id: mine.sid, mode: 'open_existing' }))).code, 54150);
      assert.deepEqual([localItems, remoteItems], [[], []]);
      const again = await ann.list({ id: mine.uniqueName, mode: 'create_new' });
      assert.notEqual(again.sid, mine.sid);
      assert.deepEqual(await contentsOf(again), []);
      assert.equal((await again.push({ n: 'new' })).index, 0);
    });

    test('[TTL5] an item that runs out is removed for everybody, with its last data (scenario 61)', async (t) => {
      const { mine, theirs } = await share(t, { n: 0 });
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      const item = await mine.push({ n: 1 }, { ttl: 1 });
      assert.equal(Date.parse(item.dateExpires) - item.dateUpdated.getTime(), 1000);
      await Promise.all([counted(local, 2), counted(remote, 2)]);
      assert.deepEqual(local[1], ['removed', 1, { n: 1 }, 'other']);
      assert.deepEqual(remote[1], ['removed', 1, { n: 1 }, 'other']);
      const reader = await (await client(t, 'cem')).list(mine.sid);
      assert.equal((await refusal(reader.get(1))).code, 54151);
      assert.equal((await reader.push({ n: 2 })).index, 2);
    });

    test('[TTL4] ttls of item and list move no revision, tell nobody, and can be taken back (scenario 62)', async (t) => {
      const { mine, theirs } = await share(t, { n: 0 });
      const remote = itemChanges(theirs);
      await mine.setItemTtl(0, 3600);
      await mine.setTtl(3600);
      const fresh = await (await client(t, 'cem')).list(mine.sid);
      const item = await fresh.get(0);
      assert.deepEqual([item.revision, item.lastEventId, fresh.lastEventId], ['1', 1, 1]);
      assert.match(item.dateExpires, /Z$/);
      assert.match(fresh.dateExpires, /Z$/);
      await fresh.setItemTtl(0, 0);
      await fresh.setTtl(0);
      assert.deepEqual([(await fresh.get(0)).dateExpires, fresh.dateExpires], [null, null]);
      // mutate needs the revision that it knows: a ttl must not have moved it.
      await mine.mutate(0, () => ({ n: 1 }));
      await counted(remote, 1);
      assert.deepEqual(remote, [['updated', 0, { n: 1 }, 'other']]);
    });

    test('[TTL2] [TTL3] a list that runs out fires removed on every side (scenario 63)', async (t) => {
      const { mine, theirs, ben } = await share(t, { n: 0 });
      const ends = [mine, theirs].map((list) => nextEvent<{ isLocal: boolean }>(list, 'removed'));
      await mine.setTtl(1);
      for (const end of ends) assert.equal((await end).isLocal, false);
      const refused = await refusal(ben.list({ id: mine.sid, mode: 'open_existing' }));
      assert.deepEqual([refused.status, refused.code], [404, 54150]);
    });

    test('[LST1] [EVT2] parallel pushes of four clients fill the indexes without a gap (scenario 64)', async (t) => {
      const clients = await Promise.all(['a', 'b', 'c', 'd'].map((identity) => client(t, identity)));
      const name = randomUUID();
      const lists: SyncList[] = await Promise.all(clients.map((each) => live(each.list(name))));
      const told = lists.map((list) => itemChanges(list));
      const pushed = await Promise.all(
        lists.flatMap((list, by) => Array.from({ length: 25 }, (_, n) => list.push({ by, n }))),
      );
      const indexes = Array.from({ length: 100 }, (_, index) => index);
      assert.deepEqual(
        pushed.map(({ index }) => index).sort((a, b) => a - b),
        indexes,
      );
      const stored = await contentsOf(await (await client(t, 'reader')).list(name));
      assert.deepEqual(
        stored.map(([index]) => index),
        indexes,
      );
      for (const each of told) {
        await counted(each, 100);
        const byIndex = each.map(([, index, data]) => [index, data] as const).sort(([a], [b]) => Number(a) - Number(b));
        assert.deepEqual(byIndex, stored);
      }
    });

    test('[LST4] [LST24] what cannot be is refused by its code, in its order, and nothing changes (scenarios 52 and 53)', async (t) => {
      const { mine } = await share(t, { n: 0 });
      const connection = await raw(t);
      const items = `/v3/Lists/${mine.sid}/Items`;
      const large = JSON.stringify({ data: { t: 'x'.repeat(16_377) } });
      for (const [path, body, headers, status, code] of [
        [items, '{}', {}, 400, 54156],
        [items, '{"data":null}', {}, 400, 54156],
        [items, large, {}, 413, 54006],
        [items, '{"data":{},"ttl":-1}', {}, 400, 54011],
        [`${items}/0`, '{"data":null}', {}, 400, 54156],
        [`${items}/0`, large, {}, 413, 54006],
        [`${items}/0`, '{"data":{}}', { 'If-Match': 'nonsense!' }, 400, 54003],
        [`${items}/0`, '{"data":{}}', { 'If-Match': '7' }, 412, 54155],
        [`${items}/9`, '{"data":{}}', { 'If-Match': '7' }, 404, 54151],
        [`/v3/Lists/${missingSid}/Items`, '{"data":{}}', {}, 404, 54150],
      ] as const) {
        const answer = await connection.request('POST', path, body, headers);
        assert.deepEqual([answer.status, answer.body['code']], [status, code], `${path} ${body.slice(0, 40)}`);
      }
      const fresh = await (await client(t, 'cem')).list(mine.sid);
      assert.deepEqual([await contentsOf(fresh), fresh.lastEventId], [[[0, { n: 0 }]], 1]);
    });

    test('[EVT2] every change of a list reaches the other side in order, each once', async (t) => {
      const { mine, theirs } = await share(t);
      const remote = itemChanges(theirs);
      const expected: unknown[] = [];
      for (let n = 0; n < 20; n++) {
        await mine.push({ n });
        await mine.set(n, { n, again: true });
        expected.push(['added', n, { n }, 'other'], ['updated', n, { n, again: true }, 'other']);
        if (n % 3 !== 0) continue;
        await mine.remove(n);
        expected.push(['removed', n, { n, again: true }, 'other']);
      }
      await counted(remote, expected.length);
      assert.deepEqual(remote, expected);
    });
  });
}

interface Shared {
  readonly ann: SyncClient;
  readonly ben: SyncClient;
  /** Ann's. */
  readonly mine: SyncList;
  /** Ben's. */
  readonly theirs: SyncList;
}
