import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  account,
  byName,
  bySid,
  create,
  documentSid,
  expire,
  keySid,
  putKey,
  putService,
  remove,
  service,
  update,
} from '../../test/commands.ts';
import { viewOf } from '../../test/view.ts';
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
    createdAt: 1,
    updatedAt: 1,
    expiresAt: now,
    createdBy: 'ann',
  } as const;
  const alive = { ...row, expiresAt: now + 1 };
  assert.deepEqual(decide(expire(1), viewOf(alive), now), { put: [], drop: [], events: [], object: alive });
  assert.deepEqual(decide(expire(1), viewOf(), now), { put: [], drop: [], events: [], object: undefined });
  const removed = decide(expire(1), viewOf(row), now);
  assert.ok('events' in removed);
  assert.deepEqual(removed.drop, [row]);
  assert.deepEqual(
    removed.events.map(({ type, id, by }) => ({ type, id, by })),
    [{ type: 'documentRemoved', id: 4, by: 'system' }],
  );
});
