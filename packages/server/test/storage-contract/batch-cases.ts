/** The storage contract on batches. */

import assert from 'node:assert/strict';
import type { Command } from '../../src/core/command.ts';
import type { Sid } from '../../src/core/object.ts';
import type { Outcome } from '../../src/storage/storage.ts';
import {
  accepted,
  byName,
  bySid,
  create,
  keySid,
  missingService,
  putKey,
  putService,
  refusal,
  remove,
  service,
  update,
} from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const batchCases: readonly ContractCase[] = cases;

it('[STO2] a refused command changes nothing and does not disturb the others', async (world) => {
  await world.accept(create(1, { data: '{"n":0}' }));
  const outcomes = await world.commit(
    update(bySid(1), { data: '{"n":1}' }),
    update(bySid(1), { data: '{"n":-1}', ifMatch: '0' }),
    remove(bySid(9)),
    create(2, { service: missingService }),
    update(bySid(1), { data: '{"n":2}', ifMatch: '1' }),
    create(3),
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, 54103, 54100, 54050, undefined, undefined]);
  assert.equal(await world.data(bySid(1)), '{"n":2}');
  assert.equal(await world.document(bySid(2)), undefined);
  assert.equal(await world.data(bySid(3)), '{}');
});

it('[STO13] a creation under a sid that is taken is refused and changes nothing, whatever else the batch holds', async (world) => {
  await world.accept(create(1, { data: '{"n":0}' }));
  const outcomes = await world.commit(
    create(1, { data: '{"n":1}' }),
    create(2, { data: '{"n":2}' }),
    create(2, { uniqueName: 'other', data: '{"n":3}' }),
    update(bySid(1), { data: '{"n":4}' }),
  );
  assert.deepEqual(outcomes.map(refusal), [20503, undefined, 20503, undefined]);
  assert.deepEqual([await world.data(bySid(1)), await world.data(bySid(2))], ['{"n":4}', '{"n":2}']);
  assert.equal(await world.document(byName('other')), undefined);
});

it('[STO2] each command sees what those before it in the batch left', async (world) => {
  const outcomes = await world.commit(
    create(1, { uniqueName: 'board' }),
    update(byName('board'), { data: '{"n":1}', ifMatch: '0' }),
    update(bySid(1), { ttl: 60 }),
    update(bySid(1), { data: '{"n":2}', ifMatch: '1' }),
    remove(byName('board')),
    update(bySid(1), { data: '{"n":3}' }),
    create(2, { uniqueName: 'board', data: '{"n":4}' }),
    putService(missingService),
    create(3, { service: missingService }),
  );
  assert.deepEqual(outcomes.map(refusal), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    54100,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(await world.document(bySid(1)), undefined);
  assert.equal(await world.data(byName('board')), '{"n":4}');
  assert.equal(await world.data(bySid(3, missingService)), '{}');
});

it('[STO2] a command that asks for a document by the sid of another thing disturbs nobody', async (world) => {
  await world.accept(putKey(1, 'a secret'));
  const strange = (value: Sid): Command => update({ service, kind: 'document', by: 'sid', value }, { data: '{}' });
  const outcomes = await world.commit(
    create(1),
    { type: 'revokeKey', sid: keySid(1) },
    strange(service),
    strange('account'),
    strange(keySid(1)),
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, 54100, 54100, 54100]);
});

it('[STO2] [EVT1] batches given without waiting are decided in the order given', async (world) => {
  await world.accept(create(1));
  const commits: Promise<readonly Outcome[]>[] = [];
  for (let n = 0; n < 50; n++) {
    commits.push(
      world.commit(update(bySid(1), { data: `{"n":${2 * n}}` }), update(bySid(1), { data: `{"n":${2 * n + 1}}` })),
    );
  }
  const outcomes = await Promise.all(commits);
  assert.deepEqual(
    outcomes.flatMap((batch) => batch.flatMap((outcome) => accepted(outcome).events.map(({ id, data }) => [id, data]))),
    Array.from({ length: 100 }, (_, n) => [n + 1, `{"n":${n}}`]),
  );
  assert.equal(await world.data(bySid(1)), '{"n":99}');
});

it('[STO2] nothing to commit and nothing to read is fine', async (world) => {
  assert.ok(Number.isInteger(world.storage.lanes) && world.storage.lanes >= 1);
  assert.notEqual(world.storage.epoch, '');
  assert.deepEqual(await world.commit(), []);
  assert.deepEqual(await world.storage.read([]), []);
});
