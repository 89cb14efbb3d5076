/** What the memory engine answers to queries. It may look at everything: it is a model, and small. */

import { clearanceRows } from '../../core/clearance.ts';
import type { DueCommand } from '../../core/command.ts';
import { isAlive } from '../../core/object.ts';
import type { Instant, ItemRow, MarkerRow, ObjectRef, ObjectRow, Sid } from '../../core/object.ts';
import { nameKey } from '../apply.ts';
import { changesOf } from '../changes.ts';
import type { Latest } from '../changes.ts';
import { takePage } from '../page.ts';
import type { AnswersTo, ItemPage, MarkerLimits, PageQuery, Query, StoredDocument } from '../storage.ts';
import { byEventId } from './tables.ts';
import type { Collection, StoredObject, Tables } from './tables.ts';

export function answer(
  tables: Tables,
  query: Query,
  now: Instant,
  limits: MarkerLimits,
): AnswersTo<readonly Query[]>[number] {
  switch (query.query) {
    case 'document':
      return documentOf(find(tables, query.ref, now));
    case 'object':
      return find(tables, query.ref, now)?.row;
    case 'item': {
      const object = find(tables, query.ref, now)?.row;
      if (object === undefined) return undefined;
      const item = tables.collections.get(object.sid)?.items.get(query.key);
      return { object, item: item !== undefined && isAlive(item.row, now) ? item : undefined };
    }
    case 'items':
      return page(tables, query, now);
    case 'changes': {
      const found = alive(tables.objects.get(query.object), now);
      const collection = tables.collections.get(query.object);
      const source = { data: found?.data ?? null, after: (position: number) => latestAfter(collection, position) };
      return changesOf(found?.row, query, source, now);
    }
    case 'due':
      return due(tables, query.limit, now, limits);
    case 'directory':
      return { account: tables.account, services: [...tables.services.values()], keys: [...tables.keys.values()] };
  }
}

function find(tables: Tables, ref: ObjectRef, now: Instant): StoredObject | undefined {
  const sid = ref.by === 'sid' ? ref.value : tables.names.get(nameKey(ref.service, ref.kind, ref.value));
  const found = alive(sid === undefined ? undefined : tables.objects.get(sid), now);
  return found?.row.service === ref.service && found.row.kind === ref.kind ? found : undefined;
}

function alive(found: StoredObject | undefined, now: Instant): StoredObject | undefined {
  return found !== undefined && isAlive(found.row, now) ? found : undefined;
}

function documentOf(found: StoredObject | undefined): StoredDocument | undefined {
  return found === undefined || found.data === null ? undefined : { row: found.row, data: found.data };
}

function page(tables: Tables, query: PageQuery, now: Instant): ItemPage | undefined {
  const object = find(tables, query.ref, now)?.row;
  if (object === undefined) return undefined;
  const collection = tables.collections.get(object.sid);
  const ascending = (collection?.sortedKeys ?? []).flatMap((key) => collection?.items.get(key) ?? []);
  const living = ascending.filter(({ row }) => isAlive(row, now));
  const run = query.order === 'asc' ? living : living.toReversed();
  const { from } = query;
  const isBefore = ({ key }: ItemRow): boolean => {
    if (from === undefined) return false;
    if (key === from.key) return !from.inclusive;
    return query.order === 'asc' ? key < from.key : key > from.key;
  };
  const start = run.findIndex(({ row }) => !isBefore(row));
  const before = start === -1 ? run.length : start;
  return { object, ...takePage(run.slice(before), query.most), hasBefore: before > 0 };
}

function latestAfter(collection: Collection | undefined, position: number): readonly Latest[] {
  if (collection === undefined) return [];
  const idOf = (latest: Latest): number => ('row' in latest ? latest.row.eventId : latest.eventId);
  return [...collection.items.values(), ...collection.markers.values()]
    .filter((latest) => idOf(latest) > position)
    .sort((a, b) => idOf(a) - idOf(b));
}

function due(tables: Tables, limit: number, now: Instant, limits: MarkerLimits): readonly DueCommand[] {
  const objects = expired([...tables.objects.values()], now, (row) => row.sid);
  const items = expired(
    [...tables.collections.values()].flatMap(({ items: each }) => [...each.values()]),
    now,
    ({ object }) => object,
  );
  const commands: DueCommand[] = objects.map(({ sid }) => ({ type: 'expireObject', sid }));
  commands.push(...items.map(({ object, key }): DueCommand => ({ type: 'expireItem', object, key })));
  commands.push(...clearance(tables, now, limits));
  return commands.slice(0, limit);
}

function expired<R extends ObjectRow | ItemRow>(
  stored: readonly { readonly row: R }[],
  now: Instant,
  sidOf: (row: R) => Sid,
): R[] {
  const keyOf = (row: R): string | number => ('key' in row ? row.key : 0);
  return stored
    .map(({ row }) => row)
    .filter((row) => !isAlive(row, now))
    .sort(
      (a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || compare(sidOf(a), sidOf(b)) || compare(keyOf(a), keyOf(b)),
    );
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** At most one object of each kind of clearance at a time. */
function clearance(tables: Tables, now: Instant, limits: MarkerLimits): DueCommand[] {
  const commands: DueCommand[] = [];
  const oldest = (markers: Iterable<MarkerRow>): MarkerRow[] => byEventId(markers).slice(0, clearanceRows);
  const [crowded] = [...tables.objects.values()]
    .map(({ row }) => row)
    .filter(({ markers }) => markers > limits.count)
    .sort((a, b) => b.markers - a.markers || compare(a.sid, b.sid));
  if (crowded !== undefined) {
    const excess = oldest(tables.collections.get(crowded.sid)?.markers.values() ?? []);
    const last = excess[Math.min(crowded.markers - limits.count, clearanceRows) - 1];
    if (last !== undefined) commands.push({ type: 'trim', object: crowded.sid, upTo: last.eventId });
  }
  const [aged] = [...tables.collections.values()]
    .flatMap(({ markers }) => [...markers.values()])
    .filter(({ removedAt }) => removedAt <= now - limits.ageMs)
    .sort((a, b) => a.removedAt - b.removedAt || compare(a.object, b.object) || compare(a.key, b.key));
  if (aged !== undefined) {
    const last = oldest(tables.collections.get(aged.object)?.markers.values() ?? [])
      .filter(({ removedAt }) => removedAt <= now - limits.ageMs)
      .at(-1);
    commands.push({ type: 'trim', object: aged.object, upTo: Math.max(aged.eventId, last?.eventId ?? 0) });
  }
  const [removed] = [...tables.purges].sort(compare);
  if (removed !== undefined) commands.push({ type: 'purge', object: removed, limit: clearanceRows });
  return commands;
}
