/** A batch of commands against loaded rows: the one piece of logic that every storage engine shares. Pure. */

import { isRefusal } from '../core/change.ts';
import type { Change } from '../core/change.ts';
import type { Command, Need } from '../core/command.ts';
import { decide, needs } from '../core/decide.ts';
import type { AccountRow, Instant, KeyRow, ObjectKind, ObjectRow, ServiceRow, Sid } from '../core/object.ts';
import type { View } from '../core/view.ts';
import type { Outcome } from './storage.ts';

/** The rows that the needs of a batch found. What is absent here is absent in the store. */
export class Loaded {
  account: AccountRow | undefined = undefined;
  readonly services: Map<Sid, ServiceRow> = new Map();
  readonly keys: Map<Sid, KeyRow> = new Map();
  readonly objects: Map<Sid, ObjectRow> = new Map();
  /** From `nameKey` to the sid of the holder, whose row is in `objects`. */
  readonly names: Map<string, Sid> = new Map();
}

/** The rows that a batch leaves behind, each once however often the batch changed it. null: the row goes. */
export class WriteSet {
  account: AccountRow | undefined = undefined;
  readonly services: Map<Sid, ServiceRow> = new Map();
  readonly keys: Map<Sid, KeyRow> = new Map();
  readonly objects: Map<Sid, ObjectRow | null> = new Map();
  /** The last body that the batch gave an object. */
  readonly bodies: Map<Sid, string> = new Map();
  readonly names: Map<string, NameHolder> = new Map();
}

export interface NameHolder {
  readonly service: Sid;
  readonly kind: ObjectKind;
  readonly name: string;
  /** null: the name is free again. */
  readonly sid: Sid | null;
}

/** U+0000 is in no name, so the parts cannot run into each other. */
export function nameKey(service: Sid, kind: ObjectKind, name: string): string {
  return `${service}\u0000${kind}\u0000${name}`;
}

/** What a batch must see, each thing once. */
export function needsOf(batch: readonly Command[]): readonly Need[] {
  const found = new Map<string, Need>();
  for (const command of batch) {
    for (const need of needs(command)) found.set(needKey(need), need);
  }
  return [...found.values()];
}

function needKey(need: Need): string {
  switch (need.need) {
    case 'account':
      return 'account';
    case 'name':
      return nameKey(need.service, need.kind, need.name);
    default:
      // With its kind: a client may ask for a document by any sid, also by that of a service.
      return `${need.need} ${need.sid}`;
  }
}

/** Decides the commands in order, each seeing what those before it left. */
export function decideBatch(
  batch: readonly Command[],
  loaded: Loaded,
  now: Instant,
): { readonly outcomes: readonly Outcome[]; readonly writes: WriteSet } {
  const writes = new WriteSet();
  const view = viewOf(loaded, writes);
  const outcomes = batch.map((command): Outcome => {
    const decision = decide(command, view, now);
    if (isRefusal(decision)) return decision;
    record(decision, writes);
    return { object: decision.object, events: decision.events };
  });
  return { outcomes, writes };
}

function viewOf(loaded: Loaded, writes: WriteSet): View {
  const object = (sid: Sid): ObjectRow | undefined => overlay(sid, writes.objects, loaded.objects);
  return {
    account: () => writes.account ?? loaded.account,
    service: (sid) => overlay(sid, writes.services, loaded.services),
    key: (sid) => overlay(sid, writes.keys, loaded.keys),
    object,
    named(service, kind, name) {
      const key = nameKey(service, kind, name);
      const written = writes.names.get(key);
      const sid = written === undefined ? loaded.names.get(key) : written.sid;
      return sid === undefined || sid === null ? undefined : object(sid);
    },
  };
}

function overlay<T>(sid: Sid, written: ReadonlyMap<Sid, T | null>, loaded: ReadonlyMap<Sid, T>): T | undefined {
  const row = written.get(sid);
  return row === undefined ? loaded.get(sid) : (row ?? undefined);
}

/** Drops come first: a name may pass from one object to the next inside one change. */
function record(change: Change, writes: WriteSet): void {
  for (const row of change.drop) {
    writes.objects.set(row.sid, null);
    writes.bodies.delete(row.sid);
    holdName(row, null, writes);
  }
  for (const put of change.put) {
    switch (put.table) {
      case 'account':
        writes.account = put.row;
        break;
      case 'service':
        writes.services.set(put.row.sid, put.row);
        break;
      case 'key':
        writes.keys.set(put.row.sid, put.row);
        break;
      case 'object':
        writes.objects.set(put.row.sid, put.row);
        if (put.data !== undefined) writes.bodies.set(put.row.sid, put.data);
        // A name is taken at creation and never changes.
        if (put.row.eventId === 0 && put.data !== undefined) holdName(put.row, put.row.sid, writes);
    }
  }
}

function holdName(row: ObjectRow, sid: Sid | null, writes: WriteSet): void {
  if (row.uniqueName === null) return;
  const holder = { service: row.service, kind: row.kind, name: row.uniqueName, sid };
  writes.names.set(nameKey(row.service, row.kind, row.uniqueName), holder);
}
