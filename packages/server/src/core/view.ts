/** What a decision sees of the stored state: the loaded rows under the changes decided earlier in the same batch. */

import type {
  AccountRow,
  ItemKey,
  KeyRow,
  MarkerRow,
  ObjectKind,
  ObjectRef,
  ObjectRow,
  ServiceRow,
  Sid,
  StoredItem,
} from './object.ts';

/** Some of what a removed list or map has left, as many as were asked for. */
export interface Remains {
  readonly items: readonly ItemKey[];
  readonly markers: readonly ItemKey[];
  /** Whether there is nothing beyond these. */
  readonly isAll: boolean;
}

export interface View {
  account(): AccountRow | undefined;
  service(sid: Sid): ServiceRow | undefined;
  key(sid: Sid): KeyRow | undefined;
  object(sid: Sid): ObjectRow | undefined;
  /** The object that holds a unique name, alive or run out. */
  named(service: Sid, kind: ObjectKind, name: string): ObjectRow | undefined;
  /** Alive or run out. */
  item(object: Sid, key: ItemKey): StoredItem | undefined;
  marker(object: Sid, key: ItemKey): MarkerRow | undefined;
  /** Undefined when nothing of the object is left to delete. */
  purge(object: Sid): Remains | undefined;
  /** The oldest stored markers up to an event id, as many as were asked for; some may be gone in this batch. */
  oldMarkers(object: Sid, upTo: number): readonly MarkerRow[];
}

/** The object that a reference means, if it is of that service and kind. */
export function objectOf(view: View, ref: ObjectRef): ObjectRow | undefined {
  if (ref.by === 'name') return view.named(ref.service, ref.kind, ref.value);
  const row = view.object(ref.value);
  return row !== undefined && row.service === ref.service && row.kind === ref.kind ? row : undefined;
}
