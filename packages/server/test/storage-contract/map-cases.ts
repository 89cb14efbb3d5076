/** The storage contract on maps. */

import assert from 'node:assert/strict';
import { isNew } from '../../src/core/object.ts';
import {
  accepted,
  add,
  make,
  namedRef,
  otherService,
  put,
  refOf,
  refusal,
  remove,
  removeItem,
  setTtl,
  updateItem,
} from '../commands.ts';
import { caseList, idsOf } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const mapCases: readonly ContractCase[] = cases;

const map = refOf('map', 1);

it('[MAP1] putting makes or replaces, and tells which; the creator stays', async (world) => {
  await world.accept(make('map', 1));
  const made = await world.accept(put(map, 'a', { data: '{"n":1}' }));
  const replaced = await world.accept(put(map, 'a', { data: '{"n":2}', by: 'ben' }));
  assert.deepEqual(
    [made, replaced].map(({ item }) => item !== undefined && isNew(item.row)),
    [true, false],
  );
  assert.deepEqual(
    [made, replaced].flatMap(({ events }) => events.map(({ type, id, data, item }) => [type, id, data, item?.key])),
    [
      ['itemAdded', 1, '{"n":1}', 'a'],
      ['itemUpdated', 2, '{"n":2}', 'a'],
    ],
  );
  assert.equal(replaced.item?.row.createdBy, 'ann');
  assert.deepEqual(await world.items(map), [['a', '{"n":2}']]);
});

it('[MAP2] keys are kept and found exactly, and sort by UTF-16 code units', async (world) => {
  const keys = [
    '',
    'B',
    'a',
    'a ',
    'aa',
    'b',
    'caf\u00e9',
    'cafe\u0301',
    '\uffee',
    '\ud834\udd1e',
    'Ā',
    '%',
    '\n',
    '1',
    '10',
    '2',
  ];
  const [, ...real] = keys;
  await world.accept(make('map', 1));
  await world.commit(...real.map((key, n) => put(map, key, { data: `{"n":${n}}` })));
  const sorted = [...real].sort((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(
    (await world.page(map)).items.map(({ row }) => row.key),
    sorted,
  );
  assert.deepEqual(
    (await world.page(map, { order: 'desc' })).items.map(({ row }) => row.key),
    sorted.toReversed(),
  );
  for (const [n, key] of real.entries()) assert.equal((await world.item(map, key))?.data, `{"n":${n}}`, key);
  assert.equal(await world.item(map, 'A'), undefined);
  const long = '\ud83d\ude00'.repeat(320);
  await world.accept(put(map, long));
  assert.equal((await world.item(map, long))?.row.key, long);
});

it('[MAP3] what is missing is 54200 for a map and 54201 for an item, by name 54300', async (world) => {
  for (const [ref, code] of [
    [map, 54200],
    [namedRef('map', 'prices'), 54300],
  ] as const) {
    const commands = [
      put(ref, 'a', { ifMatch: 'no revision' }),
      add(ref, 'a'),
      updateItem(ref, 'a', { data: '{}' }),
      removeItem(ref, 'a'),
      remove(ref),
      setTtl(ref, 1),
    ];
    assert.deepEqual(
      (await world.commit(...commands)).map(refusal),
      commands.map(() => code),
    );
  }
  await world.accept(make('map', 1));
  assert.equal(await world.refused(updateItem(map, 'a', { data: '{}' })), 54201);
  assert.equal(await world.refused(removeItem(map, 'a')), 54201);
});

it('[MAP4] adding never replaces', async (world) => {
  await world.accept(make('map', 1));
  const outcomes = await world.commit(add(map, 'a', { data: '{"n":1}' }), add(map, 'a', { data: '{"n":2}' }));
  assert.deepEqual(outcomes.map(refusal), [undefined, 54208]);
  assert.equal(await world.refused(add(map, 'a')), 54208);
  await world.accept(removeItem(map, 'a'));
  assert.deepEqual(idsOf([await world.accept(add(map, 'a', { data: '{"n":3}' }))]), [3]);
  assert.deepEqual(await world.items(map), [['a', '{"n":3}']]);
});

it('[MAP5] a conditional put fails with 412 on another revision and on a missing key, never with 404', async (world) => {
  await world.accept(make('map', 1));
  assert.equal(await world.refused(put(map, 'a', { ifMatch: 'no revision' })), 54003);
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '0' })), 54205);
  await world.accept(put(map, 'a', { data: '{"n":1}', ifMatch: null }));
  assert.equal(await world.refused(put(map, 'a', { ifMatch: null })), 54205);
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '0' })), 54205);
  await world.accept(put(map, 'a', { data: '{"n":2}', ifMatch: '1' }));
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '1' })), 54205);
  assert.equal(await world.refused(updateItem(map, 'a', { data: '{}', ifMatch: '1' })), 54205);
  assert.equal(await world.refused(removeItem(map, 'a', '1')), 54205);
  assert.deepEqual(await world.items(map), [['a', '{"n":2}']]);
  await world.accept(removeItem(map, 'a', '2'));
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '2' })), 54205);
});

it('[MAP6] [REV1] a key that was removed and is made again never has a revision that it had', async (world) => {
  await world.accept(make('map', 1));
  const seen: (number | undefined)[] = [];
  for (let round = 0; round < 3; round++) {
    const outcomes = await world.commit(put(map, 'a'), updateItem(map, 'a', { data: '{}' }), removeItem(map, 'a'));
    seen.push(...outcomes.map((outcome) => accepted(outcome).item?.row.eventId));
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await world.accept(put(map, 'a'));
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '1' })), 54205);
  assert.equal((await world.object(map))?.markers, 0);
});

it('[MAP1] [REV2] of two that put on condition that the key is free one wins', async (world) => {
  await world.accept(make('map', 1));
  const both = await Promise.all([
    world.commit(
      put(map, 'a', { data: '{"by":1}', ifMatch: null }),
      put(map, 'a', { data: '{"by":2}', ifMatch: null }),
    ),
    world.commit(put(map, 'a', { data: '{"by":3}', ifMatch: null })),
  ]);
  assert.deepEqual(both.flat().map(refusal), [undefined, 54205, 54205]);
  assert.deepEqual(await world.items(map), [['a', '{"by":1}']]);
});

it('[OBJ2] [OBJ4] each kind has names of its own, and to another service or kind an object does not exist', async (world) => {
  const names = { uniqueName: 'board' };
  await world.commit(make('map', 1, names), make('list', 1, names), make('stream', 1, names));
  assert.equal(await world.refused(make('map', 2, names)), 54301);
  assert.equal((await world.object(namedRef('list', 'board')))?.kind, 'list');
  assert.equal((await world.object(namedRef('stream', 'board')))?.kind, 'stream');
  assert.equal(await world.refused(put(refOf('map', 1, otherService), 'a')), 54200);
  assert.equal(await world.refused(put({ ...map, value: refOf('list', 1).value }, 'a')), 54200);
  assert.equal(await world.object({ ...map, kind: 'list' }), undefined);
  assert.deepEqual(await world.storage.read([{ query: 'document', ref: { ...map, kind: 'document' } }]), [undefined]);
});

it('[MAP1] [STO2] items are written through a name that passes to another map in the same batch', async (world) => {
  const prices = namedRef('map', 'prices');
  await world.commit(make('map', 1, { uniqueName: 'prices' }), put(prices, 'a', { data: '{"n":1}' }));
  const outcomes = await world.commit(
    put(prices, 'b'),
    remove(prices),
    put(prices, 'a'),
    make('map', 2, { uniqueName: 'prices' }),
    updateItem(prices, 'a', { data: '{"n":2}' }),
    add(prices, 'a', { data: '{"n":3}' }),
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, 54300, undefined, 54201, undefined]);
  assert.deepEqual(await world.items(prices), [['a', '{"n":3}']]);
});
