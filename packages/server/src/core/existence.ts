/** How objects of every kind come and go: creation, their own ttl, removal. Documents differ only in having data. */

import type { ErrorCode } from '@tallystick/protocol';
import { nothing } from './change.ts';
import type { Change, Drop, Refusal, Row } from './change.ts';
import type { CreateObject, RemoveObject, UpdateObject } from './command.ts';
import { objectEvent } from './event.ts';
import { expiryOf, isAlive } from './object.ts';
import type { Identity, Instant, ObjectKind, ObjectRef, ObjectRow } from './object.ts';
import { objectOf } from './view.ts';
import type { View } from './view.ts';

export function createObject(command: CreateObject, view: View, now: Instant): Change | Refusal {
  const { kind, sid, uniqueName, data, by } = command;
  const service = view.service(command.service);
  if (service === undefined) return { refused: 54050 };
  // Chance made a sid twice: who tries again gets another. [STO13]
  if (view.object(sid) !== undefined || view.purge(sid) !== undefined) {
    return { refused: 20503, detail: 'the sid is taken' };
  }
  const holder = uniqueName === null ? undefined : view.named(command.service, kind, uniqueName);
  if (holder !== undefined && isAlive(holder, now)) return { refused: 54301 };

  const row: ObjectRow = {
    sid,
    account: service.account,
    service: command.service,
    kind,
    uniqueName,
    eventId: 0,
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryOf(command.ttl, now),
    createdBy: by,
  };
  // A holder that has run out but was not swept yet is removed in the same commit. [TTL3]
  const swept = holder === undefined ? nothing : removal(holder, 'system', now);
  return {
    ...nothing,
    put: [...swept.put, { table: 'object', row, data }],
    drop: swept.drop,
    events: [...swept.events, objectEvent('created', row, by, now, data ?? null)],
    object: row,
  };
}

/** A change of ttl alone moves neither revision nor event id, and tells nobody. [TTL4] */
export function updateObject(command: UpdateObject, view: View, now: Instant): Change | Refusal {
  const before = objectOf(view, command.ref);
  if (before === undefined || !isAlive(before, now)) return missing(command.ref);
  const row = { ...before, expiresAt: expiryOf(command.ttl, now), updatedAt: now };
  return { ...nothing, put: [{ table: 'object', row, data: undefined }], object: row };
}

export function removeObject(command: RemoveObject, view: View, now: Instant): Change | Refusal {
  const before = objectOf(view, command.ref);
  if (before === undefined || !isAlive(before, now)) return missing(command.ref);
  return removal(before, command.by, now);
}

/**
 * The removal of an object: its row, its name and one event, however many items it has. They cannot be reached any
 * more; a note of them is left, and purges delete them. [OBJ5]
 */
export function removal(before: ObjectRow, by: Identity, now: Instant): Change {
  const { eventId } = before;
  const hadItems = (before.kind === 'list' || before.kind === 'map') && eventId > 0;
  const put: readonly Row[] = hadItems ? [{ table: 'purge', object: before.sid }] : [];
  const drop: readonly Drop[] = [{ table: 'object', row: before }];
  const gone = { ...before, eventId: eventId + 1 };
  return { ...nothing, put, drop, events: [objectEvent('removed', gone, by, now, null)] };
}

const missingBySid: Readonly<Record<ObjectKind, ErrorCode>> = {
  document: 54100,
  list: 54150,
  map: 54200,
  stream: 54250,
};

/** What a reader or writer is told of an object that is not there. [DOC2] [LST2] [MAP3] [STR1] */
export function missing(ref: ObjectRef): Refusal {
  return { refused: ref.by === 'sid' ? missingBySid[ref.kind] : 54300 };
}
