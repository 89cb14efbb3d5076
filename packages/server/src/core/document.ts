/** The rules of documents that other kinds do not have. */

import { nothing } from './change.ts';
import type { Change, Refusal } from './change.ts';
import type { UpdateDocument } from './command.ts';
import { objectEvent } from './event.ts';
import { missing } from './existence.ts';
import { expiryOf, isAlive, isRevision, revisionOf } from './object.ts';
import type { Instant } from './object.ts';
import { objectOf } from './view.ts';
import type { View } from './view.ts';

/** In this order: missing (404), not a possible revision (400), another revision (412). [DOC4] */
export function updateDocument(command: UpdateDocument, view: View, now: Instant): Change | Refusal {
  const before = objectOf(view, command.ref);
  if (before === undefined || !isAlive(before, now)) return missing(command.ref);
  if (command.ifMatch !== undefined) {
    if (!isRevision(command.ifMatch)) return { refused: 54003 };
    if (command.ifMatch !== revisionOf(before.eventId)) return { refused: 54103 };
  }
  const expiresAt = command.ttl === undefined ? before.expiresAt : expiryOf(command.ttl, now);
  if (command.data === undefined) {
    // A change of ttl alone moves neither revision nor event id, and tells nobody. [TTL4]
    const row = { ...before, expiresAt, updatedAt: now };
    return { ...nothing, put: [{ table: 'object', row, data: undefined }], object: row };
  }
  const row = { ...before, eventId: before.eventId + 1, expiresAt, updatedAt: now };
  return {
    ...nothing,
    put: [{ table: 'object', row, data: command.data }],
    events: [objectEvent('updated', row, command.by, now, command.data)],
    object: row,
  };
}
