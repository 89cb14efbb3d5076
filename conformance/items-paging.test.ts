/** Pages of lists and maps: through the official SDK, and on the wire as other clients ask. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient } from 'twilio-sync';
import { connectedClient } from './harness/clients.ts';
import { collectionKinds, fill } from './harness/collections.ts';
import type { CollectionKind } from './harness/collections.ts';
import { contentsOf, counted, itemChanges, keyOf, live, walk } from './harness/live-objects.ts';
import type { Collection, Page } from './harness/live-objects.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startEveryStore } from './harness/service.ts';
import type { Service } from './harness/service.ts';

interface RawPage {
  readonly keys: readonly (number | string)[];
  readonly previous: string | null;
  readonly next: string | null;
  /** Of the items in the answer. */
  readonly bytes: number;
}

type Key = number | string;

/** One way to a service, for one kind of collection. */
class Reader {
  readonly kind: CollectionKind;
  readonly #t: TestContext;
  readonly #service: Service;

  constructor(t: TestContext, service: Service, kind: CollectionKind) {
    this.kind = kind;
    this.#t = t;
    this.#service = service;
  }

  client(identity: string): Promise<SyncClient> {
    return connectedClient(this.#t, this.#service.socketUrl, identity);
  }

  /** A new collection with items 0 to `count` - 1, and their names in order. */
  async filled(count: number): Promise<{ written: Collection; keys: readonly Key[] }> {
    const written = await this.kind.open(await this.client('writer'), randomUUID());
    return { written, keys: await fill(this.kind, written, count) };
  }

  /** The same collection for another client, which has nothing of it in its cache. */
  async fresh(written: Collection): Promise<Collection> {
    return await this.kind.open(await this.client('reader'), written.sid);
  }

  /** Asks for pages as they are on the wire. Values are encoded here. */
  async pages(written: Collection): Promise<(params: Readonly<Record<string, unknown>>) => Promise<RawPage>> {
    const raw = new RawConnection(this.#t, this.#service.socketUrl);
    await raw.init('raw');
    return async (params) => {
      const encoded = Object.fromEntries(
        Object.entries(params).map(([name, value]) => [name, encodeURIComponent(String(value))]),
      );
      const path = `/v3/${this.kind.path}/${written.sid}/Items`;
      const { status, body } = await raw.request('GET', path, '', {}, encoded);
      assert.equal(status, 200, JSON.stringify(body));
      const meta = body['meta'] as { previous_token: string | null; next_token: string | null };
      const items = body['items'] as { index?: number; key?: string }[];
      const bytes = Buffer.byteLength(JSON.stringify(items));
      return { keys: items.map(keyOf), previous: meta.previous_token, next: meta.next_token, bytes };
    };
  }
}

const keysOf = (page: Page): Key[] => page.items.map(keyOf);

for (const [store, service] of await startEveryStore()) {
  for (const kind of collectionKinds) {
    const reader = (t: TestContext): Reader => new Reader(t, service, kind);

    suite(`pages of a ${kind.name} on ${store}`, { concurrency: true }, () => {
      test('[LST22] [MAP23] an empty one has one empty page (scenarios 69 and 89)', async (t) => {
        const { written } = await reader(t).filled(0);
        const page: Page = await (await reader(t).fresh(written)).getItems({});
        assert.deepEqual([page.items, page.hasNextPage, page.hasPrevPage], [[], false, false]);
        await assert.rejects(page.nextPage());
        const raw = await (await reader(t).pages(written))({});
        assert.deepEqual([raw.keys, raw.previous, raw.next], [[], null, null]);
      });

      test('[LST22] [MAP23] 250 items in both directions, in pages of every size (scenarios 65, 66, 70, 85, 86 and 90)', async (t) => {
        const { written, keys } = await reader(t).filled(250);
        for (const pageSize of [7, 50, 100, 250, 1000]) {
          for (const order of ['asc', 'desc'] as const) {
            const fresh = await reader(t).fresh(written);
            const items = await walk(fresh.getItems({ pageSize, order }));
            const wanted = order === 'asc' ? keys : keys.toReversed();
            assert.deepEqual(items.map(keyOf), wanted, `${pageSize} ${order}`);
          }
        }
      });

      test('[LST22] [MAP23] from starts at that item, and there is something before it (scenarios 67 and 87)', async (t) => {
        const { written, keys } = await reader(t).filled(60);
        for (const order of ['asc', 'desc'] as const) {
          const wanted = order === 'asc' ? keys : keys.toReversed();
          const fresh = await reader(t).fresh(written);
          const page = await fresh.getItems({ from: wanted[20], pageSize: 15, order });
          assert.deepEqual([keysOf(page), page.hasPrevPage, page.hasNextPage], [wanted.slice(20, 35), true, true]);
          const rest = await walk(page.nextPage());
          assert.deepEqual(rest.map(keyOf), wanted.slice(35));
        }
      });

      test('[LST22] [MAP23] a page back over what was read is the page before (scenarios 68 and 88)', async (t) => {
        const { written, keys } = await reader(t).filled(60);
        const fresh = await reader(t).fresh(written);
        const first = await fresh.getItems({ pageSize: 20 });
        assert.equal(first.hasPrevPage, false);
        const second = await first.nextPage();
        const third = await second.nextPage();
        assert.deepEqual([keysOf(third), third.hasNextPage], [keys.slice(40), false]);
        const back = await third.prevPage();
        assert.deepEqual(keysOf(back), keys.slice(20, 40));
        await assert.rejects(first.prevPage());
      });

      test('[LST22] [MAP23] what was read stays right while others write (scenarios 71 and 91)', async (t) => {
        const { written, keys } = await reader(t).filled(120);
        const read = await live(reader(t).fresh(written));
        assert.equal((await walk(read.getItems({}))).length, 120);
        const told = itemChanges(read);
        for (const n of [30, 31, 60, 90]) await written.remove(keys[n]!);
        for (const n of [10, 50, 51]) await kind.set(written, keys[n]!, { changed: n });
        for (let n = 120; n < 125; n++) await kind.put(written, kind.keyOf(n), { n });
        await counted(told, 12);
        const expected = await contentsOf(await reader(t).fresh(written));
        assert.equal(expected.length, 121);
        assert.deepEqual(await contentsOf(read), expected);
      });

      test('[LST22] [MAP23] one item by its name, none if it is not there', async (t) => {
        const { written, keys } = await reader(t).filled(3);
        const ask = await reader(t).pages(written);
        assert.deepEqual((await ask({ [kind.one]: keys[1] })).keys, [keys[1]]);
        await written.remove(keys[1]!);
        assert.deepEqual((await ask({ [kind.one]: keys[1] })).keys, []);
      });

      test('[LST22] [MAP23] tokens tell whether there is more on either side, with from and bounds in both orders', async (t) => {
        const { written, keys } = await reader(t).filled(10);
        const ask = await reader(t).pages(written);
        for (const order of ['asc', 'desc'] as const) {
          const wanted = order === 'asc' ? keys : keys.toReversed();
          const shown = async (params: object): Promise<unknown[]> => {
            const page = await ask({ Order: order, ...params });
            return [page.keys, page.previous !== null, page.next !== null];
          };
          assert.deepEqual(await shown({}), [wanted, false, false]);
          assert.deepEqual(await shown({ PageSize: 10 }), [wanted, false, false]);
          assert.deepEqual(await shown({ PageSize: 9 }), [wanted.slice(0, 9), false, true]);
          const [first, fifth, last] = [wanted[0], wanted[5], wanted[9]];
          assert.deepEqual(await shown({ From: first, PageSize: 3 }), [wanted.slice(0, 3), false, true]);
          assert.deepEqual(await shown({ From: fifth, PageSize: 3 }), [wanted.slice(5, 8), true, true]);
          assert.deepEqual(await shown({ From: fifth, Bounds: 'inclusive', PageSize: 3 }), [
            wanted.slice(5, 8),
            true,
            true,
          ]);
          assert.deepEqual(await shown({ From: fifth, Bounds: 'exclusive', PageSize: 3 }), [
            wanted.slice(6, 9),
            true,
            true,
          ]);
          assert.deepEqual(await shown({ From: fifth }), [wanted.slice(5), true, false]);
          assert.deepEqual(await shown({ From: last }), [wanted.slice(9), true, false]);
        }
      });

      test('[LST22] [MAP23] from may name an item that is gone: the next one in order is first', async (t) => {
        const { written, keys } = await reader(t).filled(10);
        await written.remove(keys[5]!);
        const ask = await reader(t).pages(written);
        const up = await ask({ From: keys[5], PageSize: 2 });
        const down = await ask({ From: keys[5], PageSize: 2, Order: 'desc' });
        assert.deepEqual([up.keys, down.keys], [keys.slice(6, 8), [keys[4], keys[3]]]);
        assert.deepEqual([up.previous !== null, down.previous !== null], [true, true]);
      });

      test('[LST23] [MAP23] large pages are cut to 100 items, and 50 are the default', async (t) => {
        const { written, keys } = await reader(t).filled(130);
        const ask = await reader(t).pages(written);
        for (const PageSize of [100, 101, 1001]) {
          const page = await ask({ PageSize });
          assert.deepEqual([page.keys, page.next !== null], [keys.slice(0, 100), true]);
        }
        assert.deepEqual((await ask({})).keys, keys.slice(0, 50));
      });

      test('[LST23] [MAP23] pages of large items are cut by their bytes, and none is missed', async (t) => {
        const written = await kind.open(await reader(t).client('writer'), randomUUID());
        const keys = Array.from({ length: 40 }, (_, n) => kind.keyOf(n));
        for (const key of keys) await kind.put(written, key, { text: 'x'.repeat(15_000) });
        const page = await (await reader(t).pages(written))({ PageSize: 100 });
        assert.ok(page.keys.length > 1 && page.next !== null, `${page.keys.length} items`);
        // 256 KiB of data, and what stands around each.
        assert.ok(page.bytes < 300_000, `${page.bytes} bytes`);
        const items = await walk((await reader(t).fresh(written)).getItems({ pageSize: 100 }));
        assert.equal(new Set(items.map(keyOf)).size, 40);
      });

      test('[LST22] [MAP23] [TTL5] expired items are in no page', async (t) => {
        const { written, keys } = await reader(t).filled(3);
        const told = itemChanges(await live(reader(t).fresh(written)));
        await kind.put(written, kind.keyOf(3), { n: 3 }, 1);
        await counted(told, 2);
        assert.deepEqual((await (await reader(t).pages(written))({})).keys, keys);
      });

      test('[LST22] [MAP23] a walk by tokens repeats and skips nothing while items come and go', async (t) => {
        for (const order of ['asc', 'desc'] as const) {
          const { written, keys } = await reader(t).filled(60);
          const wanted = order === 'asc' ? keys : keys.toReversed();
          const ask = await reader(t).pages(written);
          const seen: Key[] = [];
          const goes = new Set<Key>();
          let page = await ask({ Order: order, PageSize: 8 });
          for (let n = 60; ; n++) {
            seen.push(...page.keys);
            if (page.next === null) break;
            // The last one that was shown goes, so does one still to come, and a new one comes.
            const at = wanted.indexOf(page.keys.at(-1)!);
            for (const key of [wanted[at], wanted[at + 3]]) {
              if (key === undefined || goes.has(key)) continue;
              goes.add(key);
              await written.remove(key);
            }
            await kind.put(written, kind.keyOf(n), { n });
            page = await ask({ PageToken: page.next });
          }
          const stays = wanted.filter((key) => !goes.has(key));
          assert.equal(new Set(seen).size, seen.length, 'none comes twice');
          assert.deepEqual(
            seen.filter((key) => stays.includes(key)),
            stays,
          );
          const sorted = seen.toSorted((a, b) => (a < b === (order === 'asc') ? -1 : 1));
          assert.deepEqual(seen, sorted, 'in order');
        }
      });

      test('[LST22] [MAP23] a walk back by tokens meets the pages of the way there', async (t) => {
        const { written } = await reader(t).filled(50);
        const ask = await reader(t).pages(written);
        const pages = [await ask({ PageSize: 8 })];
        while (pages.at(-1)!.next !== null) pages.push(await ask({ PageToken: pages.at(-1)!.next }));
        assert.equal(pages.length, 7);
        for (let at = pages.length - 1; at > 0; at--) {
          const back = await ask({ PageToken: pages[at]!.previous });
          assert.deepEqual(back.keys, pages[at - 1]!.keys, `page ${at - 1}`);
        }
      });
    });
  }

  suite(`page parameters on ${store}`, { concurrency: true }, () => {
    test('[LST22] [LST23] [LST24] what cannot be is refused by its code', async (t) => {
      const raw = new RawConnection(t, service.socketUrl);
      await raw.init('raw');
      const sid = String((await raw.request('POST', '/v3/Lists', '{}')).body['sid']);
      for (const [params, code] of [
        [{ PageSize: '0' }, 54454],
        [{ PageSize: 'many' }, 54454],
        [{ PageToken: 'nonsense' }, 54453],
        [{ From: 'x' }, 54458],
        [{ Index: '-1' }, 54458],
      ] as const) {
        const { status, body } = await raw.request('GET', `/v3/Lists/${sid}/Items`, '', {}, params);
        assert.deepEqual([status, body['code']], [400, code], JSON.stringify(params));
      }
    });
  });
}
