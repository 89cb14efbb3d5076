/** Events from the rows that they tell of. */

import type { EventType, ObjectEvent } from './change.ts';
import type { Identity, Instant, ItemRow, ObjectRow } from './object.ts';

/** An event of the object itself. Its id is that of the row. */
export function objectEvent(
  type: EventType,
  row: ObjectRow,
  by: Identity | null,
  at: Instant,
  data: string | null,
): ObjectEvent {
  const { kind, service, sid: object, uniqueName, eventId: id, expiresAt } = row;
  return { type, kind, service, object, uniqueName, id, at, by, expiresAt, data, item: undefined };
}

/** What an item's event tells beside its object: `id` is that of the change. */
export type ItemChange = Pick<ItemRow, 'key' | 'expiresAt'> & { readonly id: number };

export function itemEvent(
  type: EventType,
  object: ObjectRow,
  change: ItemChange,
  by: Identity | null,
  at: Instant,
  data: string | null,
): ObjectEvent {
  const { id, key, expiresAt } = change;
  return { ...objectEvent(type, object, by, at, data), id, expiresAt, item: { key } };
}
