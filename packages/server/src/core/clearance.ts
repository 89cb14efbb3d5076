/** What is deleted bit by bit without anybody noticing: items of removed objects, and old removal markers. */

import { nothing } from './change.ts';
import type { Change, Drop } from './change.ts';
import type { Purge, Trim } from './command.ts';
import type { View } from './view.ts';

/** Rows that one purge or trim deletes at most. */
export const clearanceRows = 1_000;

/** Deletes some of what a removed list or map has left, and the note of it with the last of it. [OBJ5] */
export function purge(command: Purge, view: View): Change {
  const { object } = command;
  const left = view.purge(object);
  if (left === undefined) return nothing;
  const drop: Drop[] = left.items.map((key) => ({ table: 'item', object, key }));
  drop.push(...left.markers.map((key): Drop => ({ table: 'marker', object, key })));
  if (left.isAll) drop.push({ table: 'purge', object });
  return { ...nothing, drop };
}

/** Deletes the oldest markers of a list or map, and notes up to where removals can no longer be told. [EVT6] */
export function trim(command: Trim, view: View): Change {
  const { object: sid, upTo } = command;
  const markers = view.oldMarkers(sid, upTo).filter(({ key, eventId }) => view.marker(sid, key)?.eventId === eventId);
  const drop = markers.map(({ key }): Drop => ({ table: 'marker', object: sid, key }));
  const object = view.object(sid);
  if (object === undefined || drop.length === 0) return { ...nothing, drop, object };
  const row = {
    ...object,
    markers: object.markers - drop.length,
    trimmedTo: Math.max(object.trimmedTo, ...markers.map(({ eventId }) => eventId)),
  };
  return { ...nothing, put: [{ table: 'object', row, data: undefined }], drop, object: row };
}
