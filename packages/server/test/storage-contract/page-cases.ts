/** The storage contract on pages of items. */

import assert from 'node:assert/strict';
import type { ItemKey, ObjectRef } from '../../src/core/object.ts';
import type { ItemPage } from '../../src/storage/storage.ts';
import { make, push, put, refOf, removeItem } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase, World } from './world.ts';

const { cases, it } = caseList();
export const pageCases: readonly ContractCase[] = cases;

const list = refOf('list', 1);
const map = refOf('map', 1);

function shape(page: ItemPage): readonly unknown[] {
  return [page.items.map(({ row }) => row.key), page.hasBefore, page.hasAfter];
}

async function fill(world: World): Promise<void> {
  await world.commit(make('list', 1), make('map', 1));
  await world.commit(...[0, 1, 2, 3, 4].map((n) => push(list, { data: `{"n":${n}}` })));
  await world.commit(...['e', 'c', 'a', 'd', 'b'].map((key) => put(map, key)));
}

it('[PAG1] a page starts where it is told, goes either way, and says what is before and after it', async (world) => {
  await fill(world);
  const most = { count: 2, bytes: 1000 };
  const from = (key: ItemKey, inclusive = true): { from: { key: ItemKey; inclusive: boolean }; most: typeof most } => ({
    from: { key, inclusive },
    most,
  });
  assert.deepEqual(shape(await world.page(list, { most })), [[0, 1], false, true]);
  assert.deepEqual(shape(await world.page(list, { most, order: 'desc' })), [[4, 3], false, true]);
  assert.deepEqual(shape(await world.page(list, from(0))), [[0, 1], false, true]);
  assert.deepEqual(shape(await world.page(list, from(0, false))), [[1, 2], true, true]);
  assert.deepEqual(shape(await world.page(list, from(3))), [[3, 4], true, false]);
  assert.deepEqual(shape(await world.page(list, from(4, false))), [[], true, false]);
  assert.deepEqual(shape(await world.page(list, from(9))), [[], true, false]);
  assert.deepEqual(shape(await world.page(list, { ...from(9), order: 'desc' })), [[4, 3], false, true]);
  assert.deepEqual(shape(await world.page(list, { ...from(1), order: 'desc' })), [[1, 0], true, false]);
  assert.deepEqual(shape(await world.page(map, from('b', false))), [['c', 'd'], true, true]);
  assert.deepEqual(shape(await world.page(map, { ...from('bb'), order: 'desc' })), [['b', 'a'], true, false]);
  assert.deepEqual(shape(await world.page(map, { most: { count: 5, bytes: 1000 } })), [
    ['a', 'b', 'c', 'd', 'e'],
    false,
    false,
  ]);
});

it('[PAG2] a page ends at its bound of bytes, but holds one item at least', async (world) => {
  await world.accept(make('list', 1));
  const large = `{"text":"${'é'.repeat(50)}"}`;
  await world.commit(...[0, 1, 2].map(() => push(list, { data: large })));
  const bytes = Buffer.byteLength(large);
  assert.deepEqual(shape(await world.page(list, { most: { count: 9, bytes: 2 * bytes } })), [[0, 1], false, true]);
  assert.deepEqual(shape(await world.page(list, { most: { count: 9, bytes: 2 * bytes - 1 } })), [[0], false, true]);
  assert.deepEqual(shape(await world.page(list, { most: { count: 9, bytes: 1 } })), [[0], false, true]);
  assert.deepEqual(shape(await world.page(list, { most: { count: 9, bytes: 3 * bytes } })), [[0, 1, 2], false, false]);
});

/** Walks to the end by the last key of each page, changing the items in between. */
async function walk(
  world: World,
  ref: ObjectRef,
  order: 'asc' | 'desc',
  between: (page: number) => Promise<unknown>,
): Promise<readonly ItemKey[]> {
  const seen: ItemKey[] = [];
  for (let page = 0; page < 100; page++) {
    const last = seen.at(-1);
    const from = last === undefined ? undefined : { key: last, inclusive: false };
    const { items, hasAfter } = await world.page(ref, { order, from, most: { count: 3, bytes: 1000 } });
    seen.push(...items.map(({ row }) => row.key));
    if (!hasAfter) return seen;
    await between(page);
  }
  throw new Error('the walk has no end');
}

it('[PAG3] a walk over pages gives each item that stays once, while others come and go', async (world) => {
  const keys = Array.from({ length: 20 }, (_, n) => String.fromCharCode(0x61 + n));
  for (const order of ['asc', 'desc'] as const) {
    const n = order === 'asc' ? 1 : 2;
    const [someList, someMap] = [refOf('list', n), refOf('map', n)];
    await world.commit(make('list', n), make('map', n));
    await world.commit(...keys.map(() => push(someList)), ...keys.map((key) => put(someMap, key)));
    const ofList = await walk(world, someList, order, (page) =>
      world.commit(removeItem(someList, 3 * page), push(someList)),
    );
    const ofMap = await walk(world, someMap, order, (page) =>
      world.commit(removeItem(someMap, keys[3 * page] ?? ''), put(someMap, `${keys[page]}+`)),
    );
    for (const seen of [ofList, ofMap]) {
      assert.equal(new Set(seen).size, seen.length, 'one came twice');
      const sorted = [...seen].sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(seen, order === 'asc' ? sorted : sorted.toReversed());
    }
    const stays = (_: unknown, at: number): boolean => at % 3 !== 0;
    for (const index of keys.map((_, at) => at).filter(stays)) assert.ok(ofList.includes(index), `${index} is missing`);
    for (const key of keys.filter(stays)) assert.ok(ofMap.includes(key), `${key} is missing`);
  }
});

it('[PAG4] [TTL5] expired items are on no page, and not before or after one', async (world) => {
  await world.accept(make('list', 1));
  await world.commit(...[1, 0, 1, 0, 1].map((ttl) => push(list, { ttl })));
  world.clock.advance(1000);
  assert.deepEqual(shape(await world.page(list)), [[1, 3], false, false]);
  assert.deepEqual(shape(await world.page(list, { from: { key: 1, inclusive: true } })), [[1, 3], false, false]);
  assert.deepEqual(shape(await world.page(list, { most: { count: 1, bytes: 9 } })), [[1], false, true]);
  assert.deepEqual(shape(await world.page(list, { order: 'desc', from: { key: 3, inclusive: false } })), [
    [1],
    true,
    false,
  ]);
});
