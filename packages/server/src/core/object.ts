/** What every stored thing is: plain rows, the same for every storage engine. Instants are milliseconds since 1970. */

export type Sid = string;
export type Identity = string;
export type Instant = number;
export type ObjectKind = 'document';

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
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** null: never. */
  readonly expiresAt: Instant | null;
  readonly createdBy: Identity;
}

/** How a caller names an object: by its sid, or by a unique name inside its service. */
export interface ObjectRef {
  readonly service: Sid;
  readonly kind: ObjectKind;
  readonly by: 'sid' | 'name';
  readonly value: string;
}

/** The revision that a client sees and sends back in If-Match. [REV1] */
export function revisionOf(eventId: number): string {
  return eventId.toString(16);
}

/** An expired object is absent for every reader from that moment, swept or not. [TTL2] */
export function isAlive(row: ObjectRow, now: Instant): boolean {
  return row.expiresAt === null || row.expiresAt > now;
}

/** When an object made or touched now runs out. A ttl of 0 means never. [TTL1] */
export function expiryOf(ttlSeconds: number, now: Instant): Instant | null {
  return ttlSeconds === 0 ? null : now + ttlSeconds * 1000;
}
