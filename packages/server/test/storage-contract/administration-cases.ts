/** The storage contract on the account, its services and keys. */

import assert from 'node:assert/strict';
import { account, keySid, missingService, otherService, putKey, putService, service } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const administrationCases: readonly ContractCase[] = cases;

it('[ACC1] there is one account; another is refused, the same again keeps its age', async (world) => {
  const madeAt = world.clock.at;
  world.clock.advance(5);
  const other = { type: 'putAccount', sid: `AC${'b'.repeat(32)}`, authToken: 'another token' } as const;
  assert.equal(await world.refused(other), 20103);
  await world.accept({ type: 'putAccount', sid: account, authToken: 'a renewed token' });
  const [directory] = await world.storage.read([{ query: 'directory' }]);
  assert.deepEqual(directory.account, { sid: account, authToken: 'a renewed token', createdAt: madeAt });
});

it('[ACC2] services stand in the directory, and making one again changes nothing', async (world) => {
  const madeAt = world.clock.at;
  world.clock.advance(5);
  await world.commit(putService(service, 'renamed'), putService(missingService));
  const [directory] = await world.storage.read([{ query: 'directory' }]);
  assert.deepEqual(
    [...directory.services].sort((a, b) => (a.sid < b.sid ? -1 : 1)),
    [
      { sid: service, account, uniqueName: 'default', createdAt: madeAt },
      { sid: otherService, account, uniqueName: null, createdAt: madeAt },
      { sid: missingService, account, uniqueName: null, createdAt: madeAt + 5 },
    ],
  );
});

it('[ACC3] [ACC4] a key is in force until it is revoked; then its secret is gone, and it never comes back', async (world) => {
  const madeAt = world.clock.at;
  await world.commit(putKey(1, 'first'), { ...putKey(2, 'second'), name: 'of the shop' });
  world.clock.advance(5);
  await world.accept(putKey(1, 'renewed'));
  const revokedAt = world.clock.at;
  await world.accept({ type: 'revokeKey', sid: keySid(2) });
  world.clock.advance(5);
  assert.equal(await world.refused({ type: 'revokeKey', sid: keySid(2) }), 20404);
  assert.equal(await world.refused(putKey(2, 'second')), 20001);
  const [directory] = await world.storage.read([{ query: 'directory' }]);
  assert.deepEqual(
    [...directory.keys].sort((a, b) => (a.sid < b.sid ? -1 : 1)),
    [
      { sid: keySid(1), account, name: null, secret: 'renewed', createdAt: madeAt, revokedAt: null },
      { sid: keySid(2), account, name: 'of the shop', secret: '', createdAt: madeAt, revokedAt },
    ],
  );
});
