/** Lists and maps over lost connections: what was missed is told at the return, once, and everybody ends equal. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncMap } from 'twilio-sync';
import { connectedClient } from './harness/clients.ts';
import { collectionKinds, fill } from './harness/collections.ts';
import type { CollectionKind } from './harness/collections.ts';
import { nextEvent, recorded, until } from './harness/deadline.ts';
import { contentsOf, counted, itemChanges, live, viewOf } from './harness/live-objects.ts';
import type { Collection } from './harness/live-objects.ts';
import { randomOf } from './harness/random.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import type { Relay } from './harness/relay.ts';
import { startEveryStore } from './harness/service.ts';

interface Away {
  /** Always connected. */
  readonly here: Collection;
  /** Of a client whose connection goes through the relay. */
  readonly there: Collection;
  readonly client: SyncClient;
  readonly relay: Relay;
  readonly keys: readonly (number | string)[];
  /** Drops the connection, does this, lets it back, and resolves when the subscription stands again. */
  readonly during: (change: () => Promise<void>) => Promise<void>;
}

/** Little waits for each client. */
const narrow = await startEveryStore({ OUTBOX_BYTES: '100000' });

for (const [store, service] of await startEveryStore({ SWEEP_INTERVAL_MS: '50' })) {
  const relayTo = async (t: TestContext): Promise<Relay> => {
    const relay = await startRelay({ targetPort: service.relay.port });
    t.after(() => relay.close());
    return relay;
  };

  /** A collection with `count` items that one client watches and another changes. */
  const share = async (t: TestContext, kind: CollectionKind, count: number): Promise<Away> => {
    const relay = await relayTo(t);
    const [writer, client] = await Promise.all([
      connectedClient(t, service.socketUrl, 'writer'),
      connectedClient(t, relay.socketUrl, 'reader'),
    ]);
    const here = await live(kind.open(writer, randomUUID()));
    const keys = await fill(kind, here, count);
    const there = await live(kind.open(client, here.sid));
    const during = async (change: () => Promise<void>): Promise<void> => {
      relay.refuse(true);
      relay.cut();
      await change();
      const back = nextEvent<string>(there, '_subscriptionStateChanged', (state) => state === 'established');
      relay.refuse(false);
      await back;
    };
    return { here, there, client, relay, keys, during };
  };

  for (const kind of collectionKinds) {
    suite(`a ${kind.name} and lost connections on ${store}`, { concurrency: true }, () => {
      test('[EVT5] [SUB7] the latest of each changed item is told at the return, removals too (scenarios 104, 105 and 106)', async (t) => {
        const { here, there, keys, during } = await share(t, kind, 4);
        const [kept, changed, gone, both] = keys;
        assert.equal((await contentsOf(there)).length, 4);
        const told = itemChanges(there);
        const added = kind.keyOf(4);
        await during(async () => {
          await kind.set(here, changed!, { n: 'first' });
          await kind.set(here, both!, { n: 'lost' });
          await here.remove(gone!);
          await kind.set(here, changed!, { n: 'last' });
          await kind.put(here, added, { n: 'new' });
          await here.remove(both!);
        });
        await kind.set(here, kept!, { n: 'live' });
        await counted(told, 5);
        assert.deepEqual(
          told.map(([what, key]) => [what, key]),
          [
            ['removed', gone],
            ['updated', changed],
            ['added', added],
            ['removed', both],
            ['updated', kept],
          ],
        );
        assert.deepEqual(
          told.filter(([what]) => what !== 'removed').map(([, , data, by]) => [data, by]),
          ['last', 'new', 'live'].map((n) => [{ n }, 'other']),
        );
        assert.deepEqual(await contentsOf(there), await contentsOf(here));
      });

      test('[SUB7] [SUB2] who missed nothing is told nothing, not of own writes and removals either (scenarios 120 and 135)', async (t) => {
        const { here, there, keys, during } = await share(t, kind, 2);
        await kind.put(there, kind.keyOf(2), { n: 2 });
        await kind.set(there, keys[0]!, { n: 'mine' });
        await there.remove(keys[1]!);
        const told = itemChanges(there);
        await during(async () => {});
        await kind.set(here, keys[0]!, { n: 'theirs' });
        await counted(told, 1);
        assert.deepEqual(told, [['updated', keys[0], { n: 'theirs' }, 'other']]);
      });

      test(`[SUB3] a ${kind.name} removed while away fires removed at the return, made again under its name or not`, async (t) => {
        const { here, there, relay } = await share(t, kind, 2);
        const told = itemChanges(there);
        const ends = recorded<{ isLocal: boolean }>(there, 'removed');
        const removed = nextEvent(there, 'removed');
        relay.refuse(true);
        relay.cut();
        const raw = new RawConnection(t, service.socketUrl);
        await raw.init('raw');
        assert.equal((await raw.request('DELETE', `/v3/${kind.path}/${here.sid}`)).status, 204);
        const name = (here as unknown as { uniqueName: string }).uniqueName;
        const made = await raw.request('POST', `/v3/${kind.path}`, JSON.stringify({ unique_name: name }));
        assert.equal(made.status, 201);
        relay.refuse(false);
        await removed;
        assert.deepEqual([ends, told], [[{ isLocal: false }], []]);
      });

      test('[EVT5] [TTL5] what ran out while away is told as removed at the return', async (t) => {
        const { here, there, during } = await share(t, kind, 1);
        const key = kind.keyOf(1);
        const told = itemChanges(there);
        const gone = nextEvent(here, 'itemRemoved');
        await kind.put(here, key, { n: 1 }, 1);
        await counted(told, 1);
        await during(async () => void (await gone));
        await counted(told, 2);
        assert.deepEqual(told[1]?.slice(0, 2), ['removed', key]);
      });

      test('[EVT5] [SUB7] who missed hundreds of changes ends equal to the store', async (t) => {
        const { here, there, keys, during } = await share(t, kind, 300);
        const told = itemChanges(there);
        await during(async () => {
          for (let n = 0; n < 300; n += 50) {
            const some = keys.slice(n, n + 50);
            await Promise.all(
              some.map((key, i) => (i % 3 === 0 ? here.remove(key) : kind.set(here, key, { again: n + i }))),
            );
          }
          await Promise.all(Array.from({ length: 50 }, (_, i) => kind.put(here, kind.keyOf(300 + i), { n: 300 + i })));
        });
        await counted(told, 350);
        assert.equal(told.length, 350);
        assert.deepEqual(viewOf(told), new Map(await contentsOf(here)));
      });

      test('[SUB7] [EVT2] two writers and a reader under dropped connections end equal (scenarios 114 and 115)', async (t) => {
        const random = randomOf(20_261_124);
        const relays = await Promise.all([relayTo(t), relayTo(t), relayTo(t)]);
        const name = randomUUID();
        const clients = await Promise.all(
          relays.map(({ socketUrl }, i) => connectedClient(t, socketUrl, `client-${i}`)),
        );
        const opened: Collection[] = [];
        for (const client of clients) opened.push(await live(kind.open(client, name)));
        const told = opened.map((collection) => itemChanges(collection));
        let isOver = false;
        let written = 0;
        const write = async (collection: Collection, by: number): Promise<void> => {
          for (let n = 0; !isOver; n++) {
            const key = kind.keyOf(random(30));
            const call =
              random(3) === 0
                ? collection.remove(key)
                : kind.name === 'map' || random(2) === 0
                  ? kind.put(collection, key, { by, n })
                  : kind.set(collection, key, { by, n });
            // A lost connection, or an item that the other has removed.
            await call.then(
              () => written++,
              () => undefined,
            );
          }
        };
        const writing = [write(opened[0]!, 0), write(opened[1]!, 1)];
        for (let cut = 0; cut < 9; cut++) {
          const target = written + 15;
          await until('both write', () => written > target, 25_000);
          relays[cut % 3]!.cut();
        }
        isOver = true;
        await Promise.all(writing);
        const reader = await connectedClient(t, service.socketUrl, 'after');
        const stored = new Map(await contentsOf(await kind.open(reader, name)));
        for (const each of told) {
          await until(
            () => `the view is ${stored.size} items; it is ${viewOf(each).size}`,
            () => isEqual(viewOf(each), stored),
          );
        }
        assert.ok(relays.every((relay) => relay.accepted > 1));
      });
    });
  }

  suite(`much that was missed, on ${store}`, { concurrency: true }, () => {
    for (const kind of collectionKinds) {
      test(`[SUB8] [EVT5] more of a ${kind.name} than has room at once comes in parts (scenario 110)`, async (t) => {
        let parts = 0;
        const small = narrow.find(([name]) => name === store)![1];
        const relay = await startRelay({
          targetPort: small.relay.port,
          onMessage: ({ from, bytes }) => {
            if (from === 'server' && bytes.includes('"interrupted"')) parts++;
            return 'pass';
          },
        });
        t.after(() => relay.close());
        const here = await kind.open(await connectedClient(t, small.socketUrl, 'writer'), randomUUID());
        const there = await live(kind.open(await connectedClient(t, relay.socketUrl, 'reader'), here.sid));
        const told = itemChanges(there);
        relay.refuse(true);
        relay.cut();
        for (let n = 0; n < 40; n++) await kind.put(here, kind.keyOf(n), { n, text: 'x'.repeat(15_000) });
        relay.refuse(false);
        await counted(told, 40);
        assert.deepEqual(viewOf(told), new Map(await contentsOf(here)));
        assert.equal(told.length, 40);
        assert.ok(parts >= 3, `${parts} parts`);
        await kind.set(here, kind.keyOf(0), { live: true });
        await counted(told, 41);
      });
    }
  });

  suite(`a map and lost connections on ${store}, keys that come back`, { concurrency: true }, () => {
    test('[EVT5] [MAP6] a key removed and added again while away is told with its new value (scenario 104)', async (t) => {
      const { here, there, during } = await share(t, collectionKinds[1]!, 1);
      const map = here as unknown as SyncMap;
      const key = String(collectionKinds[1]!.keyOf(0));
      assert.equal((await contentsOf(there)).length, 1);
      const told = itemChanges(there);
      await during(async () => {
        await map.remove(key);
        await map.set(key, { again: true });
      });
      await counted(told, 1);
      // The SDK still has the item, so to the application it is an update.
      assert.deepEqual(told, [['updated', key, { again: true }, 'other']]);
      const item = await (there as unknown as SyncMap).mutate(key, (data) => Object.assign(data, { more: 1 }));
      assert.deepEqual([item.data, item.revision], [{ again: true, more: 1 }, '4']);
    });

    test('[EVT5] on the wire: the reply, the latest of each item by event id, the outcome, then live events', async (t) => {
      const connection = new RawConnection(t, service.socketUrl);
      await connection.init('raw');
      const sid = String((await connection.request('POST', '/v3/Maps', '{}')).body['sid']);
      const put = (key: string, n: number): Promise<unknown> =>
        connection.request('PUT', `/v3/Maps/${sid}/Items/${key}`, `{"data":{"n":${n}}}`);
      for (const [key, n] of [
        ['a', 1],
        ['b', 2],
        ['a', 3],
        ['c', 4],
      ] as const) {
        await put(key, n);
      }
      await connection.request('DELETE', `/v3/Maps/${sid}/Items/b`);
      await put('c', 6);
      await connection.request('DELETE', `/v3/Maps/${sid}/Items/c`);
      await put('c', 8);
      await connection.subscribe('establish', 7, [[sid, 2]]);
      await put('d', 9);
      await until('the live event', () => connection.notifications('map_item_added').some((told) => idOf(told) === 9));
      const told = connection.frames
        .filter(({ method }) => method === 'notification')
        .map(({ payload }) => JSON.parse(payload) as Record<string, unknown>)
        .map((payload) => [payload['event_type'], idOf(payload)]);
      assert.deepEqual(told, [
        ['map_item_updated', 3],
        ['map_item_removed', 5],
        ['map_item_added', 8],
        ['subscription_established', undefined],
        ['map_item_added', 9],
      ]);
      const [outcome] = connection.notifications('subscription_established');
      const [entry] = outcome!['events'] as Record<string, unknown>[];
      assert.deepEqual([entry?.['last_event_id'], entry?.['replay_status']], [8, 'completed']);
    });

    test('[SUB1] opened while it is being written: nothing is lost, doubled or out of order (scenario 112)', async (t) => {
      const [ann, ben] = await Promise.all([
        connectedClient(t, service.socketUrl, 'ann'),
        connectedClient(t, service.socketUrl, 'ben'),
      ]);
      const written = await ann.map(randomUUID());
      let isOver = false;
      let n = 0;
      const writing = (async () => {
        for (; !isOver; n++) await written.set(`key-${n % 7}`, { n });
      })();
      for (let round = 0; round < 4; round++) {
        const opened = await ben.map(written.sid);
        const told = itemChanges(opened);
        await counted(told, 20);
        const numbers = told.map(([, , data]) => (data as { n: number }).n);
        for (let at = 1; at < numbers.length; at++) assert.ok(numbers[at]! > numbers[at - 1]!, numbers.join());
        opened.close();
      }
      isOver = true;
      await writing;
      const last = await live(ben.map(written.sid));
      assert.deepEqual(
        await contentsOf(last),
        await contentsOf(await (await connectedClient(t, service.socketUrl, 'cem')).map(written.sid)),
      );
    });
  });
}

function idOf(payload: Readonly<Record<string, unknown>>): unknown {
  return (payload['event'] as { id?: number } | undefined)?.id ?? (payload['events'] as { id?: number }[])[0]?.id;
}

function isEqual(one: ReadonlyMap<unknown, unknown>, other: ReadonlyMap<unknown, unknown>): boolean {
  if (one.size !== other.size) return false;
  return [...other].every(([key, value]) => JSON.stringify(one.get(key)) === JSON.stringify(value));
}
