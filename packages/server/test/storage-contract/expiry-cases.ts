/** The storage contract on the time to live. */

import assert from 'node:assert/strict';
import { accepted, byName, bySid, create, documentSid, expire, remove, service, update } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const expiryCases: readonly ContractCase[] = cases;

it('[TTL2] a document is there until the last millisecond and absent from its expiry on', async (world) => {
  await world.commit(create(1, { uniqueName: 'board', ttl: 2 }), create(2, { ttl: 2 }));
  world.clock.advance(1999);
  assert.equal(await world.data(bySid(1)), '{}');
  assert.equal(await world.data(byName('board')), '{}');
  assert.deepEqual(await world.changes(1, null), {
    gone: false,
    position: 0,
    events: [],
    interrupted: false,
    trimmed: false,
  });
  assert.equal(await world.refused(create(3, { uniqueName: 'board' })), 54301);
  await world.accept(update(bySid(2), { ttl: 1 }));

  world.clock.advance(1);
  assert.equal(await world.document(bySid(1)), undefined);
  assert.equal(await world.document(byName('board')), undefined);
  assert.deepEqual(await world.changes(1, 0), { gone: true });
  assert.equal(await world.refused(update(bySid(1), { data: '{}' })), 54100);
  assert.equal(await world.refused(update(byName('board'), { ttl: 9 })), 54300);
  assert.equal(await world.refused(remove(bySid(1))), 54100);
  assert.equal(await world.data(bySid(2)), '{}');
});

it('[TTL3] expiry removes with one event by the system, once, and never what is alive', async (world) => {
  await world.commit(create(1, { uniqueName: 'board', ttl: 1 }), create(2, { ttl: 2 }), create(3));
  world.clock.advance(1000);
  const [first, alive, never, again, unknown] = await world.commit(
    expire(1),
    expire(2),
    expire(3),
    expire(1),
    expire(9),
  );
  assert.deepEqual(accepted(first).events, [
    {
      type: 'removed',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 1,
      at: world.clock.at,
      by: 'system',
      expiresAt: world.clock.at,
      data: null,
      item: undefined,
    },
  ]);
  assert.deepEqual(
    [alive, never, again, unknown].map((outcome) => accepted(outcome).events),
    [[], [], [], []],
  );
  assert.equal(await world.data(bySid(2)), '{}');
  assert.equal(await world.data(bySid(3)), '{}');
  assert.deepEqual(await world.due(10), []);
});

it('[TTL4] a change of ttl alone moves neither revision nor event id', async (world) => {
  await world.accept(create(1, { data: '{"n":0}', ttl: 1 }));
  await world.accept(update(bySid(1), { data: '{"n":1}' }));
  world.clock.advance(10);
  const { object, events } = await world.accept(update(bySid(1), { ttl: 5, ifMatch: '1' }));
  assert.deepEqual(events, []);
  assert.equal(object?.eventId, 1);
  assert.equal(object.expiresAt, world.clock.at + 5000);
  assert.deepEqual(await world.document(bySid(1)), { row: object, data: '{"n":1}' });
  assert.equal(await world.refused(update(bySid(1), { ttl: 5, ifMatch: '0' })), 54103);
});

it('[TTL1] a ttl of 0 takes the expiry away, an absent one leaves it', async (world) => {
  await world.commit(create(1, { ttl: 1 }), create(2, { ttl: 1 }), create(3, { ttl: 1 }));
  const expiresAt = world.clock.at + 1000;
  const kept = await world.accept(update(bySid(1), { data: '{"n":1}' }));
  assert.equal(kept.object?.expiresAt, expiresAt);
  assert.equal(kept.events[0]?.expiresAt, expiresAt);
  const never = await world.accept(update(bySid(2), { ttl: 0 }));
  assert.equal(never.object?.expiresAt, null);
  await world.accept(update(bySid(3), { data: '{"n":3}', ttl: 3 }));
  world.clock.advance(1000);
  assert.equal(await world.document(bySid(1)), undefined);
  assert.equal(await world.data(bySid(2)), '{}');
  assert.equal(await world.data(bySid(3)), '{"n":3}');
});

it('[TTL3] what is due comes earliest first, and not more than asked for', async (world) => {
  assert.deepEqual(await world.due(10), []);
  await world.commit(
    create(1, { ttl: 3 }),
    create(3, { ttl: 1 }),
    create(2, { ttl: 1 }),
    create(4),
    create(5, { ttl: 4 }),
  );
  world.clock.advance(999);
  assert.deepEqual(await world.due(10), []);
  world.clock.advance(2001);
  assert.deepEqual(await world.due(10), [2, 3, 1].map(expire));
  assert.deepEqual(await world.due(2), [2, 3].map(expire));
  assert.deepEqual(await world.due(0), []);
  await world.accept(expire(3));
  assert.deepEqual(await world.due(10), [2, 1].map(expire));
});
