import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account, keySid, missingService, putKey, putService, service } from '../../test/commands.ts';
import { viewOf, viewOfAccount } from '../../test/view.ts';
import { nothing } from './change.ts';
import { putAccount, putKey as decideKey, putService as decideService, revokeKey } from './administration.ts';

const now = 10_000;

test('[ACC1] the first account is taken, the same again keeps its age, another is refused', () => {
  const command = { type: 'putAccount', sid: account, authToken: 'new' } as const;
  assert.deepEqual(putAccount(command, viewOf(), now), {
    ...nothing,
    put: [{ table: 'account', row: { sid: account, authToken: 'new', createdAt: now } }],
  });
  const before = { sid: account, authToken: 'old', createdAt: 1 };
  assert.deepEqual(putAccount(command, viewOfAccount(before), now), {
    ...nothing,
    put: [{ table: 'account', row: { sid: account, authToken: 'new', createdAt: 1 } }],
  });
  const other = `AC${'b'.repeat(32)}`;
  assert.deepEqual(putAccount({ ...command, sid: other }, viewOfAccount(before), now), {
    refused: 20103,
    detail: `this data belongs to account ${account}, not ${other}`,
  });
});

test('[ACC2] a service is made once', () => {
  assert.deepEqual(decideService(putService(missingService, 'default'), viewOf(), now), {
    ...nothing,
    put: [{ table: 'service', row: { sid: missingService, account, uniqueName: 'default', createdAt: now } }],
  });
  assert.deepEqual(decideService(putService(service, 'default'), viewOf(), now), nothing);
});

test('[ACC3] a key is put, renewed with its age and name kept, and revoked', () => {
  const row = { sid: keySid(1), account, name: null, secret: 'first', createdAt: 1, revokedAt: null };
  const renewed = { ...row, secret: 'second' };
  assert.deepEqual(decideKey(putKey(1, 'first'), viewOf(), 1), { ...nothing, put: [{ table: 'key', row }] });
  assert.deepEqual(decideKey(putKey(1, 'second'), viewOfAccount(undefined, row), now), {
    ...nothing,
    put: [{ table: 'key', row: renewed }],
  });
  const revoke = { type: 'revokeKey', sid: keySid(1) } as const;
  const revoked = { ...row, secret: '', revokedAt: now };
  assert.deepEqual(revokeKey(revoke, viewOfAccount(undefined, row), now), {
    ...nothing,
    put: [{ table: 'key', row: revoked }],
  });
  const missing = { refused: 20404, detail: 'no such key is in force' };
  assert.deepEqual(revokeKey(revoke, viewOf(), now), missing);
  assert.deepEqual(revokeKey(revoke, viewOfAccount(undefined, revoked), now), missing);
});

test('[ACC4] a revoked key is not put again; a key keeps its name unless it gets another', () => {
  const row = { sid: keySid(1), account, name: 'shop', secret: 'first', createdAt: 1, revokedAt: null };
  const again = decideKey(putKey(1, 'first'), viewOfAccount(undefined, { ...row, secret: '', revokedAt: 5 }), now);
  assert.deepEqual(again, { refused: 20001, detail: `the key ${keySid(1)} was revoked; make another` });
  const unchanged = { ...nothing, put: [{ table: 'key', row }] };
  assert.deepEqual(decideKey(putKey(1, 'first'), viewOfAccount(undefined, row), now), unchanged);
  assert.deepEqual(decideKey({ ...putKey(1, 'first'), name: 'other' }, viewOfAccount(undefined, row), now), {
    ...nothing,
    put: [{ table: 'key', row: { ...row, name: 'other' } }],
  });
});
