/** The tables of the memory engine, loaded from and written to. */

import type { Need, ObjectNeed } from '../../core/command.ts';
import type {
  AccountRow,
  ItemKey,
  KeyRow,
  MarkerRow,
  ObjectRow,
  ServiceRow,
  Sid,
  StoredItem,
} from '../../core/object.ts';
import { itemKey, Loaded, nameKey, oldMarkersKey } from '../apply.ts';
import type { WriteSet } from '../apply.ts';

export interface StoredObject {
  readonly row: ObjectRow;
  /** Of a document; else null. */
  readonly data: string | null;
}

/** The items of a list or map, and the markers of those removed. */
export class Collection {
  readonly items: Map<ItemKey, StoredItem> = new Map();
  readonly markers: Map<ItemKey, MarkerRow> = new Map();
  /** Made when first asked for after a key came or went. */
  #sorted: readonly ItemKey[] | undefined;

  /** Numbers by size, texts by UTF-16 code units. */
  get sortedKeys(): readonly ItemKey[] {
    this.#sorted ??= [...this.items.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.#sorted;
  }

  setItem(key: ItemKey, item: StoredItem | null): void {
    if (item === null ? this.items.delete(key) : !this.items.has(key)) this.#sorted = undefined;
    if (item !== null) this.items.set(key, item);
  }

  setMarker(key: ItemKey, row: MarkerRow | null): void {
    if (row === null) this.markers.delete(key);
    else this.markers.set(key, row);
  }
}

export interface Tables {
  account: AccountRow | undefined;
  readonly services: Map<Sid, ServiceRow>;
  readonly keys: Map<Sid, KeyRow>;
  readonly objects: Map<Sid, StoredObject>;
  readonly names: Map<string, Sid>;
  readonly collections: Map<Sid, Collection>;
  readonly purges: Set<Sid>;
}

export function newTables(): Tables {
  return {
    account: undefined,
    services: new Map(),
    keys: new Map(),
    objects: new Map(),
    names: new Map(),
    collections: new Map(),
    purges: new Set(),
  };
}

export function load(tables: Tables, needs: readonly Need[]): Loaded {
  const loaded = new Loaded();
  for (const need of needs) loadOne(tables, need, loaded);
  return loaded;
}

function loadOne(tables: Tables, need: Need, loaded: Loaded): void {
  switch (need.need) {
    case 'account':
      loaded.account = tables.account;
      return;
    case 'service':
      copy(need.sid, tables.services, loaded.services);
      return;
    case 'key':
      copy(need.sid, tables.keys, loaded.keys);
      return;
    case 'object':
    case 'name':
      loadObject(tables, need, loaded);
      return;
    case 'item': {
      const object = loadObject(tables, need.of, loaded);
      const collection = object === undefined ? undefined : tables.collections.get(object);
      if (object === undefined || collection === undefined) return;
      const at = itemKey(object, need.key);
      const item = collection.items.get(need.key);
      const marker = collection.markers.get(need.key);
      if (item !== undefined) loaded.items.set(at, item);
      else if (marker !== undefined) loaded.markers.set(at, marker);
      return;
    }
    case 'purge':
      loadRemains(tables, need.object, need.limit, loaded);
      return;
    case 'oldMarkers': {
      loadObject(tables, { need: 'object', sid: need.object }, loaded);
      const markers = byEventId(tables.collections.get(need.object)?.markers.values() ?? [])
        .filter(({ eventId }) => eventId <= need.upTo)
        .slice(0, need.limit);
      loaded.oldMarkers.set(oldMarkersKey(need.object, need.upTo), markers);
      for (const marker of markers) loaded.markers.set(itemKey(need.object, marker.key), marker);
    }
  }
}

/** Returns the sid that the need means, whether or not an object is there. */
function loadObject(tables: Tables, need: ObjectNeed, loaded: Loaded): Sid | undefined {
  let sid: Sid | undefined;
  if (need.need === 'object') sid = need.sid;
  else {
    const key = nameKey(need.service, need.kind, need.name);
    copy(key, tables.names, loaded.names);
    sid = tables.names.get(key);
  }
  const found = sid === undefined ? undefined : tables.objects.get(sid);
  if (found !== undefined) loaded.objects.set(found.row.sid, found.row);
  return sid;
}

function loadRemains(tables: Tables, object: Sid, limit: number, loaded: Loaded): void {
  if (!tables.purges.has(object)) return;
  const collection = tables.collections.get(object);
  const items = (collection?.sortedKeys ?? []).slice(0, limit);
  const markers = [...(collection?.markers.keys() ?? [])]
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, limit - items.length);
  loaded.purges.set(object, { items, markers, isAll: items.length + markers.length < limit });
}

export function byEventId(markers: Iterable<MarkerRow>): MarkerRow[] {
  return [...markers].sort((a, b) => a.eventId - b.eventId);
}

function copy<T>(key: string, from: ReadonlyMap<string, T>, to: Map<string, T>): void {
  const value = from.get(key);
  if (value !== undefined) to.set(key, value);
}

export function write(tables: Tables, writes: WriteSet): void {
  if (writes.account !== undefined) tables.account = writes.account;
  for (const [sid, row] of writes.services) tables.services.set(sid, row);
  for (const [sid, row] of writes.keys) tables.keys.set(sid, row);
  for (const [sid, row] of writes.objects) {
    if (row === null) tables.objects.delete(sid);
    else tables.objects.set(sid, { row, data: writes.bodies.get(sid) ?? tables.objects.get(sid)?.data ?? null });
  }
  for (const [key, holder] of writes.names) {
    if (holder.sid === null) tables.names.delete(key);
    else tables.names.set(key, holder.sid);
  }
  for (const { object, key, stored } of writes.items.values()) collectionOf(tables, object).setItem(key, stored);
  for (const { object, key, row } of writes.markers.values()) collectionOf(tables, object).setMarker(key, row);
  for (const [object, state] of writes.purges) {
    if (state === null) {
      tables.purges.delete(object);
      tables.collections.delete(object);
    } else tables.purges.add(object);
  }
}

function collectionOf(tables: Tables, object: Sid): Collection {
  let collection = tables.collections.get(object);
  if (collection === undefined) tables.collections.set(object, (collection = new Collection()));
  return collection;
}
