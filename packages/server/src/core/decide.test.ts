import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  account,
  add,
  byName,
  bySid,
  create,
  documentSid,
  expire,
  expireItem,
  keySid,
  make,
  namedRef,
  publish,
  purge,
  push,
  put,
  putKey,
  putService,
  refOf,
  remove,
  removeItem,
  service,
  setTtl,
  sidOf,
  trim,
  update,
  updateItem,
} from '../../test/commands.ts';
import { viewOf } from '../../test/view.ts';
import { nothing } from './change.ts';
import { clearanceRows } from './clearance.ts';
import { decide, needs } from './decide.ts';

const now = 10_000;

test('[STO2] each command names all that its decision looks at', () => {
  const nameNeed = { need: 'name', service, kind: 'document', name: 'board' };
  const objectNeed = { need: 'object', sid: documentSid(1) };
  const serviceNeed = { need: 'service', sid: service };
  assert.deepEqual(needs(create(1)), [serviceNeed, objectNeed]);
  assert.deepEqual(needs(create(1, { uniqueName: 'board' })), [serviceNeed, objectNeed, nameNeed]);
  assert.deepEqual(needs(update(bySid(1))), [objectNeed]);
  assert.deepEqual(needs(update(byName('board'))), [nameNeed]);
  assert.deepEqual(needs(remove(bySid(1))), [objectNeed]);
  assert.deepEqual(needs(remove(byName('board'))), [nameNeed]);
  assert.deepEqual(needs(expire(1)), [objectNeed]);
  const [list, map] = [refOf('list', 1), namedRef('map', 'board')];
  const listNeed = { need: 'object', sid: sidOf('list', 1) };
  const mapNeed = { need: 'name', service, kind: 'map', name: 'board' };
  assert.deepEqual(needs(make('list', 1)), [
    serviceNeed,
    listNeed,
    { need: 'purge', object: sidOf('list', 1), limit: 0 },
  ]);
  assert.deepEqual(needs(make('stream', 1)), [serviceNeed, { need: 'object', sid: sidOf('stream', 1) }]);
  for (const command of [push(list), setTtl(list, 1), remove(list), publish(list, 1)]) {
    assert.deepEqual(needs(command), [listNeed], command.type);
  }
  for (const command of [put(map, 'a'), add(map, 'a'), updateItem(map, 'a'), removeItem(map, 'a')]) {
    assert.deepEqual(needs(command), [{ need: 'item', of: mapNeed, key: 'a' }], command.type);
  }
  assert.deepEqual(needs(expireItem(sidOf('list', 1), 2)), [{ need: 'item', of: listNeed, key: 2 }]);
  assert.deepEqual(needs(purge(sidOf('list', 1), 5)), [{ need: 'purge', object: sidOf('list', 1), limit: 5 }]);
  assert.deepEqual(needs(trim('MP', 5)), [{ need: 'oldMarkers', object: 'MP', upTo: 5, limit: clearanceRows }]);
  assert.deepEqual(needs({ type: 'putAccount', sid: account, authToken: 'a' }), [{ need: 'account' }]);
  assert.deepEqual(needs(putService(service)), [{ need: 'service', sid: service }]);
  assert.deepEqual(needs(putKey(1, 'a')), [{ need: 'key', sid: keySid(1) }]);
  assert.deepEqual(needs({ type: 'revokeKey', sid: keySid(1) }), [{ need: 'key', sid: keySid(1) }]);
});

test('[TTL3] expiring removes what has run out, and leaves alone what is alive or gone', () => {
  const row = {
    sid: documentSid(1),
    account,
    service,
    kind: 'document',
    uniqueName: null,
    eventId: 3,
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: now,
    createdBy: 'ann',
  } as const;
  const alive = { ...row, expiresAt: now + 1 };
  assert.deepEqual(decide(expire(1), viewOf(alive), now), { ...nothing, object: alive });
  assert.deepEqual(decide(expire(1), viewOf(), now), nothing);
  const removed = decide(expire(1), viewOf(row), now);
  assert.ok('events' in removed);
  assert.deepEqual(removed.drop, [{ table: 'object', row }]);
  assert.deepEqual(
    removed.events.map(({ type, id, by }) => ({ type, id, by })),
    [{ type: 'removed', id: 4, by: 'system' }],
  );
});
