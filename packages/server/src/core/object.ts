/** What every stored thing is: plain rows, the same for every storage engine. Instants are milliseconds since 1970. */

export type Sid = string;
export type Identity = string;
export type Instant = number;
export type ObjectKind = 'document' | 'list' | 'map' | 'stream';
/** An item's place in its list, from 0, or its key in its map. */
export type ItemKey = number | string;

/** The one account of an installation. */
export interface AccountRow {
  readonly sid: Sid;
  /** Sealed: storage never sees it in clear. [ACC5] */
  readonly authToken: string;
  readonly createdAt: Instant;
}

export interface ServiceRow {
  readonly sid: Sid;
  readonly account: Sid;
  /** `default` for the account's default service, else null. */
  readonly uniqueName: string | null;
  readonly createdAt: Instant;
}

export interface KeyRow {
  readonly sid: Sid;
  readonly account: Sid;
  /** For people; null when none was given. */
  readonly name: string | null;
  /** Sealed, and empty once the key is revoked. [ACC5] */
  readonly secret: string;
  readonly createdAt: Instant;
  /** null: in force. The row of a revoked key stays, so that nothing brings it back. [ACC4] */
  readonly revokedAt: Instant | null;
}

export interface ObjectRow {
  readonly sid: Sid;
  readonly account: Sid;
  readonly service: Sid;
  readonly kind: ObjectKind;
  readonly uniqueName: string | null;
  /** Id of the last event; 0 at creation. The revision is its hex form. */
  readonly eventId: number;
  /** Of a list: the index of the next item, which grows and is never used twice. Else 0. */
  readonly nextIndex: number;
  /** Removal markers kept for this list or map. */
  readonly markers: number;
  /** The highest event id of a removal whose marker is gone; 0 when all are kept. */
  readonly trimmedTo: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** null: never. */
  readonly expiresAt: Instant | null;
  readonly createdBy: Identity;
}

/** A living item of a list or map. It can be reached only through its object. */
export interface ItemRow {
  readonly object: Sid;
  readonly key: ItemKey;
  /** The object's event id at the item's last change of data, from which its revision follows. */
  readonly eventId: number;
  /** The object's event id when this item was added. */
  readonly addedId: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** null: never. */
  readonly expiresAt: Instant | null;
  readonly createdBy: Identity;
}

export interface StoredItem {
  readonly row: ItemRow;
  /** Compact JSON text. */
  readonly data: string;
}

/** What a removed item leaves behind, so that those who were away learn of it. */
export interface MarkerRow {
  readonly object: Sid;
  readonly key: ItemKey;
  /** Id of the removal. */
  readonly eventId: number;
  readonly removedAt: Instant;
}

/** How a caller names an object: by its sid, or by a unique name inside its service. */
export interface ObjectRef {
  readonly service: Sid;
  readonly kind: ObjectKind;
  readonly by: 'sid' | 'name';
  readonly value: string;
}

/** Whether an accepted write with data made the item, rather than changed it. */
export function isNew(item: ItemRow): boolean {
  return item.eventId === item.addedId;
}

/** The revision that a client sees and sends back in If-Match. [REV1] */
export function revisionOf(eventId: number): string {
  return eventId.toString(16);
}

/** An expired object or item is absent for every reader from that moment, swept or not. [TTL2] */
export function isAlive(row: { readonly expiresAt: Instant | null }, now: Instant): boolean {
  return row.expiresAt === null || row.expiresAt > now;
}

/** When an object made or touched now runs out. A ttl of 0 means never. [TTL1] */
export function expiryOf(ttlSeconds: number, now: Instant): Instant | null {
  return ttlSeconds === 0 ? null : now + ttlSeconds * 1000;
}

const revisionForm = /^[0-9a-f]{1,14}$/;

/** Whether a text sent in If-Match can be a revision at all. */
export function isRevision(text: string): boolean {
  return revisionForm.test(text);
}
