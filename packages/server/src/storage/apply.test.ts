import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  account,
  accepted,
  byName,
  bySid,
  create,
  documentSid,
  keySid,
  missingService,
  putKey,
  putService,
  refusal,
  remove,
  service,
  update,
} from '../../test/commands.ts';
import type { ObjectRow } from '../core/object.ts';
import { decideBatch, Loaded, nameKey, needsOf } from './apply.ts';
import type { WriteSet } from './apply.ts';

const now = 10_000;
const boardKey = nameKey(service, 'document', 'board');

function board(expiresAt: number | null = null): ObjectRow {
  return {
    sid: documentSid(1),
    account,
    service,
    kind: 'document',
    uniqueName: 'board',
    eventId: 9,
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: 1000,
    updatedAt: 2000,
    expiresAt,
    createdBy: 'ann',
  };
}

function loaded(...objects: readonly ObjectRow[]): Loaded {
  const rows = new Loaded();
  rows.services.set(service, { sid: service, account, uniqueName: 'default', createdAt: 0 });
  for (const row of objects) {
    rows.objects.set(row.sid, row);
    if (row.uniqueName !== null) rows.names.set(nameKey(row.service, row.kind, row.uniqueName), row.sid);
  }
  return rows;
}

function holders(writes: WriteSet): readonly (readonly [string, string | null])[] {
  return [...writes.names.values()].map(({ name, sid }) => [name, sid]);
}

test('[STO2] the needs of a batch are each loaded once, and things of other kinds do not hide each other', () => {
  const strange = { ...bySid(1), value: service };
  const batch = [
    create(1),
    update(bySid(1)),
    remove(bySid(1)),
    create(2),
    update(strange),
    update({ ...strange, value: 'account' }),
  ];
  assert.deepEqual(needsOf([...batch, { type: 'putAccount', sid: account, authToken: 'a' }]), [
    { need: 'service', sid: service },
    { need: 'object', sid: documentSid(1) },
    { need: 'object', sid: documentSid(2) },
    { need: 'object', sid: service },
    { need: 'object', sid: 'account' },
    { need: 'account' },
  ]);
});

test('[STO2] commands see what those before them left, and each row is written once', () => {
  const { outcomes, writes } = decideBatch(
    [
      update(bySid(1), { data: '{"n":1}', ifMatch: '9' }),
      update(byName('board'), { data: '{"n":2}', ifMatch: '9' }),
      update(byName('board'), { data: '{"n":3}', ifMatch: 'a' }),
      update(bySid(1), { ttl: 5 }),
    ],
    loaded(board()),
    now,
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, 54103, undefined, undefined]);
  assert.deepEqual([...writes.objects.values()], [{ ...board(), eventId: 11, updatedAt: now, expiresAt: 15_000 }]);
  assert.deepEqual([...writes.bodies], [[documentSid(1), '{"n":3}']]);
  assert.deepEqual(holders(writes), []);
});

test('[STO2] refused commands leave nothing to write', () => {
  const { outcomes, writes } = decideBatch(
    [create(2, { uniqueName: 'board' }), create(3, { service: missingService }), remove(bySid(9))],
    loaded(board()),
    now,
  );
  assert.deepEqual(outcomes.map(refusal), [54301, 54050, 54100]);
  assert.deepEqual([writes.objects.size, writes.bodies.size, writes.names.size], [0, 0, 0]);
});

test('[OBJ4] two creations of one name in one batch: the first wins', () => {
  const batch = [create(1, { uniqueName: 'board' }), create(2, { uniqueName: 'board' })];
  const { outcomes, writes } = decideBatch(batch, loaded(), now);
  assert.deepEqual(outcomes.map(refusal), [undefined, 54301]);
  assert.deepEqual(holders(writes), [['board', documentSid(1)]]);
});

test('[DOC7] a removal frees the name', () => {
  const { writes } = decideBatch([remove(bySid(1))], loaded(board()), now);
  assert.deepEqual([...writes.objects], [[documentSid(1), null]]);
  assert.deepEqual(holders(writes), [['board', null]]);
});

test('[OBJ4] [DOC7] a name passes on inside a batch', () => {
  const { outcomes, writes } = decideBatch(
    [remove(byName('board')), create(2, { uniqueName: 'board' }), remove(bySid(2)), create(3, { uniqueName: 'board' })],
    loaded(board()),
    now,
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(holders(writes), [['board', documentSid(3)]]);
  assert.deepEqual(
    [...writes.objects].map(([sid, row]) => [sid, row?.sid ?? null]),
    [
      [documentSid(1), null],
      [documentSid(2), null],
      [documentSid(3), documentSid(3)],
    ],
  );
  assert.deepEqual([...writes.bodies.keys()], [documentSid(3)]);
});

test('[TTL3] an expired holder goes and the name stays taken, by the new one', () => {
  const { outcomes, writes } = decideBatch([create(2, { uniqueName: 'board' })], loaded(board(now)), now);
  assert.deepEqual(
    accepted(outcomes[0]).events.map(({ type }) => type),
    ['removed', 'created'],
  );
  assert.equal(writes.objects.get(documentSid(1)), null);
  assert.deepEqual([...writes.names], [[boardKey, { service, kind: 'document', name: 'board', sid: documentSid(2) }]]);
});

test('[ACC2] [ACC3] what the administration makes is there for the next command', () => {
  const { outcomes, writes } = decideBatch(
    [
      putService(missingService),
      create(1, { service: missingService }),
      putKey(1, 'a'),
      { type: 'revokeKey', sid: keySid(1) },
      { type: 'revokeKey', sid: keySid(1) },
    ],
    loaded(),
    now,
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, undefined, undefined, 20404]);
  assert.equal(writes.keys.get(keySid(1))?.revokedAt, now);
});

test('[ACC1] of two accounts in one batch the first wins', () => {
  const other = `AC${'b'.repeat(32)}`;
  const batch = [account, other].map((sid) => ({ type: 'putAccount', sid, authToken: 'a' }) as const);
  const { outcomes, writes } = decideBatch(batch, new Loaded(), now);
  assert.deepEqual(outcomes.map(refusal), [undefined, 20103]);
  assert.equal(writes.account?.sid, account);
});
