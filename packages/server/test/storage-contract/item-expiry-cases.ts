/** The storage contract on the time to live of items, and of lists and maps. */

import assert from 'node:assert/strict';
import {
  accepted,
  expire,
  expireItem,
  make,
  push,
  put,
  refOf,
  removeItem,
  setTtl,
  sidOf,
  update,
  updateItem,
} from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const itemExpiryCases: readonly ContractCase[] = cases;

const list = refOf('list', 1);
const map = refOf('map', 1);

it('[TTL5] an item is there until the last millisecond and absent from its expiry on', async (world) => {
  await world.commit(make('list', 1), make('map', 1), push(list, { ttl: 2 }), put(map, 'a', { ttl: 2 }));
  world.clock.advance(1999);
  assert.equal((await world.items(list)).length, 1);
  assert.notEqual(await world.item(map, 'a'), undefined);
  world.clock.advance(1);
  assert.deepEqual(await world.items(list), []);
  assert.equal(await world.item(map, 'a'), undefined);
  assert.equal(await world.refused(updateItem(list, 0, { ttl: 9 })), 54151);
  assert.equal(await world.refused(removeItem(list, 0)), 54151);
  assert.equal(await world.refused(updateItem(map, 'a', { data: '{}' })), 54201);
  assert.equal(await world.refused(put(map, 'a', { ifMatch: '1' })), 54205);
  assert.equal((await world.object(map))?.eventId, 1, 'refused writes leave nothing');
});

it('[TTL5] a write over an expired item first tells its removal by the system, in one commit', async (world) => {
  await world.commit(make('map', 1), put(map, 'a', { data: '{"n":1}', ttl: 1 }), put(map, 'b', { ttl: 1 }));
  world.clock.advance(1000);
  const { events, item, object } = await world.accept(put(map, 'a', { data: '{"n":2}', ifMatch: null, by: 'ben' }));
  assert.deepEqual(
    events.map(({ type, id, by, data }) => [type, id, by, data]),
    [
      ['itemRemoved', 3, 'system', '{"n":1}'],
      ['itemAdded', 4, 'ben', '{"n":2}'],
    ],
  );
  assert.deepEqual([item?.row.createdBy, item?.row.expiresAt, item?.row.addedId], ['ben', null, 4]);
  assert.deepEqual([object?.eventId, object?.markers], [4, 0]);
  assert.deepEqual(await world.due(10), [expireItem(sidOf('map', 1), 'b')]);
});

it('[TTL5] expiry removes an item with one event by the system, once, and never what is alive', async (world) => {
  await world.commit(make('list', 1), push(list, { data: '{"n":0}', ttl: 1 }), push(list, { ttl: 2 }), push(list));
  world.clock.advance(1000);
  const sid = sidOf('list', 1);
  const outcomes = await world.commit(...[0, 1, 2, 0, 9].map((index) => expireItem(sid, index)));
  assert.deepEqual(
    outcomes.map((outcome) => accepted(outcome).events.map(({ type, id, by, data }) => [type, id, by, data])),
    [[['itemRemoved', 4, 'system', '{"n":0}']], [], [], [], []],
  );
  assert.deepEqual(
    (await world.items(list)).map(([index]) => index),
    [1, 2],
  );
  assert.deepEqual(
    (await world.missed(sid, 3)).events.map(({ type, item }) => [type, item?.key]),
    [['itemRemoved', 0]],
  );
});

it('[TTL4] [TTL5] a change of ttl alone moves no revision and tells nobody, of items and of lists', async (world) => {
  await world.commit(make('list', 1), push(list, { data: '{"n":0}', ttl: 1 }));
  const touched = await world.accept(updateItem(list, 0, { ttl: 0, ifMatch: '1' }));
  assert.deepEqual([touched.events, touched.item?.row.expiresAt, touched.item?.row.eventId], [[], null, 1]);
  assert.equal(touched.item?.data, '{"n":0}');
  const { object, events } = await world.accept(setTtl(list, 5));
  assert.deepEqual([events, object?.eventId, object?.expiresAt], [[], 1, world.clock.at + 5000]);
  const kept = await world.accept(updateItem(list, 0, { data: '{"n":1}' }));
  assert.equal(kept.object?.expiresAt, world.clock.at + 5000);
  world.clock.advance(4999);
  assert.deepEqual(await world.items(list), [[0, '{"n":1}']]);
  world.clock.advance(1);
  assert.equal(await world.object(list), undefined);
});

it('[TTL6] a write of an item may set the ttl of its list or map', async (world) => {
  await world.commit(make('list', 1, { ttl: 1 }), make('map', 1));
  const pushed = await world.accept(push(list, { collectionTtl: 9 }));
  assert.equal(pushed.object?.expiresAt, world.clock.at + 9000);
  assert.equal(pushed.item?.row.expiresAt, null);
  await world.accept(put(map, 'a', { ttl: 3, collectionTtl: 7 }));
  const touched = await world.accept(updateItem(map, 'a', { ttl: 2, collectionTtl: 8 }));
  assert.deepEqual([touched.object?.expiresAt, touched.events], [world.clock.at + 8000, []]);
  assert.equal((await world.object(map))?.expiresAt, world.clock.at + 8000);
  await world.accept(updateItem(list, 0, { data: '{}', collectionTtl: 0 }));
  assert.equal((await world.object(list))?.expiresAt, null);
});

it('[TTL3] what is due comes in order: objects, items by their end, and never more than asked for', async (world) => {
  await world.commit(make('list', 1, { ttl: 3 }), make('map', 1), push(list, { ttl: 2 }), push(list, { ttl: 1 }));
  await world.commit(put(map, 'b', { ttl: 1 }), put(map, 'a', { ttl: 1 }), put(map, 'c', { ttl: 9 }));
  world.clock.advance(2000);
  const [ofList, ofMap] = [sidOf('list', 1), sidOf('map', 1)];
  const items = [expireItem(ofList, 1), expireItem(ofMap, 'a'), expireItem(ofMap, 'b'), expireItem(ofList, 0)];
  assert.deepEqual(await world.due(10), items);
  assert.deepEqual(await world.due(2), items.slice(0, 2));
  world.clock.advance(1000);
  assert.deepEqual(await world.due(10), [{ ...expire(0), sid: ofList }, ...items]);
  assert.deepEqual(await world.due(0), []);
  await world.sweep();
  assert.deepEqual(await world.due(10), []);
  assert.equal(await world.refused(update(list)), 54150);
});
