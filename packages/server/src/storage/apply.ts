/** A batch of commands against loaded rows: the one piece of logic that every storage engine shares. Pure. */

import { isRefusal } from '../core/change.ts';
import type { Change, Drop, Row } from '../core/change.ts';
import type { Command, Need } from '../core/command.ts';
import { decide, needs } from '../core/decide.ts';
import type {
  AccountRow,
  Instant,
  ItemKey,
  KeyRow,
  MarkerRow,
  ObjectKind,
  ObjectRow,
  ServiceRow,
  Sid,
  StoredItem,
} from '../core/object.ts';
import type { Remains, View } from '../core/view.ts';
import type { Outcome } from './storage.ts';

/** The rows that the needs of a batch found. What is absent here is absent in the store. */
export class Loaded {
  account: AccountRow | undefined = undefined;
  readonly services: Map<Sid, ServiceRow> = new Map();
  readonly keys: Map<Sid, KeyRow> = new Map();
  readonly objects: Map<Sid, ObjectRow> = new Map();
  /** From `nameKey` to the sid of the holder, whose row is in `objects`. */
  readonly names: Map<string, Sid> = new Map();
  /** By `itemKey`, as are the markers. */
  readonly items: Map<string, StoredItem> = new Map();
  readonly markers: Map<string, MarkerRow> = new Map();
  readonly purges: Map<Sid, Remains> = new Map();
  /** By `oldMarkersKey`. */
  readonly oldMarkers: Map<string, readonly MarkerRow[]> = new Map();
}

/** The rows that a batch leaves behind, each once however often the batch changed it. null: the row goes. */
export class WriteSet {
  account: AccountRow | undefined = undefined;
  readonly services: Map<Sid, ServiceRow> = new Map();
  readonly keys: Map<Sid, KeyRow> = new Map();
  readonly objects: Map<Sid, ObjectRow | null> = new Map();
  /** The last body that the batch gave an object. */
  readonly bodies: Map<Sid, string> = new Map();
  readonly names: Map<string, NameHolder> = new Map();
  /** By `itemKey`, as are the markers. */
  readonly items: Map<string, WrittenItem> = new Map();
  readonly markers: Map<string, WrittenMarker> = new Map();
  /** null: nothing is left of the object. */
  readonly purges: Map<Sid, 'begun' | null> = new Map();
}

export interface WrittenItem {
  readonly object: Sid;
  readonly key: ItemKey;
  /** null: the item goes. */
  readonly stored: StoredItem | null;
  /** Whether its data is to be written too. */
  readonly hasNewData: boolean;
}

export interface WrittenMarker {
  readonly object: Sid;
  readonly key: ItemKey;
  /** null: the marker goes. */
  readonly row: MarkerRow | null;
}

export interface NameHolder {
  readonly service: Sid;
  readonly kind: ObjectKind;
  readonly name: string;
  /** null: the name is free again. */
  readonly sid: Sid | null;
}

/** U+0000 is in no name, so the parts cannot run into each other. */
export function nameKey(service: Sid, kind: ObjectKind, name: string): string {
  return `${service}\u0000${kind}\u0000${name}`;
}

/** Keys of lists are numbers and those of maps texts, so those of one object cannot run into each other. */
export function itemKey(object: Sid, key: ItemKey): string {
  return `${object} ${key}`;
}

export function oldMarkersKey(object: Sid, upTo: number): string {
  return `${object} ${upTo}`;
}

/** What a batch must see, each thing once. */
export function needsOf(batch: readonly Command[]): readonly Need[] {
  const found = new Map<string, Need>();
  for (const command of batch) {
    for (const need of needs(command)) found.set(needKey(need), need);
  }
  return [...found.values()];
}

function needKey(need: Need): string {
  switch (need.need) {
    case 'account':
      return 'account';
    case 'name':
      return nameKey(need.service, need.kind, need.name);
    case 'item':
      return `item ${needKey(need.of)} ${need.key}`;
    case 'purge':
      return `purge ${need.object} ${need.limit}`;
    case 'oldMarkers':
      return `oldMarkers ${oldMarkersKey(need.object, need.upTo)}`;
    default:
      // With its kind: a client may ask for a document by any sid, also by that of a service.
      return `${need.need} ${need.sid}`;
  }
}

/** Decides the commands in order, each seeing what those before it left. */
export function decideBatch(
  batch: readonly Command[],
  loaded: Loaded,
  now: Instant,
): { readonly outcomes: readonly Outcome[]; readonly writes: WriteSet } {
  const writes = new WriteSet();
  const view = viewOf(loaded, writes);
  const outcomes = batch.map((command): Outcome => {
    const decision = decide(command, view, now);
    if (isRefusal(decision)) return decision;
    record(decision, loaded, writes);
    return { object: decision.object, item: decision.item, events: decision.events };
  });
  return { outcomes, writes };
}

function viewOf(loaded: Loaded, writes: WriteSet): View {
  const object = (sid: Sid): ObjectRow | undefined => overlay(sid, writes.objects, loaded.objects);
  return {
    account: () => writes.account ?? loaded.account,
    service: (sid) => overlay(sid, writes.services, loaded.services),
    key: (sid) => overlay(sid, writes.keys, loaded.keys),
    object,
    named(service, kind, name) {
      const key = nameKey(service, kind, name);
      const written = writes.names.get(key);
      const sid = written === undefined ? loaded.names.get(key) : written.sid;
      return sid === undefined || sid === null ? undefined : object(sid);
    },
    item(sid, key) {
      const at = itemKey(sid, key);
      const written = writes.items.get(at);
      return written === undefined ? loaded.items.get(at) : (written.stored ?? undefined);
    },
    marker(sid, key) {
      const at = itemKey(sid, key);
      const written = writes.markers.get(at);
      return written === undefined ? loaded.markers.get(at) : (written.row ?? undefined);
    },
    purge(sid) {
      const written = writes.purges.get(sid);
      if (written === null) return undefined;
      // What an object that went in this batch has left was not looked at.
      if (written === 'begun') return { items: [], markers: [], isAll: false };
      return loaded.purges.get(sid);
    },
    oldMarkers: (sid, upTo) => loaded.oldMarkers.get(oldMarkersKey(sid, upTo)) ?? [],
  };
}

function overlay<T>(sid: Sid, written: ReadonlyMap<Sid, T | null>, loaded: ReadonlyMap<Sid, T>): T | undefined {
  const row = written.get(sid);
  return row === undefined ? loaded.get(sid) : (row ?? undefined);
}

/** Drops come first: a name may pass from one object to the next inside one change. */
function record(change: Change, loaded: Loaded, writes: WriteSet): void {
  for (const drop of change.drop) recordDrop(drop, writes);
  for (const put of change.put) recordPut(put, loaded, writes);
}

function recordDrop(drop: Drop, writes: WriteSet): void {
  switch (drop.table) {
    case 'object':
      writes.objects.set(drop.row.sid, null);
      writes.bodies.delete(drop.row.sid);
      holdName(drop.row, null, writes);
      return;
    case 'item':
      writes.items.set(itemKey(drop.object, drop.key), { ...drop, stored: null, hasNewData: false });
      return;
    case 'marker':
      writes.markers.set(itemKey(drop.object, drop.key), { ...drop, row: null });
      return;
    case 'purge':
      writes.purges.set(drop.object, null);
  }
}

function recordPut(put: Row, loaded: Loaded, writes: WriteSet): void {
  switch (put.table) {
    case 'account':
      writes.account = put.row;
      return;
    case 'service':
      writes.services.set(put.row.sid, put.row);
      return;
    case 'key':
      writes.keys.set(put.row.sid, put.row);
      return;
    case 'object': {
      // A name is taken at creation and never changes.
      const isNew = overlay(put.row.sid, writes.objects, loaded.objects) === undefined;
      writes.objects.set(put.row.sid, put.row);
      if (put.data !== undefined) writes.bodies.set(put.row.sid, put.data);
      if (isNew) holdName(put.row, put.row.sid, writes);
      return;
    }
    case 'item': {
      const { object, key } = put.row;
      const at = itemKey(object, key);
      const written = writes.items.get(at);
      const data = put.data ?? (written === undefined ? loaded.items.get(at) : written.stored)?.data ?? '{}';
      const hasNewData = put.data !== undefined || written?.hasNewData === true;
      writes.items.set(at, { object, key, stored: { row: put.row, data }, hasNewData });
      return;
    }
    case 'marker': {
      const { object, key } = put.row;
      writes.markers.set(itemKey(object, key), { object, key, row: put.row });
      return;
    }
    case 'purge':
      writes.purges.set(put.object, 'begun');
  }
}

function holdName(row: ObjectRow, sid: Sid | null, writes: WriteSet): void {
  if (row.uniqueName === null) return;
  const holder = { service: row.service, kind: row.kind, name: row.uniqueName, sid };
  writes.names.set(nameKey(row.service, row.kind, row.uniqueName), holder);
}
