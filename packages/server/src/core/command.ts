/** Every write there is, as plain data, with all that it needs to be decided: storage adds only the time. */

import type { Identity, ItemKey, ObjectKind, ObjectRef, Sid } from './object.ts';

export interface CreateObject {
  readonly type: 'createObject';
  readonly service: Sid;
  readonly kind: ObjectKind;
  /** Made by the caller, so that deciding needs no randomness. */
  readonly sid: Sid;
  readonly uniqueName: string | null;
  /** Compact JSON text of an object; undefined for everything but documents. */
  readonly data: string | undefined;
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

/** The ttl of an object of any kind. */
export interface UpdateObject {
  readonly type: 'updateObject';
  readonly ref: ObjectRef;
  /** Seconds; 0 means never. */
  readonly ttl: number;
  readonly by: Identity;
}

export interface RemoveObject {
  readonly type: 'removeObject';
  readonly ref: ObjectRef;
  readonly by: Identity;
}

/** What all writes of items may hold. */
export interface ItemWrite {
  /** The list or map. */
  readonly ref: ObjectRef;
  /** Seconds; 0 means never; undefined leaves the expiry as it is, which is never for a new item. */
  readonly ttl: number | undefined;
  /** The same for the list or map itself. */
  readonly collectionTtl: number | undefined;
  readonly by: Identity;
}

/** Appends to a list. */
export interface PushItem extends ItemWrite {
  readonly type: 'pushItem';
  /** Compact JSON text of an object, here and in the next ones. */
  readonly data: string;
}

/** Makes or replaces an item of a map. */
export interface PutItem extends ItemWrite {
  readonly type: 'putItem';
  readonly key: string;
  readonly data: string;
  /** The revision that must stand; null: the key must be free; undefined writes whatever stands. */
  readonly ifMatch: string | null | undefined;
}

/** Makes an item of a map, and never replaces one. */
export interface AddItem extends ItemWrite {
  readonly type: 'addItem';
  readonly key: string;
  readonly data: string;
}

export interface UpdateItem extends ItemWrite {
  readonly type: 'updateItem';
  readonly key: ItemKey;
  /** undefined: the data stays, only the ttl changes. */
  readonly data: string | undefined;
  /** The revision that must stand; undefined writes whatever stands. */
  readonly ifMatch: string | undefined;
}

export interface RemoveItem {
  readonly type: 'removeItem';
  readonly ref: ObjectRef;
  readonly key: ItemKey;
  readonly ifMatch: string | undefined;
  readonly by: Identity;
}

/** Tells present subscribers of a stream. Nothing is stored. */
export interface PublishMessage {
  readonly type: 'publishMessage';
  readonly ref: ObjectRef;
  /** The message's own. */
  readonly sid: Sid;
  readonly data: string;
  readonly by: Identity;
}

/** Removes an object that has run out. Does nothing when it is alive or gone. */
export interface ExpireObject {
  readonly type: 'expireObject';
  readonly sid: Sid;
}

/** The same for an item. One whose object is gone goes in silence. */
export interface ExpireItem {
  readonly type: 'expireItem';
  readonly object: Sid;
  readonly key: ItemKey;
}

/** Deletes up to so many rows that a removed list or map has left. */
export interface Purge {
  readonly type: 'purge';
  readonly object: Sid;
  readonly limit: number;
}

/** Deletes the removal markers of a list or map up to an event id, a bounded number. */
export interface Trim {
  readonly type: 'trim';
  readonly object: Sid;
  readonly upTo: number;
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

type DocumentCommand = CreateObject | UpdateDocument | RemoveObject;
export type ItemCommand = PushItem | PutItem | AddItem | UpdateItem | RemoveItem;
/** What nobody asks for, but becomes due. */
export type DueCommand = ExpireObject | ExpireItem | Purge | Trim;
export type AdministrationCommand = PutAccount | PutService | PutKey | RevokeKey;
export type Command =
  | DocumentCommand
  | UpdateObject
  | ItemCommand
  | PublishMessage
  | DueCommand
  | Probe
  | AdministrationCommand;

export type ObjectNeed =
  | { readonly need: 'object'; readonly sid: Sid }
  /** The name, and the object that holds it. */
  | { readonly need: 'name'; readonly service: Sid; readonly kind: ObjectKind; readonly name: string };

/** What a decision must see. Storage loads all needs of a batch at once. */
export type Need =
  | { readonly need: 'account' }
  | { readonly need: 'service'; readonly sid: Sid }
  | { readonly need: 'key'; readonly sid: Sid }
  | ObjectNeed
  /** The object and its item, or the marker of that. */
  | { readonly need: 'item'; readonly of: ObjectNeed; readonly key: ItemKey }
  /** Whether anything of a removed object is left, and up to `limit` keys of it, items first. */
  | { readonly need: 'purge'; readonly object: Sid; readonly limit: number }
  /** The object and the oldest of its markers up to an event id, `limit` at most, each with what stands there now. */
  | { readonly need: 'oldMarkers'; readonly object: Sid; readonly upTo: number; readonly limit: number };
