/** What a reader of an object has missed. */

import { objectEvent, itemEvent } from '../core/event.ts';
import { isAlive } from '../core/object.ts';
import type { Instant, MarkerRow, ObjectRow, Sid, StoredItem } from '../core/object.ts';
import { defaultMost } from './storage.ts';
import type { Changes, Most } from './storage.ts';

export interface ChangesQuery {
  readonly service: Sid;
  readonly after: number | null;
  readonly most?: Most;
}

/** The latest thing that happened to an item. */
export type Latest = StoredItem | MarkerRow;

export interface Source {
  /** Of a document. */
  readonly data: string | null;
  /** The items and markers of a list or map whose event id is above a position, in order. */
  after(position: number): Iterable<Latest>;
}

/** `row` undefined: there is no such object, or it has run out. */
export function changesOf(row: ObjectRow | undefined, query: ChangesQuery, source: Source, now: Instant): Changes {
  if (row === undefined || row.service !== query.service) return { gone: true };
  const { eventId, kind } = row;
  const complete = { gone: false, position: eventId, events: [], interrupted: false, trimmed: false } as const;
  if (query.after === null || query.after === eventId || kind === 'stream') return complete;
  // Each event of a document carries the whole; one ahead of it is of another history, and mended by the present state.
  if (kind === 'document') {
    return { ...complete, events: [objectEvent('updated', row, null, row.updatedAt, source.data)] };
  }
  const isForeign = query.after > eventId;
  const position = isForeign ? 0 : query.after;
  const { events, interrupted } = latestEvents(row, source.after(position), position, query.most ?? defaultMost, now);
  return {
    gone: false,
    position: interrupted ? (events.at(-1)?.id ?? position) : eventId,
    events,
    interrupted,
    trimmed: isForeign || position < row.trimmedTo,
  };
}

type Told = Pick<Changes & { gone: false }, 'events' | 'interrupted'>;

/** The latest event of each item; what has run out is passed over, since its removal is still to come. */
function latestEvents(row: ObjectRow, latest: Iterable<Latest>, after: number, most: Most, now: Instant): Told {
  const events: Told['events'][number][] = [];
  let bytes = 0;
  for (const one of latest) {
    if ('row' in one && !isAlive(one.row, now)) continue;
    bytes += 'row' in one ? Buffer.byteLength(one.data) : 0;
    if (events.length > 0 && (events.length >= most.count || bytes > most.bytes)) return { events, interrupted: true };
    events.push(eventOf(row, one, after));
  }
  return { events, interrupted: false };
}

function eventOf(object: ObjectRow, latest: Latest, after: number): Told['events'][number] {
  if (!('row' in latest)) {
    const { key, eventId: id, removedAt } = latest;
    return itemEvent('itemRemoved', object, { id, key, expiresAt: null }, null, removedAt, null);
  }
  const { key, eventId: id, addedId, expiresAt, updatedAt } = latest.row;
  // Who has missed the addition has no item to update.
  const type = addedId > after ? 'itemAdded' : 'itemUpdated';
  return itemEvent(type, object, { id, key, expiresAt }, null, updatedAt, latest.data);
}
