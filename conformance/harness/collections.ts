/** Lists and maps as one: what tests do to both in the same way. */

import type { SyncClient, SyncList, SyncMap } from 'twilio-sync';
import type { Collection } from './live-objects.ts';

export interface CollectionKind {
  readonly name: 'list' | 'map';
  /** The segment of its addresses. */
  readonly path: 'Lists' | 'Maps';
  /** The query parameter that asks for one item. */
  readonly one: 'Index' | 'Key';
  open(client: SyncClient, id: string): Promise<Collection>;
  /** What the n-th item that is put, counted from 0, is called; in the order of n. */
  keyOf(n: number): number | string;
  /** Makes the item that is called so; of a list only the next one can be. */
  put(collection: Collection, key: number | string, data: Record<string, unknown>, ttl?: number): Promise<unknown>;
  /** Replaces the data of an item. */
  set(collection: Collection, key: number | string, data: Record<string, unknown>): Promise<unknown>;
}

const metadata = (ttl: number | undefined): { ttl: number } | undefined => (ttl === undefined ? undefined : { ttl });

const lists: CollectionKind = {
  name: 'list',
  path: 'Lists',
  one: 'Index',
  open: (client, id) => client.list(id),
  keyOf: (n) => n,
  put: (list, _index, data, ttl) => (list as SyncList).push(data, metadata(ttl)),
  set: (list, index, data) => (list as SyncList).set(index as number, data),
};

const maps: CollectionKind = {
  name: 'map',
  path: 'Maps',
  one: 'Key',
  open: (client, id) => client.map(id),
  // With what would spoil an address or an order by bytes of UTF-8.
  keyOf: (n) => `k/${n % 2 === 0 ? '\u{1F600}' : '\uFF21'}%${String(n).padStart(4, '0')}`,
  put: (map, key, data, ttl) => (map as SyncMap).set(key as string, data, metadata(ttl)),
  set: (map, key, data) => (map as SyncMap).set(key as string, data),
};

export const collectionKinds: readonly CollectionKind[] = [lists, maps];

/** Puts items 0 to `count` - 1, each with its number as `n`; resolves with what they are called, in order. */
export async function fill(kind: CollectionKind, collection: Collection, count: number): Promise<(number | string)[]> {
  const keys = Array.from({ length: count }, (_, n) => kind.keyOf(n));
  for (let n = 0; n < count; n += 50) {
    await Promise.all(keys.slice(n, n + 50).map((key, i) => kind.put(collection, key, { n: n + i })));
  }
  return keys.sort((a, b) => (a < b ? -1 : 1));
}
