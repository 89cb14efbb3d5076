/** The storage contract on lists. */

import assert from 'node:assert/strict';
import {
  account,
  make,
  push,
  refOf,
  refusal,
  remove,
  removeItem,
  service,
  setTtl,
  sidOf,
  updateItem,
} from '../commands.ts';
import { caseList, idsOf } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const listCases: readonly ContractCase[] = cases;

const list = refOf('list', 1);

it('[LST1] indexes start at 0, grow by one and are never used again', async (world) => {
  const { object, events } = await world.accept(make('list', 1, { uniqueName: 'log' }));
  assert.deepEqual([object?.kind, object?.eventId, object?.nextIndex], ['list', 0, 0]);
  assert.deepEqual(
    events.map(({ type, kind, id, data }) => [type, kind, id, data]),
    [['created', 'list', 0, null]],
  );
  await world.commit(push(list, { data: '{"n":0}' }), push(list, { data: '{"n":1}' }), removeItem(list, 1));
  const { item } = await world.accept(push(list, { data: '{"n":2}' }));
  assert.equal(item?.row.key, 2);
  await world.accept(removeItem(list, 0));
  await world.accept(removeItem(list, 2));
  await world.accept(push(list, { data: '{"n":3}' }));
  assert.deepEqual(await world.items(list), [[3, '{"n":3}']]);
});

it('[LST1] [EVT1] [REV1] an item is as it was written, and each change of one takes the next id of the list', async (world) => {
  await world.accept(make('list', 1));
  world.clock.advance(5);
  const { object, item, events } = await world.accept(push(list, { data: '{"n":0}', ttl: 60 }));
  const { at } = world.clock;
  const row = {
    object: sidOf('list', 1),
    key: 0,
    eventId: 1,
    addedId: 1,
    createdAt: at,
    updatedAt: at,
    expiresAt: at + 60_000,
    createdBy: 'ann',
  };
  assert.deepEqual(item, { row, data: '{"n":0}' });
  assert.deepEqual([object?.eventId, object?.updatedAt, object?.account], [1, at, account]);
  assert.deepEqual(events, [
    {
      type: 'itemAdded',
      kind: 'list',
      service,
      object: sidOf('list', 1),
      uniqueName: null,
      id: 1,
      at,
      by: 'ann',
      expiresAt: at + 60_000,
      data: '{"n":0}',
      item: { key: 0 },
    },
  ]);
  assert.deepEqual(await world.item(list, 0), { row, data: '{"n":0}' });
  const outcomes = await world.commit(
    push(list),
    updateItem(list, 0, { data: '{"n":1}' }),
    push(list),
    updateItem(list, 0, { data: '{"n":2}', ifMatch: '3' }),
  );
  assert.deepEqual(idsOf(outcomes), [2, 3, 4, 5]);
  assert.deepEqual(await world.item(list, 0), { row: { ...row, eventId: 5 }, data: '{"n":2}' });
  assert.equal((await world.object(list))?.eventId, 5);
});

it('[LST2] what is missing is 54150 for a list and 54151 for an item, by name 54300', async (world) => {
  const named = { ...list, by: 'name' as const, value: 'log' };
  for (const [ref, code] of [
    [list, 54150],
    [named, 54300],
  ] as const) {
    const commands = [push(ref), updateItem(ref, 0, { data: '{}' }), removeItem(ref, 0), remove(ref), setTtl(ref, 1)];
    assert.deepEqual(
      (await world.commit(...commands)).map(refusal),
      commands.map(() => code),
    );
    assert.deepEqual(await world.storage.read([{ query: 'item', ref, key: 0 }]), [undefined]);
  }
  await world.accept(make('list', 1));
  assert.equal(await world.refused(updateItem(list, 0, { data: '{}' })), 54151);
  assert.equal(await world.refused(removeItem(list, 0)), 54151);
  await world.commit(push(list), removeItem(list, 0));
  assert.equal(await world.refused(updateItem(list, 0, { data: '{}' })), 54151);
  assert.equal(await world.item(list, 0), undefined);
});

it('[LST3] a removal is one event with the last data, and tells what was removed', async (world) => {
  await world.commit(make('list', 1), push(list, { data: '{"n":0}' }), push(list));
  world.clock.advance(5);
  const { item, events, object } = await world.accept(removeItem(list, 0, '1'));
  assert.deepEqual(
    events.map(({ type, id, data, by, item: of }) => [type, id, data, by, of?.key]),
    [['itemRemoved', 3, '{"n":0}', 'cem', 0]],
  );
  assert.deepEqual(
    [item?.row.key, item?.row.eventId, item?.row.updatedAt, item?.data],
    [0, 3, world.clock.at, '{"n":0}'],
  );
  assert.equal(object?.eventId, 3);
  assert.deepEqual(await world.items(list), [[1, '{}']]);
});

it('[LST4] a write of an item is judged: missing, then what it says, then another revision', async (world) => {
  await world.accept(make('list', 1));
  assert.equal(await world.refused(updateItem(list, 0, { ifMatch: 'no revision' })), 54151);
  await world.accept(push(list, { data: '{"n":0}' }));
  assert.equal(await world.refused(updateItem(list, 0, { ifMatch: '9' })), 54010);
  assert.equal(await world.refused(updateItem(list, 0, { collectionTtl: 9 })), 54010);
  assert.equal(await world.refused(updateItem(list, 0, { data: '{}', ifMatch: 'no revision' })), 54003);
  assert.equal(await world.refused(removeItem(list, 0, 'no revision')), 54003);
  assert.equal(await world.refused(updateItem(list, 0, { data: '{}', ifMatch: '0' })), 54155);
  assert.equal(await world.refused(removeItem(list, 0, '0')), 54155);
  assert.deepEqual(await world.items(list), [[0, '{"n":0}']]);
});

it('[LST4] [REV2] of two writers of one item with the same expected revision one wins', async (world) => {
  await world.commit(make('list', 1), push(list));
  const batch = await world.commit(
    updateItem(list, 0, { data: '{"by":1}', ifMatch: '1' }),
    updateItem(list, 0, { data: '{"by":2}', ifMatch: '1' }),
    removeItem(list, 0, '1'),
  );
  assert.deepEqual(batch.map(refusal), [undefined, 54155, 54155]);
  const both = await Promise.all([
    world.commit(updateItem(list, 0, { data: '{"by":3}', ifMatch: '2' })),
    world.commit(removeItem(list, 0, '2')),
  ]);
  assert.deepEqual(both.flat().map(refusal), [undefined, 54155]);
  assert.deepEqual(await world.items(list), [[0, '{"by":3}']]);
});

it('[LST1] [STO2] pushes handed over without waiting get their indexes in order', async (world) => {
  await world.accept(make('list', 1));
  const commits = Array.from({ length: 20 }, (_, n) =>
    world.commit(push(list, { data: `{"n":${2 * n}}` }), push(list, { data: `{"n":${2 * n + 1}}` })),
  );
  const outcomes = (await Promise.all(commits)).flat();
  assert.deepEqual(
    idsOf(outcomes),
    Array.from({ length: 40 }, (_, n) => n + 1),
  );
  assert.deepEqual(
    await world.items(list),
    Array.from({ length: 40 }, (_, n) => [n, `{"n":${n}}`]),
  );
});

it(
  '[LST1] [STO5] opened again, a list goes on where it was',
  async (world) => {
    await world.commit(make('list', 1), push(list, { data: '{"n":0}' }), push(list), removeItem(list, 1));
    await world.reopen();
    const { item } = await world.accept(push(list));
    assert.deepEqual([item?.row.key, item?.row.eventId], [2, 4]);
    assert.deepEqual(await world.items(list), [
      [0, '{"n":0}'],
      [2, '{}'],
    ]);
  },
  { durable: true },
);
