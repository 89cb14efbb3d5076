/** The rules of documents. */

import type { Change, ObjectEvent, Refusal } from './change.ts';
import type { CreateDocument, RemoveDocument, UpdateDocument } from './command.ts';
import { expiryOf, isAlive, revisionOf } from './object.ts';
import type { Instant, ObjectRef, ObjectRow } from './object.ts';
import { objectOf } from './view.ts';
import type { View } from './view.ts';

const revisionForm = /^[0-9a-f]{1,14}$/;

export function createDocument(command: CreateDocument, view: View, now: Instant): Change | Refusal {
  const service = view.service(command.service);
  if (service === undefined) return { refused: 54050 };
  // Chance made a sid twice: who tries again gets another. [STO13]
  if (view.object(command.sid) !== undefined) return { refused: 20503, detail: 'the sid is taken' };
  const holder = command.uniqueName === null ? undefined : view.named(command.service, 'document', command.uniqueName);
  if (holder !== undefined && isAlive(holder, now)) return { refused: 54301 };

  const row: ObjectRow = {
    sid: command.sid,
    account: service.account,
    service: command.service,
    kind: 'document',
    uniqueName: command.uniqueName,
    eventId: 0,
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryOf(command.ttl, now),
    createdBy: command.by,
  };
  const created = eventOf('documentCreated', row, command.by, now, command.data);
  // A holder that has run out but was not swept yet is removed in the same commit. [TTL3]
  const swept = holder === undefined ? undefined : removal(holder, 'system', now);
  return {
    put: [{ table: 'object', row, data: command.data }],
    drop: swept?.drop ?? [],
    events: [...(swept?.events ?? []), created],
    object: row,
  };
}

/** In this order: missing (404), not a possible revision (400), another revision (412). [DOC4] */
export function updateDocument(command: UpdateDocument, view: View, now: Instant): Change | Refusal {
  const before = objectOf(view, command.ref);
  if (before === undefined || !isAlive(before, now)) return missing(command.ref);
  if (command.ifMatch !== undefined) {
    if (!revisionForm.test(command.ifMatch)) return { refused: 54003 };
    if (command.ifMatch !== revisionOf(before.eventId)) return { refused: 54103 };
  }
  const expiresAt = command.ttl === undefined ? before.expiresAt : expiryOf(command.ttl, now);
  if (command.data === undefined) {
    // A change of ttl alone moves neither revision nor event id, and tells nobody. [TTL4]
    const row = { ...before, expiresAt, updatedAt: now };
    return { put: [{ table: 'object', row, data: undefined }], drop: [], events: [], object: row };
  }
  const row = { ...before, eventId: before.eventId + 1, expiresAt, updatedAt: now };
  return {
    put: [{ table: 'object', row, data: command.data }],
    drop: [],
    events: [eventOf('documentUpdated', row, command.by, now, command.data)],
    object: row,
  };
}

export function removeDocument(command: RemoveDocument, view: View, now: Instant): Change | Refusal {
  const before = objectOf(view, command.ref);
  if (before === undefined || !isAlive(before, now)) return missing(command.ref);
  return removal(before, command.by, now);
}

/** The removal of an object: its row, its name and one event. */
export function removal(before: ObjectRow, by: string, now: Instant): Change {
  const gone = { ...before, eventId: before.eventId + 1 };
  return {
    put: [],
    drop: [before],
    events: [eventOf('documentRemoved', gone, by, now, null)],
    object: undefined,
  };
}

/** What a reader or writer is told of an object that is not there. [DOC2] */
export function missing(ref: ObjectRef): Refusal {
  return { refused: ref.by === 'sid' ? 54100 : 54300 };
}

function eventOf(type: ObjectEvent['type'], row: ObjectRow, by: string, at: Instant, data: string | null): ObjectEvent {
  return {
    type,
    kind: row.kind,
    service: row.service,
    object: row.sid,
    uniqueName: row.uniqueName,
    id: row.eventId,
    at,
    by,
    expiresAt: row.expiresAt,
    data,
  };
}
