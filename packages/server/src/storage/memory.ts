/** The memory engine: nothing outlives the process. It is the model that the durable engines are compared with. */

import type { Command, Need } from '../core/command.ts';
import { isAlive } from '../core/object.ts';
import type { AccountRow, Instant, KeyRow, ObjectRef, ObjectRow, ServiceRow, Sid } from '../core/object.ts';
import { decideBatch, Loaded, nameKey, needsOf } from './apply.ts';
import type { WriteSet } from './apply.ts';
import { changesOf } from './changes.ts';
import { NotApplied } from './storage.ts';
import type { AnswersTo, Outcome, Query, Storage, StoredDocument } from './storage.ts';

export interface MemoryOptions {
  readonly epoch: string;
  readonly now: () => Instant;
}

interface Tables {
  account: AccountRow | undefined;
  readonly services: Map<Sid, ServiceRow>;
  readonly keys: Map<Sid, KeyRow>;
  readonly objects: Map<Sid, StoredDocument>;
  readonly names: Map<string, Sid>;
}

export function openMemory(options: MemoryOptions): Storage {
  const tables: Tables = {
    account: undefined,
    services: new Map(),
    keys: new Map(),
    objects: new Map(),
    names: new Map(),
  };
  let closed = false;

  const check = (): void => {
    if (closed) throw new NotApplied('this storage is closed');
  };

  return {
    epoch: options.epoch,
    lanes: 1,
    async commit(_lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> {
      check();
      const { outcomes, writes } = decideBatch(batch, load(tables, needsOf(batch)), options.now());
      write(tables, writes);
      return outcomes;
    },
    async read<const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>> {
      check();
      const now = options.now();
      return queries.map((query) => answer(tables, query, now)) as unknown as AnswersTo<Q>;
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}

function load(tables: Tables, needs: readonly Need[]): Loaded {
  const loaded = new Loaded();
  const object = (sid: Sid | undefined): void => {
    const found = sid === undefined ? undefined : tables.objects.get(sid);
    if (found !== undefined) loaded.objects.set(found.row.sid, found.row);
  };
  for (const need of needs) {
    switch (need.need) {
      case 'account':
        loaded.account = tables.account;
        break;
      case 'service':
        copy(need.sid, tables.services, loaded.services);
        break;
      case 'key':
        copy(need.sid, tables.keys, loaded.keys);
        break;
      case 'object':
        object(need.sid);
        break;
      case 'name': {
        const key = nameKey(need.service, need.kind, need.name);
        copy(key, tables.names, loaded.names);
        object(tables.names.get(key));
      }
    }
  }
  return loaded;
}

function copy<T>(key: string, from: ReadonlyMap<string, T>, to: Map<string, T>): void {
  const value = from.get(key);
  if (value !== undefined) to.set(key, value);
}

function write(tables: Tables, writes: WriteSet): void {
  if (writes.account !== undefined) tables.account = writes.account;
  for (const [sid, row] of writes.services) tables.services.set(sid, row);
  for (const [sid, row] of writes.keys) tables.keys.set(sid, row);
  for (const [sid, row] of writes.objects) {
    if (row === null) tables.objects.delete(sid);
    else tables.objects.set(sid, { row, data: writes.bodies.get(sid) ?? tables.objects.get(sid)?.data ?? '{}' });
  }
  for (const [key, holder] of writes.names) {
    if (holder.sid === null) tables.names.delete(key);
    else tables.names.set(key, holder.sid);
  }
}

function answer(tables: Tables, query: Query, now: Instant): AnswersTo<readonly Query[]>[number] {
  switch (query.query) {
    case 'document':
      return alive(find(tables, query.ref), now);
    case 'changes':
      return changesOf(alive(tables.objects.get(query.object), now), query);
    case 'due':
      return due(tables, query.limit, now);
    case 'directory':
      return { account: tables.account, services: [...tables.services.values()], keys: [...tables.keys.values()] };
  }
}

function find(tables: Tables, ref: ObjectRef): StoredDocument | undefined {
  const sid = ref.by === 'sid' ? ref.value : tables.names.get(nameKey(ref.service, ref.kind, ref.value));
  const found = sid === undefined ? undefined : tables.objects.get(sid);
  return found?.row.service === ref.service && found.row.kind === ref.kind ? found : undefined;
}

function alive(found: StoredDocument | undefined, now: Instant): StoredDocument | undefined {
  return found !== undefined && isAlive(found.row, now) ? found : undefined;
}

function due(tables: Tables, limit: number, now: Instant): readonly Sid[] {
  const expired: ObjectRow[] = [];
  for (const { row } of tables.objects.values()) if (!isAlive(row, now)) expired.push(row);
  return expired
    .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || (a.sid < b.sid ? -1 : 1))
    .slice(0, limit)
    .map((row) => row.sid);
}
