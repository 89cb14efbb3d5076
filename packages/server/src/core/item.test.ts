import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  account,
  make,
  push,
  put,
  refOf,
  removeItem,
  service,
  setTtl,
  sidOf,
  updateItem,
} from '../../test/commands.ts';
import { viewOf, viewOfItems } from '../../test/view.ts';
import { isRefusal } from './change.ts';
import type { Change, Refusal } from './change.ts';
import { decide } from './decide.ts';
import type { ItemKey, MarkerRow, ObjectRow, StoredItem } from './object.ts';

const now = 10_000;
const list = refOf('list', 1);
const map = refOf('map', 1);

function collection(kind: 'list' | 'map'): ObjectRow {
  return {
    sid: sidOf(kind, 1),
    account,
    service,
    kind,
    uniqueName: null,
    eventId: 9,
    nextIndex: kind === 'list' ? 5 : 0,
    markers: 2,
    trimmedTo: 0,
    createdAt: 1000,
    updatedAt: 2000,
    expiresAt: 90_000,
    createdBy: 'ann',
  };
}

function stored(object: ObjectRow, key: ItemKey, expiresAt: number | null = null): StoredItem {
  const times = { createdAt: 1000, updatedAt: 2000, expiresAt };
  return { row: { object: object.sid, key, eventId: 7, addedId: 3, ...times, createdBy: 'ann' }, data: '{"n":7}' };
}

function changed(decision: Change | Refusal): Change {
  assert.ok(!isRefusal(decision), JSON.stringify(decision));
  return decision;
}

function refused(decision: Change | Refusal): number | undefined {
  return isRefusal(decision) ? decision.refused : undefined;
}

test('[LST1] a push takes the next index and the next event id, and moves the list on', () => {
  const before = collection('list');
  const {
    put: rows,
    drop,
    events,
    object,
    item,
  } = changed(decide(push(list, { data: '{"n":1}' }), viewOf(before), now));
  assert.deepEqual(object, { ...before, nextIndex: 6, eventId: 10, updatedAt: now });
  assert.deepEqual([item?.row.key, item?.row.eventId, item?.row.addedId], [5, 10, 10]);
  assert.deepEqual(rows, [
    { table: 'item', row: item?.row, data: '{"n":1}' },
    { table: 'object', row: object, data: undefined },
  ]);
  assert.deepEqual([drop, events.length, events[0]?.id], [[], 1, 10]);
});

test('[LST4] a write of an item is judged in order: missing, nothing to do or no revision, another revision', () => {
  const object = collection('list');
  const view = viewOfItems(object, [stored(object, 1)]);
  const update = (more: Parameters<typeof updateItem>[2], of = view): number | undefined =>
    refused(decide(updateItem(list, 1, more), of, now));
  assert.equal(update({ ifMatch: 'x' }, viewOf()), 54150);
  assert.equal(update({ ifMatch: 'x' }, viewOf(object)), 54151);
  assert.equal(update({ ifMatch: 'x' }, viewOf({ ...object, expiresAt: now })), 54150);
  assert.equal(update({ ifMatch: 'x' }), 54010);
  assert.equal(update({ data: '{}', ifMatch: 'x' }), 54003);
  assert.equal(update({ data: '{}', ifMatch: '8' }), 54155);
  assert.equal(update({ data: '{}', ifMatch: '7' }), undefined);
  assert.equal(refused(decide(removeItem(list, 1, '8'), view, now)), 54155);
});

test('[MAP5] a put is refused with 412 unless the revision stands, or the key is free where it must be', () => {
  const object = collection('map');
  const view = viewOfItems(object, [stored(object, 'a'), stored(object, 'old', now)]);
  const judge = (key: string, ifMatch: string | null): number | undefined =>
    refused(decide(put(map, key, { ifMatch }), view, now));
  assert.deepEqual(
    ['7', '8', 'x', null].map((ifMatch) => judge('a', ifMatch)),
    [undefined, 54205, 54003, 54205],
  );
  assert.deepEqual(
    ['7', 'x', null].map((ifMatch) => judge('old', ifMatch)),
    [54205, 54003, undefined],
  );
  assert.deepEqual(
    ['7', 'x', null].map((ifMatch) => judge('free', ifMatch)),
    [54205, 54003, undefined],
  );
});

test('[MAP4] [MAP6] a key made again takes its marker away, an expired one tells its removal first', () => {
  const object = collection('map');
  const marker: MarkerRow = { object: object.sid, key: 'gone', eventId: 8, removedAt: 3000 };
  const view = viewOfItems(object, [stored(object, 'old', now)], [marker]);
  const again = changed(decide(add(map, 'gone'), view, now));
  assert.deepEqual(again.drop, [{ table: 'marker', object: object.sid, key: 'gone' }]);
  assert.deepEqual([again.object?.markers, again.item?.row.eventId, again.events.length], [1, 10, 1]);
  const over = changed(decide(add(map, 'old'), view, now));
  assert.deepEqual(
    over.events.map(({ type, id, by, data }) => [type, id, by, data]),
    [
      ['itemRemoved', 10, 'system', '{"n":7}'],
      ['itemAdded', 11, 'ann', '{}'],
    ],
  );
  assert.deepEqual([over.drop, over.object?.markers, over.object?.eventId], [[], 2, 11]);
});

test('[LST3] a removal drops the item and leaves a marker', () => {
  const object = collection('list');
  const { put: rows, drop, item } = changed(decide(removeItem(list, 1), viewOfItems(object, [stored(object, 1)]), now));
  const marker = { object: object.sid, key: 1, eventId: 10, removedAt: now };
  const after = { ...object, eventId: 10, markers: 3, updatedAt: now };
  assert.deepEqual(rows, [
    { table: 'marker', row: marker },
    { table: 'object', row: after, data: undefined },
  ]);
  assert.deepEqual(drop, [{ table: 'item', object: object.sid, key: 1 }]);
  assert.deepEqual([item?.row.eventId, item?.row.updatedAt, item?.data], [10, now, '{"n":7}']);
});

test('[TTL4] [TTL6] a ttl moves an expiry and nothing else, that of the list or map only when given', () => {
  const object = collection('list');
  const view = viewOfItems(object, [stored(object, 1, 50_000)]);
  const touched = changed(decide(updateItem(list, 1, { ttl: 2, collectionTtl: 0 }), view, now));
  assert.deepEqual([touched.item?.row.expiresAt, touched.object?.expiresAt, touched.events], [12_000, null, []]);
  assert.deepEqual([touched.item?.row.eventId, touched.object?.eventId], [7, 9]);
  const written = changed(decide(updateItem(list, 1, { data: '{}' }), view, now));
  assert.deepEqual([written.item?.row.expiresAt, written.object?.expiresAt], [50_000, 90_000]);
  const whole = changed(decide(setTtl(list, 1), view, now));
  assert.deepEqual([whole.object?.expiresAt, whole.object?.eventId, whole.events], [11_000, 9, []]);
});

test('[OBJ5] only a list or map that ever held something leaves a note to purge', () => {
  for (const kind of ['list', 'map'] as const) {
    const object = collection(kind);
    const remove = { type: 'removeObject', ref: refOf(kind, 1), by: 'cem' } as const;
    assert.deepEqual(changed(decide(remove, viewOf(object), now)).put, [{ table: 'purge', object: object.sid }]);
    assert.deepEqual(changed(decide(remove, viewOf({ ...object, eventId: 0 }), now)).put, []);
  }
  const taken = { ...viewOf(), purge: () => ({ items: [], markers: [], isAll: true }) };
  assert.equal(refused(decide(make('list', 1), taken, now)), 20503);
});
