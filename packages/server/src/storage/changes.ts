/** What a reader of a document has missed: at most its present state, since each event carries the whole. */

import type { Sid } from '../core/object.ts';
import type { Changes, StoredDocument } from './storage.ts';

export function changesOf(
  found: StoredDocument | undefined,
  query: { readonly service: Sid; readonly after: number | null },
): Changes {
  if (found === undefined || found.row.service !== query.service) return { gone: true };
  const { row, data } = found;
  // A position ahead of the object is one of another history: the present state mends it.
  if (query.after === null || query.after === row.eventId) return { gone: false, position: row.eventId, events: [] };
  return {
    gone: false,
    position: row.eventId,
    events: [
      {
        type: 'documentUpdated',
        kind: row.kind,
        service: row.service,
        object: row.sid,
        uniqueName: row.uniqueName,
        id: row.eventId,
        at: row.updatedAt,
        by: null,
        expiresAt: row.expiresAt,
        data,
      },
    ],
  };
}
