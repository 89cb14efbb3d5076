/** The rules of items of lists and maps. Each change of one takes the next event id of its object. */

import type { ErrorCode } from '@tallystick/protocol';
import { nothing } from './change.ts';
import type { Change, Drop, ObjectEvent, Refusal, Row } from './change.ts';
import type { AddItem, ItemWrite, PushItem, PutItem, RemoveItem, UpdateItem } from './command.ts';
import { itemEvent } from './event.ts';
import { missing } from './existence.ts';
import { expiryOf, isAlive, isRevision, revisionOf } from './object.ts';
import type {
  Identity,
  Instant,
  ItemKey,
  ItemRow,
  MarkerRow,
  ObjectKind,
  ObjectRef,
  ObjectRow,
  StoredItem,
} from './object.ts';
import { objectOf } from './view.ts';
import type { View } from './view.ts';

/** An object while items of it change, and all that follows. */
interface Progress {
  readonly object: ObjectRow;
  readonly put: readonly Row[];
  readonly drop: readonly Drop[];
  readonly events: readonly ObjectEvent[];
}

export function pushItem(command: PushItem, view: View, now: Instant): Change | Refusal {
  const object = aliveObject(view, command.ref, now);
  if (object === undefined) return missing(command.ref);
  const start = begin({ ...object, nextIndex: object.nextIndex + 1 }, command, now);
  return added(start, object.nextIndex, command, undefined, now);
}

/** Makes or replaces. A condition on a key that is not there fails as one on another revision does. [MAP5] */
export function putItem(command: PutItem, view: View, now: Instant): Change | Refusal {
  const { ref, key, ifMatch } = command;
  const object = aliveObject(view, ref, now);
  if (object === undefined) return missing(ref);
  const found = view.item(object.sid, key);
  const before = found !== undefined && isAlive(found.row, now) ? found : undefined;
  if (ifMatch === null) {
    if (before !== undefined) return { refused: 54205 };
  } else if (ifMatch !== undefined) {
    if (!isRevision(ifMatch)) return { refused: 54003 };
    if (before === undefined || ifMatch !== revisionOf(before.row.eventId)) return { refused: 54205 };
  }
  const start = begin(object, command, now);
  if (before !== undefined) return updated(start, before, command, command.data, now);
  return added(start, key, command, traceOf(view, object.sid, key, found), now);
}

export function addItem(command: AddItem, view: View, now: Instant): Change | Refusal {
  const { ref, key } = command;
  const object = aliveObject(view, ref, now);
  if (object === undefined) return missing(ref);
  const found = view.item(object.sid, key);
  if (found !== undefined && isAlive(found.row, now)) return { refused: 54208 };
  return added(begin(object, command, now), key, command, traceOf(view, object.sid, key, found), now);
}

/** In this order: missing (404), nothing to update or no possible revision (400), another revision (412). [LST4] */
export function updateItem(command: UpdateItem, view: View, now: Instant): Change | Refusal {
  const target = targetOf(command, view, now);
  if ('refused' in target) return target;
  const { object, before } = target;
  const { data, ttl } = command;
  if (data === undefined && ttl === undefined) return { refused: 54010 };
  const refused = conditionRefusal(command, before);
  if (refused !== undefined) return refused;
  return updated(begin(object, command, now), before, command, data, now);
}

export function removeItem(command: RemoveItem, view: View, now: Instant): Change | Refusal {
  const target = targetOf(command, view, now);
  if ('refused' in target) return target;
  const refused = conditionRefusal(command, target.before);
  if (refused !== undefined) return refused;
  const { key } = command;
  const end = removed(begin(target.object, undefined, now), target.before, command.by, now);
  const row: ItemRow = { ...target.before.row, eventId: end.object.eventId, updatedAt: now };
  const put: readonly Row[] = [...end.put, { table: 'marker', row: markerOf(row) }];
  const object = { ...end.object, markers: end.object.markers + 1 };
  const drop: readonly Drop[] = [{ table: 'item', object: object.sid, key }];
  return finished({ ...end, object, put, drop }, { row, data: target.before.data });
}

/** Removes an item that has run out. What belongs to no object any more goes without an event. */
export function expireItem(sid: string, key: ItemKey, view: View, now: Instant): Change {
  const found = view.item(sid, key);
  const object = view.object(sid);
  const drop: readonly Drop[] = [{ table: 'item', object: sid, key }];
  if (found === undefined || isAlive(found.row, now)) return { ...nothing, object };
  if (object === undefined) return { ...nothing, drop };
  const end = removed(begin(object, undefined, now), found, 'system', now);
  const row = { ...found.row, eventId: end.object.eventId, updatedAt: now };
  const put: readonly Row[] = [...end.put, { table: 'marker', row: markerOf(row) }];
  return finished({ ...end, object: { ...end.object, markers: end.object.markers + 1 }, put, drop }, undefined);
}

function aliveObject(view: View, ref: ObjectRef, now: Instant): ObjectRow | undefined {
  const object = objectOf(view, ref);
  return object !== undefined && isAlive(object, now) ? object : undefined;
}

const missingItem = (kind: ObjectKind): ErrorCode => (kind === 'list' ? 54151 : 54201);

interface Target {
  readonly object: ObjectRow;
  readonly before: StoredItem;
}

function targetOf(command: UpdateItem | RemoveItem, view: View, now: Instant): Target | Refusal {
  const { ref, key } = command;
  const object = aliveObject(view, ref, now);
  if (object === undefined) return missing(ref);
  const before = view.item(object.sid, key);
  if (before === undefined || !isAlive(before.row, now)) return { refused: missingItem(ref.kind) };
  return { object, before };
}

function conditionRefusal(command: UpdateItem | RemoveItem, before: StoredItem): Refusal | undefined {
  const { ref, ifMatch } = command;
  if (ifMatch === undefined) return undefined;
  if (!isRevision(ifMatch)) return { refused: 54003 };
  if (ifMatch === revisionOf(before.row.eventId)) return undefined;
  return { refused: ref.kind === 'list' ? 54155 : 54205 };
}

function begin(object: ObjectRow, command: ItemWrite | undefined, now: Instant): Progress {
  const ttl = command?.collectionTtl;
  const expiresAt = ttl === undefined ? object.expiresAt : expiryOf(ttl, now);
  return { object: { ...object, expiresAt }, put: [], drop: [], events: [] };
}

function finished(end: Progress, item: StoredItem | undefined): Change {
  const { object, put, drop, events } = end;
  return { put: [...put, { table: 'object', row: object, data: undefined }], drop, events, object, item };
}

/** Takes the next event id for a change now. */
function next(object: ObjectRow, now: Instant): ObjectRow {
  return { ...object, eventId: object.eventId + 1, updatedAt: now };
}

/** What still stands under a key that is free: an item that has run out, or the marker of a removed one. */
type Trace = StoredItem | MarkerRow | undefined;

function traceOf(view: View, object: string, key: ItemKey, found: StoredItem | undefined): Trace {
  return found ?? view.marker(object, key);
}

function added(
  start: Progress,
  key: ItemKey,
  command: ItemWrite & { data: string },
  trace: Trace,
  now: Instant,
): Change {
  // An item that has run out but was not swept yet is removed in the same commit. [TTL5]
  let progress = trace !== undefined && 'row' in trace ? removed(start, trace, 'system', now) : start;
  if (trace !== undefined && 'eventId' in trace) {
    const drop: readonly Drop[] = [{ table: 'marker', object: trace.object, key }];
    progress = { ...start, drop, object: { ...start.object, markers: start.object.markers - 1 } };
  }
  const object = next(progress.object, now);
  const row: ItemRow = {
    object: object.sid,
    key,
    eventId: object.eventId,
    addedId: object.eventId,
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryOf(command.ttl ?? 0, now),
    createdBy: command.by,
  };
  return tell(progress, object, 'itemAdded', { row, data: command.data }, command.data, command.by, now);
}

function updated(
  start: Progress,
  before: StoredItem,
  command: ItemWrite,
  data: string | undefined,
  now: Instant,
): Change {
  const expiresAt = command.ttl === undefined ? before.row.expiresAt : expiryOf(command.ttl, now);
  if (data === undefined) {
    // A change of ttl alone moves neither revision nor event id, and tells nobody. [TTL4]
    const row = { ...before.row, expiresAt, updatedAt: now };
    const put: readonly Row[] = [{ table: 'item', row, data: undefined }];
    return finished({ ...start, put }, { row, data: before.data });
  }
  const object = next(start.object, now);
  const row = { ...before.row, eventId: object.eventId, expiresAt, updatedAt: now };
  return tell(start, object, 'itemUpdated', { row, data }, data, command.by, now);
}

function tell(
  progress: Progress,
  object: ObjectRow,
  type: 'itemAdded' | 'itemUpdated',
  item: StoredItem,
  data: string,
  by: Identity,
  now: Instant,
): Change {
  const { key, expiresAt, eventId: id } = item.row;
  const event = itemEvent(type, object, { id, key, expiresAt }, by, now, data);
  const put: readonly Row[] = [...progress.put, { table: 'item', row: item.row, data }];
  return finished({ ...progress, object, put, events: [...progress.events, event] }, item);
}

/** The event of a removal, with the last data. */
function removed(start: Progress, before: StoredItem, by: Identity, now: Instant): Progress {
  const object = next(start.object, now);
  const { key, expiresAt } = before.row;
  const event = itemEvent('itemRemoved', object, { id: object.eventId, key, expiresAt }, by, now, before.data);
  return { ...start, object, events: [...start.events, event] };
}

/** The marker of an item whose row tells the id and time of its removal. */
function markerOf(row: ItemRow): MarkerRow {
  return { object: row.object, key: row.key, eventId: row.eventId, removedAt: row.updatedAt };
}
