/** Between rows of SQLite and rows of `core/`. */

import type { AccountRow, KeyRow, ObjectRow, ServiceRow } from '../../core/object.ts';

/** What the columns of the schema hold, as the driver gives it. */
export type SqlRow = Readonly<Record<string, unknown>>;

export const objectColumns =
  'o.sid, o.account, o.service, o.kind, o.unique_name, o.event_id, o.seq, o.created_at, o.updated_at, o.expires_at, o.created_by';

export function objectRow(row: SqlRow): ObjectRow {
  return {
    sid: row['sid'] as string,
    account: row['account'] as string,
    service: row['service'] as string,
    kind: row['kind'] as ObjectRow['kind'],
    uniqueName: row['unique_name'] as string | null,
    eventId: row['event_id'] as number,
    createdAt: row['created_at'] as number,
    updatedAt: row['updated_at'] as number,
    expiresAt: row['expires_at'] as number | null,
    createdBy: row['created_by'] as string,
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
