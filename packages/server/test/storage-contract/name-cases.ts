/** The storage contract on names and services. */

import assert from 'node:assert/strict';
import { byName, bySid, create, documentSid, expire, otherService, refusal, remove, update } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const nameCases: readonly ContractCase[] = cases;

it('[OBJ2] to another service an object does not exist', async (world) => {
  await world.accept(create(1, { uniqueName: 'board' }));
  assert.equal(await world.document(bySid(1, otherService)), undefined);
  assert.equal(await world.document(byName('board', otherService)), undefined);
  assert.deepEqual(await world.changes(1, null, otherService), { gone: true });
  assert.equal(await world.refused(update(bySid(1, otherService), { data: '{"x":1}' })), 54100);
  assert.equal(await world.refused(update(byName('board', otherService), { data: '{"x":1}' })), 54300);
  assert.equal(await world.refused(remove(bySid(1, otherService))), 54100);
  assert.equal(await world.data(bySid(1)), '{}');
});

it('[OBJ3] names are compared exactly', async (world) => {
  const names = ['Board', 'board', 'board ', 'caf\u00e9', 'cafe\u0301', '𝄞', '😀'.repeat(320), '%', "'", '\n'];
  await world.commit(...names.map((uniqueName, n) => create(n, { uniqueName })));
  for (const [n, name] of names.entries()) {
    assert.equal((await world.document(byName(name)))?.row.sid, documentSid(n), JSON.stringify(name));
  }
  assert.equal(await world.document(byName('BOARD')), undefined);
});

it('[OBJ4] of two creations with one name one wins, in one batch and in two', async (world) => {
  const [first, second, elsewhere] = await world.commit(
    create(1, { uniqueName: 'board', data: '{"n":1}' }),
    create(2, { uniqueName: 'board', data: '{"n":2}' }),
    create(3, { uniqueName: 'board', data: '{"n":3}', service: otherService }),
  );
  assert.deepEqual([first, second, elsewhere].map(refusal), [undefined, 54301, undefined]);
  assert.equal(await world.refused(create(4, { uniqueName: 'board' })), 54301);
  assert.equal(await world.data(byName('board')), '{"n":1}');
  assert.equal(await world.data(byName('board', otherService)), '{"n":3}');
  assert.equal(await world.document(bySid(2)), undefined);
  assert.equal(await world.document(bySid(4)), undefined);
});

it('[OBJ4] [DOC7] a removed document frees its name at once', async (world) => {
  await world.accept(create(1, { uniqueName: 'board' }));
  await world.accept(remove(bySid(1)));
  await world.accept(create(2, { uniqueName: 'board', data: '{"n":2}' }));
  assert.equal(await world.data(byName('board')), '{"n":2}');
  const outcomes = await world.commit(
    remove(byName('board')),
    create(3, { uniqueName: 'board', data: '{"n":3}' }),
    remove(bySid(2)),
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, 54100]);
  assert.equal((await world.document(byName('board')))?.row.sid, documentSid(3));
  assert.equal(await world.document(bySid(2)), undefined);
});

it('[TTL3] [OBJ4] creating over an expired name removes its holder in the same commit', async (world) => {
  await world.accept(create(1, { uniqueName: 'board', ttl: 1 }));
  await world.accept(update(bySid(1), { data: '{"n":1}' }));
  world.clock.advance(1000);
  const { events, object } = await world.accept(create(2, { uniqueName: 'board' }));
  assert.deepEqual(
    events.map(({ type, object, id, by }) => ({ type, object, id, by })),
    [
      { type: 'removed', object: documentSid(1), id: 2, by: 'system' },
      { type: 'created', object: documentSid(2), id: 0, by: 'ann' },
    ],
  );
  assert.equal(object?.sid, documentSid(2));
  assert.equal((await world.document(byName('board')))?.row.sid, documentSid(2));
  assert.deepEqual((await world.accept(expire(1))).events, []);
  assert.deepEqual(await world.due(10), []);
});
