/** The storage contract on removing lists and maps, whatever they hold. */

import assert from 'node:assert/strict';
import { accepted, make, namedRef, purge, push, put, refOf, refusal, remove, removeItem, sidOf } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const purgeCases: readonly ContractCase[] = cases;

const list = refOf('list', 1);
const sid = sidOf('list', 1);
const log = namedRef('list', 'log');

it('[OBJ5] a removal is one event however many items there are, and all of them are gone with it', async (world) => {
  await world.accept(make('list', 1, { uniqueName: 'log' }));
  await world.commit(...Array.from({ length: 50 }, () => push(list)));
  const { events } = await world.accept(remove(log));
  assert.deepEqual(
    events.map(({ type, kind, id, data }) => [type, kind, id, data]),
    [['removed', 'list', 51, null]],
  );
  const answers = await world.storage.read([
    { query: 'object', ref: list },
    { query: 'item', ref: list, key: 0 },
    { query: 'items', ref: list, order: 'asc', from: undefined, most: { count: 9, bytes: 999 } },
    { query: 'changes', service: list.service, object: sid, after: 0 },
  ]);
  assert.deepEqual(answers, [undefined, undefined, undefined, { gone: true }]);
  assert.equal(await world.refused(push(list)), 54150);
});

it('[OBJ5] what is left is deleted in bounded parts, without an event, while the name is in use again', async (world) => {
  await world.accept(make('list', 1, { uniqueName: 'log' }));
  await world.commit(...Array.from({ length: 10 }, () => push(list, { ttl: 1 })), removeItem(list, 0));
  await world.accept(remove(list));
  await world.accept(make('list', 2, { uniqueName: 'log' }));
  await world.accept(push(log, { data: '{"n":"new"}' }));
  assert.deepEqual(await world.due(10), [purge(sid, 1000)]);
  assert.equal(await world.refused(make('list', 1)), 20503, 'a sid with something left is not free');
  for (let part = 0; part < 3; part++) {
    const { events, object } = accepted((await world.commit(purge(sid, 4), push(log)))[0]);
    assert.deepEqual([events, object], [[], undefined]);
    assert.deepEqual(await world.due(10), part < 2 ? [purge(sid, 1000)] : []);
  }
  assert.deepEqual((await world.items(log))[0], [0, '{"n":"new"}']);
  assert.equal((await world.items(log)).length, 4);
  assert.deepEqual((await world.accept(purge(sid, 4))).events, []);
  assert.deepEqual((await world.accept(make('list', 1))).object?.eventId, 0);
  assert.deepEqual(await world.items(list), []);
});

it('[OBJ5] the bound of a purge counts items and markers alike', async (world) => {
  await world.accept(make('list', 1));
  await world.commit(
    ...Array.from({ length: 5 }, () => push(list)),
    ...[0, 1, 2].map((index) => removeItem(list, index)),
  );
  await world.commit(remove(list), purge(sid, 9));
  await world.accept(purge(sid, 4));
  await world.accept(purge(sid, 1));
  assert.deepEqual(await world.due(10), [purge(sid, 1000)], 'there may be more');
  await world.accept(purge(sid, 1));
  assert.deepEqual(await world.due(10), []);
});

it('[OBJ5] expired items of what is removed go in silence, and all ends with nothing due', async (world) => {
  const map = refOf('map', 1);
  await world.commit(make('map', 1), ...['a', 'b', 'c'].map((key) => put(map, key, { ttl: 1 })));
  world.clock.advance(1000);
  await world.accept(remove(map));
  const due = await world.due(3);
  assert.deepEqual(
    (await world.commit(...due)).map((outcome) => accepted(outcome).events),
    [[], [], []],
  );
  assert.deepEqual(await world.due(10), [purge(sidOf('map', 1), 1000)]);
  assert.equal(await world.sweep(), 1);
  assert.deepEqual(await world.due(10), []);
});

it('[OBJ5] a list that is made, filled and removed in one batch leaves nothing', async (world) => {
  const outcomes = await world.commit(
    make('list', 1, { uniqueName: 'log' }),
    push(log),
    push(log),
    removeItem(log, 0),
    remove(log),
    purge(sid, 9),
    push(log),
    make('list', 1),
  );
  assert.deepEqual(outcomes.map(refusal), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    54300,
    20503,
  ]);
  await world.sweep();
  await world.accept(make('list', 1));
  assert.deepEqual(await world.items(list), []);
  assert.deepEqual((await world.missed(sid, 9)).events, []);
});

it('[OBJ5] a list or map that never held anything leaves nothing to delete', async (world) => {
  await world.commit(make('list', 1), make('map', 1), make('stream', 1));
  await world.commit(remove(list), remove(refOf('map', 1)), remove(refOf('stream', 1)));
  assert.deepEqual(await world.due(10), []);
});
