/** The life of lists, maps and streams with an older version of the official SDK, beside the present one. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { SyncClient as SyncClient3 } from 'twilio-sync-3';
import { connectedClient } from './harness/clients.ts';
import { libraryToken } from './harness/credentials.ts';
import { nextEvent, recorded, until, within } from './harness/deadline.ts';
import { contentsOf, counted, itemChanges, live, viewOf } from './harness/live-objects.ts';
import { startRelay } from './harness/relay.ts';
import type { Relay } from './harness/relay.ts';
import { startEveryStore } from './harness/service.ts';

for (const [store, service] of await startEveryStore({ SWEEP_INTERVAL_MS: '50' })) {
  const connected = async (t: TestContext, identity: string): Promise<{ old: SyncClient3; relay: Relay }> => {
    const relay = await startRelay({ targetPort: service.relay.port });
    t.after(() => relay.close());
    const options = {
      twilsock: { uri: relay.socketUrl },
      retryPolicy: { min: 100, max: 2000, randomness: 0.2 },
      Sync: { enableSessionStorage: false },
      logLevel: 'silent' as const,
    };
    const old = new SyncClient3(libraryToken(identity), options);
    t.after(() => within('the older client shuts down', old.shutdown()));
    await until('connected', () => old.connectionState === 'connected');
    return { old, relay };
  };

  suite(`items with 3.3.10 on ${store}`, { concurrency: true }, () => {
    test('[LST1] [LST21] [SUB7] a list: push, set, mutate, hear, page, remove, be away, end', async (t) => {
      const { old, relay } = await connected(t, 'old');
      const present = await connectedClient(t, service.socketUrl, 'present');
      const mine = await live(old.list(randomUUID()));
      const theirs = await live(present.list(mine.sid));
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      for (let n = 0; n < 60; n++) assert.equal((await mine.push({ n })).index, n);
      await mine.set(1, { n: 'set' });
      await mine.mutate(2, (data) => Object.assign(data, { more: true }));
      await mine.remove(3);
      await counted(remote, 63);
      await theirs.set(0, { n: 'theirs' });
      await counted(local, 64);
      assert.deepEqual(local.at(-2), ['removed', 3, { n: 3 }, 'me']);
      assert.deepEqual(local.at(-1), ['updated', 0, { n: 'theirs' }, 'other']);
      const stored = await contentsOf(await (await connectedClient(t, service.socketUrl, 'cem')).list(mine.sid));
      assert.equal(stored.length, 59);
      const other = await (await connected(t, 'other')).old.list(mine.sid);
      for (const order of ['asc', 'desc'] as const) {
        let page = await other.getItems({ pageSize: 20, order });
        const seen = [...page.items];
        while (page.hasNextPage) seen.push(...(page = await page.nextPage()).items);
        const pairs = seen.map(({ index, data }) => [index, data]);
        assert.deepEqual(order === 'asc' ? pairs : pairs.toReversed(), stored, order);
      }
      relay.refuse(true);
      relay.cut();
      await theirs.remove(10);
      await theirs.push({ n: 'new' });
      relay.refuse(false);
      await counted(local, 66);
      assert.deepEqual(
        local.slice(64).map(([what, index]) => [what, index]),
        [
          ['removed', 10],
          ['added', 60],
        ],
      );
      assert.deepEqual(viewOf(local), viewOf(remote));
      const gone = nextEvent<{ isLocal: boolean }>(mine, 'removed');
      await theirs.removeList();
      assert.equal((await gone).isLocal, false);
    });

    test('[MAP1] [MAP20] [MAP21] a map: set, update, mutate, hear, remove and return, end', async (t) => {
      const { old } = await connected(t, 'old');
      const present = await connectedClient(t, service.socketUrl, 'present');
      const mine = await live(old.map(randomUUID()));
      const theirs = await live(present.map(mine.sid));
      const [local, remote] = [itemChanges(mine), itemChanges(theirs)];
      await mine.set('a/%2F', { n: 1 });
      await mine.update('a/%2F', { more: true });
      await mine.mutate('b', () => ({ n: 2 }));
      await mine.remove('b');
      await mine.set('b', { n: 3 });
      await counted(remote, 5);
      await theirs.set('\u{1F600}', { n: 4 });
      await counted(local, 6);
      const expected = [
        ['added', 'a/%2F', { n: 1 }],
        ['updated', 'a/%2F', { n: 1, more: true }],
        ['added', 'b', { n: 2 }],
        ['removed', 'b', { n: 2 }],
        ['added', 'b', { n: 3 }],
      ];
      assert.deepEqual(
        local.slice(0, 5),
        expected.map((change) => [...change, 'me']),
      );
      assert.deepEqual(
        remote.slice(0, 5),
        expected.map((change) => [...change, 'other']),
      );
      const gone = nextEvent<{ isLocal: boolean }>(theirs, 'removed');
      await mine.removeMap();
      assert.equal((await gone).isLocal, false);
    });

    test('[STR2] [STR21] a stream: publish, hear in order, end', async (t) => {
      const { old } = await connected(t, 'old');
      const present = await connectedClient(t, service.socketUrl, 'present');
      const mine = await live(old.stream(randomUUID()));
      const theirs = await live(present.stream(mine.sid));
      const [local, remote] = [
        recorded<Published>(mine, 'messagePublished'),
        recorded<Published>(theirs, 'messagePublished'),
      ];
      for (let n = 0; n < 10; n++) await mine.publishMessage({ n });
      await counted(remote, 10);
      await theirs.publishMessage({ n: 10 });
      await counted(local, 11);
      const told = (events: readonly Published[]): unknown[] =>
        events.map(({ message, isLocal }) => [message.data.n, isLocal]);
      const numbers = Array.from({ length: 11 }, (_, n) => n);
      assert.deepEqual(
        told(local),
        numbers.map((n) => [n, n < 10]),
      );
      assert.deepEqual(
        told(remote),
        numbers.map((n) => [n, n === 10]),
      );
      const gone = nextEvent<{ isLocal: boolean }>(mine, 'removed');
      await theirs.removeStream();
      assert.equal((await gone).isLocal, false);
    });
  });
}

interface Published {
  readonly message: { readonly data: { readonly n: number } };
  readonly isLocal: boolean;
}
