/** The storage contract on snapshots, time, closing and opening again. */

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { NotApplied } from '../../src/storage/storage.ts';
import { accepted, byName, bySid, create, documentSid, putKey, remove, service, update } from '../commands.ts';
import { caseList, idsOf } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const lifeCases: readonly ContractCase[] = cases;

it('[STO3] all answers of one read come from one snapshot', async (world) => {
  await world.commit(create(1, { data: '{"n":0}' }), create(2, { data: '{"n":0}' }));
  let isWriting = true;
  const write = async (): Promise<void> => {
    for (let n = 1; n <= 100; n++) {
      const data = `{"n":${n}}`;
      await world.commit(update(bySid(1), { data }), update(bySid(2), { data }));
    }
    isWriting = false;
  };
  const read = async (): Promise<void> => {
    while (isWriting) {
      const [first, second] = await world.storage.read([
        { query: 'document', ref: bySid(1) },
        { query: 'document', ref: bySid(2) },
      ]);
      assert.equal(first?.data, second?.data);
      // Lets the commits come in: a loop of promises alone would never leave this turn.
      await setImmediate();
    }
  };
  const reading = read();
  await write();
  await reading;
});

it('[STO9] time is taken once for a batch and once for a read', async (world) => {
  world.clock.perLook = 1;
  const outcomes = await world.commit(create(1, { ttl: 1 }), create(2, { ttl: 1 }), create(3, { ttl: 1 }));
  const madeAt = outcomes.map((outcome) => accepted(outcome).object?.createdAt);
  assert.deepEqual(madeAt, [madeAt[0], madeAt[0], madeAt[0]]);
  // The next look shows the last moment at which the documents are there.
  world.clock.at = (madeAt[0] ?? 0) + 998;
  const [first, second, third] = await world.storage.read([
    { query: 'document', ref: bySid(1) },
    { query: 'document', ref: bySid(2) },
    { query: 'document', ref: bySid(3) },
  ]);
  assert.deepEqual(
    [first, second, third].map((found) => found?.data),
    ['{}', '{}', '{}'],
  );
});

it('[OPS3] closing finishes the commits under way and then takes no more calls', async (world) => {
  await world.accept(create(1));
  const underWay = world.commit(update(bySid(1), { data: '{"n":1}' }));
  const closing = world.storage.close();
  const later = world.commit(update(bySid(1), { data: '{"n":2}' }));
  const read = world.storage.read([{ query: 'directory' }]);
  await Promise.all([assert.rejects(later, NotApplied), assert.rejects(read), world.storage.close(), closing]);
  assert.deepEqual(idsOf(await underWay), [1]);
  await assert.rejects(world.commit(create(2)), NotApplied);
  await assert.rejects(world.document(bySid(1)));
  await world.storage.close();
});

it(
  '[STO5] opened again, all is as it was',
  async (world) => {
    const { epoch } = world.storage;
    await world.commit(
      create(1, { uniqueName: 'board', data: '{"n":1}', ttl: 60 }),
      update(byName('board'), { data: '{"n":2}' }),
      create(2, { uniqueName: 'gone' }),
      remove(bySid(2)),
      update(bySid(1), { data: '{"n":-1}', ifMatch: '9' }),
      create(3, { ttl: 1 }),
      putKey(1, 'a secret'),
    );
    world.clock.advance(1000);
    const state = async (): Promise<unknown> =>
      await world.storage.read([
        { query: 'document', ref: bySid(1) },
        { query: 'document', ref: byName('board') },
        { query: 'document', ref: bySid(2) },
        { query: 'document', ref: byName('gone') },
        { query: 'changes', service, object: documentSid(1), after: 0 },
        { query: 'due', limit: 10 },
        { query: 'directory' },
      ]);
    const before = await state();
    await world.reopen();
    assert.deepEqual(await state(), before);
    assert.equal(world.storage.epoch, epoch);
    assert.equal(await world.refused(create(4, { uniqueName: 'board' })), 54301);
    await world.accept(create(5, { uniqueName: 'gone' }));
    assert.deepEqual(idsOf(await world.commit(update(bySid(1), { data: '{"n":3}' }))), [2]);
    await world.reopen();
    assert.equal(await world.data(byName('board')), '{"n":3}');
  },
  { durable: true },
);
