/** What a decision sees of the stored state: the loaded rows under the changes decided earlier in the same batch. */

import type { AccountRow, KeyRow, ObjectKind, ObjectRef, ObjectRow, ServiceRow, Sid } from './object.ts';

export interface View {
  account(): AccountRow | undefined;
  service(sid: Sid): ServiceRow | undefined;
  key(sid: Sid): KeyRow | undefined;
  object(sid: Sid): ObjectRow | undefined;
  /** The object that holds a unique name, alive or run out. */
  named(service: Sid, kind: ObjectKind, name: string): ObjectRow | undefined;
}

/** The object that a reference means, if it is of that service and kind. */
export function objectOf(view: View, ref: ObjectRef): ObjectRow | undefined {
  if (ref.by === 'name') return view.named(ref.service, ref.kind, ref.value);
  const row = view.object(ref.value);
  return row !== undefined && row.service === ref.service && row.kind === ref.kind ? row : undefined;
}
