/**
 * Batches on their way to the storage thread and back, as flat lists of primitives: copying objects between threads
 * costs a name for every member, and bodies need not come back to where they came from. Lossless: what does not have
 * the common form travels as it is.
 */

import type { ObjectEvent } from '../../core/change.ts';
import type { Command, UpdateDocument } from '../../core/command.ts';
import type { ObjectRef, ObjectRow } from '../../core/object.ts';
import type { Accepted, Outcome } from '../storage.ts';

/** Values that the structured clone copies. */
export type Packed = readonly unknown[];

export function packBatch(batch: readonly Command[]): Packed {
  const packed: unknown[] = [];
  for (const command of batch) {
    if (command.type !== 'updateDocument') packed.push(command);
    else {
      const { ref, data, ttl, ifMatch, by } = command;
      packed.push(ref.service, ref.kind, ref.by, ref.value, data, ttl, ifMatch, by);
    }
  }
  return packed;
}

export function unpackBatch(packed: Packed): readonly Command[] {
  const batch: Command[] = [];
  for (let i = 0; i < packed.length;) {
    if (typeof packed[i] === 'object') {
      batch.push(packed[i] as Command);
      i++;
      continue;
    }
    const [service, kind, form, value, data, ttl, ifMatch, by] = packed.slice(i, i + 8);
    const ref = { service, kind, by: form, value } as ObjectRef;
    batch.push({ type: 'updateDocument', ref, data, ttl, ifMatch, by } as UpdateDocument);
    i += 8;
  }
  return batch;
}

export function packOutcomes(outcomes: readonly Outcome[], batch: readonly Command[]): Packed {
  const packed: unknown[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const row = 'refused' in outcome ? undefined : outcome.object;
    const event = 'refused' in outcome || outcome.events.length !== 1 ? undefined : outcome.events[0];
    const data = dataOf(batch[i]);
    if (row === undefined || event === undefined || row.kind !== 'document' || !tellsNoMore(event, row, data)) {
      packed.push(outcome);
      continue;
    }
    packed.push(event.type, event.by, row.sid, row.account, row.service, row.kind, row.uniqueName, row.eventId);
    packed.push(row.createdAt, row.updatedAt, row.expiresAt, row.createdBy);
  }
  return packed;
}

export function unpackOutcomes(packed: Packed, batch: readonly Command[]): readonly Outcome[] {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < packed.length;) {
    if (typeof packed[i] === 'object') {
      outcomes.push(packed[i] as Outcome);
      i++;
      continue;
    }
    outcomes.push(unpackAccepted(packed, i, dataOf(batch[outcomes.length]) ?? null));
    i += 12;
  }
  return outcomes;
}

function unpackAccepted(packed: Packed, at: number, data: string | null): Accepted {
  const row = {
    sid: packed[at + 2],
    account: packed[at + 3],
    service: packed[at + 4],
    kind: packed[at + 5],
    uniqueName: packed[at + 6],
    eventId: packed[at + 7],
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: packed[at + 8],
    updatedAt: packed[at + 9],
    expiresAt: packed[at + 10],
    createdBy: packed[at + 11],
  } as ObjectRow;
  const event: ObjectEvent = {
    type: packed[at] as ObjectEvent['type'],
    kind: row.kind,
    service: row.service,
    object: row.sid,
    uniqueName: row.uniqueName,
    id: row.eventId,
    at: row.updatedAt,
    by: packed[at + 1] as string,
    expiresAt: row.expiresAt,
    data,
    item: undefined,
  };
  return { object: row, item: undefined, events: [event] };
}

/** Whether the event holds nothing beside its type and author that row and command do not tell. */
function tellsNoMore(event: ObjectEvent, row: ObjectRow, data: string | undefined): boolean {
  return (
    event.kind === row.kind &&
    event.service === row.service &&
    event.object === row.sid &&
    event.uniqueName === row.uniqueName &&
    event.id === row.eventId &&
    event.at === row.updatedAt &&
    event.expiresAt === row.expiresAt &&
    event.item === undefined &&
    event.data === (data ?? null)
  );
}

function dataOf(command: Command | undefined): string | undefined {
  return command?.type === 'updateDocument' || command?.type === 'createObject' ? command.data : undefined;
}
