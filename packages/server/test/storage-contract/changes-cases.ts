/** The storage contract on what a subscriber missed. */

import assert from 'node:assert/strict';
import { bySid, create, documentSid, otherService, remove, service, update } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const changesCases: readonly ContractCase[] = cases;

it('[SUB2] a position behind gets one event with the present state, the present one none', async (world) => {
  await world.accept(create(1, { uniqueName: 'board', ttl: 60 }));
  for (const n of [1, 2, 3]) await world.accept(update(bySid(1), { data: `{"n":${n}}` }));
  world.clock.advance(5);
  await world.accept(update(bySid(1), { ttl: 0 }));
  const present = { gone: false, position: 3, events: [], interrupted: false, trimmed: false };
  assert.deepEqual(await world.changes(1, 3), present);
  assert.deepEqual(await world.changes(1, null), present);
  for (const after of [0, 2]) {
    const changes = await world.changes(1, after);
    assert.ok(!changes.gone);
    assert.equal(changes.position, 3);
    assert.equal(changes.events.length, 1);
    const { by: _, ...event } = changes.events[0]!;
    assert.deepEqual(event, {
      type: 'updated',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 3,
      at: world.clock.at,
      expiresAt: null,
      data: '{"n":3}',
      item: undefined,
    });
  }
});

it('[SUB7] a position ahead of the object gets its present state', async (world) => {
  await world.accept(create(1, { data: '{"n":0}' }));
  const changes = await world.changes(1, 7);
  assert.ok(!changes.gone);
  assert.equal(changes.position, 0);
  assert.deepEqual(
    changes.events.map(({ id, data }) => [id, data]),
    [[0, '{"n":0}']],
  );
});

it('[SUB3] of what is missing, removed or in another service nothing can be followed', async (world) => {
  assert.deepEqual(await world.changes(1, null), { gone: true });
  await world.commit(create(1), create(2), remove(bySid(2)));
  assert.deepEqual(await world.changes(1, 0, otherService), { gone: true });
  assert.deepEqual(await world.changes(2, 0), { gone: true });
});
