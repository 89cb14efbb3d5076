/** The storage contract on what a subscriber of a list or map missed. */

import assert from 'node:assert/strict';
import type { ObjectEvent } from '../../src/core/change.ts';
import type { Command } from '../../src/core/command.ts';
import type { ItemKey } from '../../src/core/object.ts';
import {
  accepted,
  add,
  make,
  markerLimits,
  push,
  put,
  refOf,
  remove,
  removeItem,
  sidOf,
  trim,
  updateItem,
} from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase, World } from './world.ts';

const { cases, it } = caseList();
export const collectionChangesCases: readonly ContractCase[] = cases;

const list = refOf('list', 1);
const map = refOf('map', 1);
const sid = sidOf('map', 1);

function shape(events: readonly ObjectEvent[]): readonly unknown[] {
  return events.map(({ type, id, item, data }) => [type, id, item?.key, data]);
}

it('[EVT5] a position behind gets the latest event of each item, removals included, in order', async (world) => {
  await world.accept(make('map', 1, { uniqueName: 'prices' }));
  await world.commit(
    put(map, 'a', { data: '{"n":1}' }),
    put(map, 'b'),
    put(map, 'c'),
    put(map, 'a', { data: '{"n":4}' }),
  );
  await world.commit(
    removeItem(map, 'b'),
    put(map, 'd', { data: '{"n":6}' }),
    put(map, 'd', { data: '{"n":7}', ttl: 60 }),
  );
  const latest = [
    ['itemAdded', 3, 'c', '{}'],
    ['itemAdded', 4, 'a', '{"n":4}'],
    ['itemRemoved', 5, 'b', null],
    ['itemAdded', 7, 'd', '{"n":7}'],
  ];
  const changes = await world.missed(sid, 0);
  assert.deepEqual(shape(changes.events), latest);
  assert.deepEqual([changes.position, changes.interrupted, changes.trimmed], [7, false, false]);
  assert.deepEqual(shape((await world.missed(sid, 1)).events), [
    latest[0],
    ['itemUpdated', 4, 'a', '{"n":4}'],
    ...latest.slice(2),
  ]);
  assert.deepEqual(shape((await world.missed(sid, 6)).events), [['itemUpdated', 7, 'd', '{"n":7}']]);
  for (const after of [7, null]) {
    const present = { gone: false, position: 7, events: [], interrupted: false, trimmed: false };
    assert.deepEqual(await world.missed(sid, after), present);
  }
  const { by, uniqueName, at, expiresAt } = changes.events[3]!;
  assert.deepEqual([by, uniqueName, at, expiresAt], [null, 'prices', world.clock.at, world.clock.at + 60_000]);
  await world.accept(remove(map));
  const [gone] = await world.storage.read([{ query: 'changes', service: map.service, object: sid, after: 0 }]);
  assert.deepEqual(gone, { gone: true });
});

it('[EVT5] a key that was removed and made again is told as added, its removal no more', async (world) => {
  await world.commit(make('map', 1), put(map, 'a'), removeItem(map, 'a'), add(map, 'a', { data: '{"n":3}' }));
  for (const after of [0, 1, 2]) {
    assert.deepEqual(shape((await world.missed(sid, after)).events), [['itemAdded', 3, 'a', '{"n":3}']]);
  }
});

it('[EVT5] an item that has run out is not told; its removal is, once it is made', async (world) => {
  await world.commit(make('map', 1), put(map, 'a', { ttl: 1 }), put(map, 'b'));
  world.clock.advance(1000);
  const { events, position } = await world.missed(sid, 0);
  assert.deepEqual([shape(events), position], [[['itemAdded', 2, 'b', '{}']], 2]);
  await world.sweep();
  assert.deepEqual(shape((await world.missed(sid, 2)).events), [['itemRemoved', 3, 'a', null]]);
});

it('[EVT5] many changes come in parts, by number and by bytes, each from where the one before ended', async (world) => {
  await world.accept(make('list', 1));
  await world.commit(...Array.from({ length: 7 }, (_, n) => push(list, { data: `{"n":${n}}` })));
  await world.commit(removeItem(list, 2), removeItem(list, 4));
  for (const most of [
    { count: 2, bytes: 1000 },
    { count: 100, bytes: 14 },
    { count: 100, bytes: 1 },
  ]) {
    const ids: number[] = [];
    for (let position = 0, parts = 0; ; parts++) {
      const part = await world.missed(sidOf('list', 1), position, most);
      assert.ok(parts < 20 && part.events.length <= 4 && part.events.length > 0);
      ids.push(...part.events.map(({ id }) => id));
      position = part.position;
      if (part.interrupted) assert.equal(position, ids.at(-1));
      else {
        assert.ok(parts > 1);
        assert.equal(position, 9);
        break;
      }
    }
    assert.deepEqual(ids, [1, 2, 4, 6, 7, 8, 9]);
  }
});

it('[EVT6] beyond their number the oldest markers go, and who would have needed them is told so', async (world) => {
  await world.accept(make('map', 1));
  const keys = ['a', 'b', 'c', 'd', 'e'];
  await world.commit(...keys.map((key) => put(map, key)), put(map, 'z'));
  await world.commit(...keys.map((key) => removeItem(map, key)));
  assert.equal((await world.missed(sid, 6)).events.length, 5);
  await world.sweep();
  const row = await world.object(map);
  assert.deepEqual([row?.markers, row?.trimmedTo, row?.eventId], [markerLimits.count, 8, 11]);
  const left = ['c', 'd', 'e'].map((key, n) => ['itemRemoved', 9 + n, key, null]);
  const trimmed = await world.missed(sid, 7);
  assert.deepEqual([trimmed.trimmed, shape(trimmed.events)], [true, left]);
  const whole = await world.missed(sid, 8);
  assert.deepEqual([whole.trimmed, shape(whole.events)], [false, left]);
  assert.equal((await world.missed(sid, null)).trimmed, false);
});

it('[EVT6] markers go with their age', async (world) => {
  await world.commit(make('map', 1), put(map, 'a'), put(map, 'b'), put(map, 'c'), removeItem(map, 'a'));
  world.clock.advance(1);
  await world.accept(removeItem(map, 'b'));
  world.clock.advance(markerLimits.ageMs - 2);
  assert.deepEqual(await world.due(10), []);
  world.clock.advance(1);
  assert.equal(await world.sweep(), 1);
  assert.deepEqual([(await world.object(map))?.trimmedTo, (await world.object(map))?.markers], [4, 1]);
  assert.equal((await world.missed(sid, 3)).trimmed, true);
  assert.equal((await world.missed(sid, 4)).trimmed, false);
  // A marker that is old when its key is made again is no removal any more.
  await world.accept(put(map, 'b'));
  world.clock.advance(markerLimits.ageMs);
  assert.deepEqual(await world.due(10), []);
});

it('[EVT6] of several objects the one with the oldest marker comes first', async (world) => {
  for (const n of [2, 1]) {
    await world.commit(make('map', n), put(refOf('map', n), 'a'), removeItem(refOf('map', n), 'a'));
    world.clock.advance(1);
  }
  world.clock.advance(markerLimits.ageMs);
  assert.deepEqual(await world.due(10), [trim(sidOf('map', 2), 2)]);
  assert.equal(await world.sweep(), 2);
});

it('[EVT6] a position of another history is told so, and gets all there is', async (world) => {
  await world.commit(make('list', 1), push(list), push(list));
  const { trimmed, position, events } = await world.missed(sidOf('list', 1), 9);
  assert.deepEqual([trimmed, position, events.length], [true, 2, 2]);
});

/** Applies events to what a reader has. */
function follow(has: Map<ItemKey, string>, events: readonly ObjectEvent[]): void {
  for (const { type, item, data } of events) {
    if (item === undefined) continue;
    if (type === 'itemRemoved') has.delete(item.key);
    else has.set(item.key, data ?? '');
  }
}

function byKey([a]: readonly [ItemKey, string], [b]: readonly [ItemKey, string]): number {
  return a < b ? -1 : 1;
}

async function state(world: World): Promise<Map<ItemKey, string>> {
  return new Map(await world.items(map));
}

it('[EVT5] [SUB7] whoever was away from any moment on ends equal to the store', async (world) => {
  await world.accept(make('map', 1));
  const live = new Map<ItemKey, string>();
  const then: { readonly position: number; readonly has: Map<ItemKey, string> }[] = [];
  let n = 0;
  for (let round = 0; round < 12; round++) {
    then.push({ position: (await world.object(map))?.eventId ?? 0, has: new Map(live) });
    const batch = ['a', 'b', 'c'].flatMap((key): readonly Command[] => {
      n = (n * 5 + 3) % 16;
      const data = `{"n":${n},"round":${round}}`;
      const known = live.has(key);
      if (n < 6) return [put(map, key, { data })];
      if (!known) return n < 12 ? [add(map, key, { data })] : [];
      return n < 12 ? [updateItem(map, key, { data })] : [removeItem(map, key)];
    });
    for (const outcome of await world.commit(...batch)) follow(live, accepted(outcome).events);
    assert.deepEqual(new Map([...live].sort(byKey)), await state(world));
    for (const { position, has } of then) {
      const away = new Map(has);
      for (let at = position; ;) {
        const part = await world.missed(sid, at, { count: 2, bytes: 1000 });
        follow(away, part.events);
        at = part.position;
        if (!part.interrupted) break;
      }
      assert.deepEqual(new Map([...away].sort(byKey)), await state(world), `from ${position} on`);
    }
  }
});
