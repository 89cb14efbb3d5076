/** What a decision yields: the rows to write and the events to tell, or a coded refusal. */

import type { ErrorCode } from '@tallystick/protocol';
import type { AccountRow, Identity, Instant, KeyRow, ObjectKind, ObjectRow, ServiceRow, Sid } from './object.ts';

/** One change of one object. `id` counts up by one for each object, without gaps. [EVT1] */
export interface ObjectEvent {
  readonly type: 'documentCreated' | 'documentUpdated' | 'documentRemoved';
  readonly kind: ObjectKind;
  readonly service: Sid;
  readonly object: Sid;
  readonly uniqueName: string | null;
  readonly id: number;
  readonly at: Instant;
  /** null when it is told again from the stored state, which does not keep it. */
  readonly by: Identity | null;
  readonly expiresAt: Instant | null;
  /** The new data as compact JSON text; null when the event carries none. */
  readonly data: string | null;
}

export type Row =
  | { readonly table: 'account'; readonly row: AccountRow }
  | { readonly table: 'service'; readonly row: ServiceRow }
  | { readonly table: 'key'; readonly row: KeyRow }
  /** `data` is the new body; undefined keeps the one the object has. */
  | { readonly table: 'object'; readonly row: ObjectRow; readonly data: string | undefined };

export interface Change {
  readonly put: readonly Row[];
  /** Whole rows, since the name that an object holds is freed with it. */
  readonly drop: readonly ObjectRow[];
  readonly events: readonly ObjectEvent[];
  /** The object after the change, for the answer to the writer; undefined when it is gone or none was meant. */
  readonly object: ObjectRow | undefined;
}

export interface Refusal {
  readonly refused: ErrorCode;
  readonly detail?: string;
}

export function isRefusal(decision: Change | Refusal): decision is Refusal {
  return 'refused' in decision;
}
