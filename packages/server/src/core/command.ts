/** Every write there is, as plain data, with all that it needs to be decided: storage adds only the time. */

import type { Identity, ObjectKind, ObjectRef, Sid } from './object.ts';

export interface CreateDocument {
  readonly type: 'createDocument';
  readonly service: Sid;
  /** Made by the caller, so that deciding needs no randomness. */
  readonly sid: Sid;
  readonly uniqueName: string | null;
  /** Compact JSON text of an object. */
  readonly data: string;
  /** Seconds; 0 means never. */
  readonly ttl: number;
  readonly by: Identity;
}

export interface UpdateDocument {
  readonly type: 'updateDocument';
  readonly ref: ObjectRef;
  /** undefined: the data stays, only the ttl changes. */
  readonly data: string | undefined;
  /** Seconds; 0 means never; undefined leaves the expiry as it is. */
  readonly ttl: number | undefined;
  /** The revision that must stand; undefined writes whatever stands. */
  readonly ifMatch: string | undefined;
  readonly by: Identity;
}

export interface RemoveDocument {
  readonly type: 'removeDocument';
  readonly ref: ObjectRef;
  readonly by: Identity;
}

/** Removes an object that has run out. Does nothing when it is alive or gone. */
export interface ExpireObject {
  readonly type: 'expireObject';
  readonly sid: Sid;
}

/** Writes the account as it is: whether storage takes writes shows in the commit. */
interface Probe {
  readonly type: 'probe';
}

/** Makes the account, once; the same again changes nothing. */
export interface PutAccount {
  readonly type: 'putAccount';
  readonly sid: Sid;
  readonly authToken: string;
}

export interface PutService {
  readonly type: 'putService';
  readonly sid: Sid;
  readonly account: Sid;
  readonly uniqueName: string | null;
}

export interface PutKey {
  readonly type: 'putKey';
  readonly sid: Sid;
  readonly account: Sid;
  readonly name: string | null;
  readonly secret: string;
}

export interface RevokeKey {
  readonly type: 'revokeKey';
  readonly sid: Sid;
}

export type DocumentCommand = CreateDocument | UpdateDocument | RemoveDocument;
export type AdministrationCommand = PutAccount | PutService | PutKey | RevokeKey;
export type Command = DocumentCommand | ExpireObject | Probe | AdministrationCommand;

/** What a decision must see. Storage loads all needs of a batch at once. */
export type Need =
  | { readonly need: 'account' }
  | { readonly need: 'service'; readonly sid: Sid }
  | { readonly need: 'key'; readonly sid: Sid }
  | { readonly need: 'object'; readonly sid: Sid }
  /** The name, and the object that holds it. */
  | { readonly need: 'name'; readonly service: Sid; readonly kind: ObjectKind; readonly name: string };
