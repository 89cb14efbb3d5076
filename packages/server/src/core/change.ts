/** What a decision yields: the rows to write and the events to tell, or a coded refusal. */

import type { ErrorCode } from '@tallystick/protocol';
import type {
  AccountRow,
  Identity,
  Instant,
  ItemKey,
  ItemRow,
  KeyRow,
  MarkerRow,
  ObjectKind,
  ObjectRow,
  ServiceRow,
  Sid,
  StoredItem,
} from './object.ts';

/** `created` to `removed` are of the object itself; of a document `updated` carries its new data. */
export type EventType =
  | 'created'
  | 'updated'
  | 'removed'
  | 'itemAdded'
  | 'itemUpdated'
  | 'itemRemoved'
  | 'messagePublished';

/** One change of one object, or a message through a stream. */
export interface ObjectEvent {
  readonly type: EventType;
  readonly kind: ObjectKind;
  readonly service: Sid;
  readonly object: Sid;
  readonly uniqueName: string | null;
  /** Counts up by one for each object, without gaps. 0 for messages, which have no history. [EVT1] */
  readonly id: number;
  readonly at: Instant;
  /** null when it is told again from the stored state, which does not keep it. */
  readonly by: Identity | null;
  /** Of the item, where one is meant, else of the object. */
  readonly expiresAt: Instant | null;
  /**
   * The new data as compact JSON text; of a removed item its last data, null when the removal is told again later.
   * null when the event carries none.
   */
  readonly data: string | null;
  /** Which item of a list or map; of a message `key` is its sid. */
  readonly item: { readonly key: ItemKey } | undefined;
}

export type Row =
  | { readonly table: 'account'; readonly row: AccountRow }
  | { readonly table: 'service'; readonly row: ServiceRow }
  | { readonly table: 'key'; readonly row: KeyRow }
  /** `data` is the new body; undefined keeps the one the object has. */
  | { readonly table: 'object'; readonly row: ObjectRow; readonly data: string | undefined }
  /** The same for `data` here. */
  | { readonly table: 'item'; readonly row: ItemRow; readonly data: string | undefined }
  | { readonly table: 'marker'; readonly row: MarkerRow }
  /** A removed list or map whose items are still to be deleted. */
  | { readonly table: 'purge'; readonly object: Sid };

export type Drop =
  /** The whole row, since the name that an object holds is freed with it. */
  | { readonly table: 'object'; readonly row: ObjectRow }
  | { readonly table: 'item' | 'marker'; readonly object: Sid; readonly key: ItemKey }
  | { readonly table: 'purge'; readonly object: Sid };

export interface Change {
  readonly put: readonly Row[];
  readonly drop: readonly Drop[];
  readonly events: readonly ObjectEvent[];
  /** The object after the change, for the answer to the writer; undefined when it is gone or none was meant. */
  readonly object: ObjectRow | undefined;
  /** The item after the change, with its data. Of a removal what it was, with the removal's id and time. */
  readonly item: StoredItem | undefined;
}

/** The change that changes nothing; others are written as what they differ in. */
export const nothing: Change = { put: [], drop: [], events: [], object: undefined, item: undefined };

export interface Refusal {
  readonly refused: ErrorCode;
  readonly detail?: string;
}

export function isRefusal(decision: Change | Refusal): decision is Refusal {
  return 'refused' in decision;
}
