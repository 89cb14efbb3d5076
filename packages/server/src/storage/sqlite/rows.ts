/** Between rows of SQLite and rows of `core/`. */

import type {
  AccountRow,
  ItemKey,
  ItemRow,
  KeyRow,
  MarkerRow,
  ObjectRow,
  ServiceRow,
  StoredItem,
} from '../../core/object.ts';

/** What the columns of the schema hold, as the driver gives it. */
export type SqlRow = Readonly<Record<string, unknown>>;

export const objectColumns: string =
  'o.sid, o.account, o.service, o.kind, o.unique_name, o.event_id, o.seq, o.created_at, o.updated_at, o.expires_at, ' +
  'o.created_by, o.next_index, o.markers, o.trimmed_to';

export const itemColumns =
  'i.object, i.key, i.event_id, i.added_id, i.seq, i.created_at, i.updated_at, i.expires_at, i.created_by';

export function objectRow(row: SqlRow): ObjectRow {
  return {
    sid: row['sid'] as string,
    account: row['account'] as string,
    service: row['service'] as string,
    kind: row['kind'] as ObjectRow['kind'],
    uniqueName: row['unique_name'] as string | null,
    eventId: row['event_id'] as number,
    nextIndex: row['next_index'] as number,
    markers: row['markers'] as number,
    trimmedTo: row['trimmed_to'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    expiresAt: row['expires_at'] as number | null,
    createdBy: row['created_by'] as string,
  };
}

/** A number as it is; a text as its UTF-16BE bytes, which sort by code units. */
export function keyColumn(key: ItemKey): number | Uint8Array {
  return typeof key === 'number' ? key : Buffer.from(key, 'utf16le').swap16();
}

export function keyOf(column: unknown): ItemKey {
  return column instanceof Uint8Array ? Buffer.from(column).swap16().toString('utf16le') : (column as number);
}

export function storedItem(row: SqlRow): StoredItem {
  const item: ItemRow = {
    object: row['object'] as string,
    key: keyOf(row['key']),
    eventId: row['event_id'] as number,
    addedId: row['added_id'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    expiresAt: row['expires_at'] as number | null,
    createdBy: row['created_by'] as string,
  };
  return { row: item, data: row['body'] as string };
}

export function markerRow(row: SqlRow): MarkerRow {
  return {
    object: row['object'] as string,
    key: keyOf(row['key']),
    eventId: row['event_id'] as number,
    removedAt: row['removed_at'] as number,
  };
}

export function accountRow(row: SqlRow): AccountRow {
  return {
    sid: row['sid'] as string,
    authToken: row['auth_token'] as string,
    createdAt: row['created_at'] as number,
  };
}

export function serviceRow(row: SqlRow): ServiceRow {
  return {
    sid: row['sid'] as string,
    account: row['account'] as string,
    uniqueName: row['unique_name'] as string | null,
    createdAt: row['created_at'] as number,
  };
}

export function keyRow(row: SqlRow): KeyRow {
  return {
    sid: row['sid'] as string,
    account: row['account'] as string,
    name: row['name'] as string | null,
    secret: row['secret'] as string,
    createdAt: row['created_at'] as number,
    revokedAt: row['revoked_at'] as number | null,
  };
}
