import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byName,
  bySid,
  create,
  documentSid,
  missingService,
  otherService,
  remove,
  service,
  update,
} from '../../test/commands.ts';
import { viewOf } from '../../test/view.ts';
import { isRefusal } from './change.ts';
import type { Change, Refusal } from './change.ts';
import { updateDocument } from './document.ts';
import { createObject, missing, removal, removeObject } from './existence.ts';
import type { ObjectRow } from './object.ts';

const now = 10_000;

const board: ObjectRow = {
  sid: documentSid(1),
  account: 'AC',
  service,
  kind: 'document',
  uniqueName: 'board',
  eventId: 9,
  nextIndex: 0,
  markers: 0,
  trimmedTo: 0,
  createdAt: 1000,
  updatedAt: 2000,
  expiresAt: null,
  createdBy: 'ann',
};

function changed(decision: Change | Refusal): Change {
  assert.ok(!isRefusal(decision), JSON.stringify(decision));
  return decision;
}

function refused(decision: Change | Refusal): number | undefined {
  return isRefusal(decision) ? decision.refused : undefined;
}

test('[DOC1] a new document has event id 0, its data and its expiry', () => {
  const command = create(2, { uniqueName: 'list', data: '{"a":1}', ttl: 5 });
  const { put, drop, events, object } = changed(createObject(command, viewOf(), now));
  assert.deepEqual(put, [{ table: 'object', row: object, data: '{"a":1}' }]);
  assert.deepEqual(drop, []);
  assert.deepEqual(
    events.map(({ type, id, by, at, expiresAt, data }) => ({ type, id, by, at, expiresAt, data })),
    [{ type: 'created', id: 0, by: 'ann', at: now, expiresAt: 15_000, data: '{"a":1}' }],
  );
  assert.deepEqual([object?.eventId, object?.createdAt, object?.updatedAt, object?.expiresAt], [0, now, now, 15_000]);
});

test('[OBJ4] a name that is held refuses a creation, an expired holder does not', () => {
  const command = create(2, { uniqueName: 'board' });
  assert.equal(refused(createObject(command, viewOf(board), now)), 54301);
  assert.equal(refused(createObject(command, viewOf({ ...board, expiresAt: now + 1 }), now)), 54301);
  assert.equal(refused(createObject(command, viewOf({ ...board, expiresAt: now }), now)), undefined);
  assert.equal(refused(createObject({ ...command, uniqueName: null }, viewOf(board), now)), undefined);
  assert.equal(refused(createObject({ ...command, service: otherService }, viewOf(board), now)), undefined);
  assert.equal(refused(createObject({ ...command, service: missingService }, viewOf(board), now)), 54050);
});

test('[TTL3] creating over an expired name first removes its holder, by the system', () => {
  const expired = { ...board, expiresAt: now };
  const { drop, events } = changed(createObject(create(2, { uniqueName: 'board' }), viewOf(expired), now));
  assert.deepEqual(drop, [{ table: 'object', row: expired }]);
  assert.deepEqual(
    events.map(({ type, object, id, by }) => ({ type, object, id, by })),
    [
      { type: 'removed', object: documentSid(1), id: 10, by: 'system' },
      { type: 'created', object: documentSid(2), id: 0, by: 'ann' },
    ],
  );
});

test('[DOC2] [OBJ2] missing, expired or of another service: 54100 by sid, 54300 by name', () => {
  const [there, expired] = [viewOf(board), viewOf({ ...board, expiresAt: now })];
  for (const [view, of] of [
    [viewOf(), service],
    [expired, service],
    [there, otherService],
  ] as const) {
    assert.equal(refused(updateDocument(update(bySid(1, of), { data: '{}' }), view, now)), 54100);
    assert.equal(refused(updateDocument(update(byName('board', of), { data: '{}' }), view, now)), 54300);
    assert.equal(refused(removeObject(remove(bySid(1, of)), view, now)), 54100);
    assert.equal(refused(removeObject(remove(byName('board', of)), view, now)), 54300);
  }
  assert.deepEqual(missing(bySid(1)), { refused: 54100 });
  assert.deepEqual(missing(byName('board')), { refused: 54300 });
});

test('[DOC3] [EVT1] an update takes the next event id and carries the whole data', () => {
  const command = update(byName('board'), { data: '{"a":1}' });
  const { put, drop, events, object } = changed(updateDocument(command, viewOf(board), now));
  assert.deepEqual(object, { ...board, eventId: 10, updatedAt: now });
  assert.deepEqual(put, [{ table: 'object', row: object, data: '{"a":1}' }]);
  assert.deepEqual(drop, []);
  assert.deepEqual(
    events.map(({ type, object, id, by, at, data }) => ({ type, object, id, by, at, data })),
    [{ type: 'updated', object: documentSid(1), id: 10, by: 'ben', at: now, data: '{"a":1}' }],
  );
});

test('[DOC4] a conditional write is judged in order: missing 404, malformed 400, other revision 412', () => {
  const write = (ifMatch: string, view = viewOf({ ...board, eventId: 10 })): number | undefined =>
    refused(updateDocument(update(bySid(1), { data: '{}', ifMatch }), view, now));
  assert.equal(write('no revision', viewOf()), 54100);
  for (const malformed of ['', 'A', '"a"', 'g', '-1', ' a', 'a\n', '0x1', '*', 'f'.repeat(15)]) {
    assert.equal(write(malformed), 54003, JSON.stringify(malformed));
  }
  for (const other of ['0', '9', 'b', 'aa', '0a', '1fffffffffffff']) assert.equal(write(other), 54103, other);
  assert.equal(write('a'), undefined);
});

test('[DOC4] a condition also holds for a change of ttl alone', () => {
  assert.equal(refused(updateDocument(update(bySid(1), { ttl: 5, ifMatch: '8' }), viewOf(board), now)), 54103);
  assert.equal(refused(updateDocument(update(bySid(1), { ttl: 5, ifMatch: '9' }), viewOf(board), now)), undefined);
});

test('[TTL4] a change of ttl alone keeps event id and body, and tells nobody', () => {
  const { put, events, object } = changed(updateDocument(update(bySid(1), { ttl: 5 }), viewOf(board), now));
  assert.deepEqual(events, []);
  assert.deepEqual(object, { ...board, expiresAt: 15_000, updatedAt: now });
  assert.deepEqual(put, [{ table: 'object', row: object, data: undefined }]);
});

test('[TTL1] an absent ttl leaves the expiry, 0 takes it away', () => {
  const view = viewOf({ ...board, expiresAt: 60_000 });
  const expiryAfter = (ttl: number | undefined): number | null | undefined =>
    changed(updateDocument(update(bySid(1), { data: '{}', ttl }), view, now)).object?.expiresAt;
  assert.deepEqual([undefined, 0, 2].map(expiryAfter), [60_000, null, 12_000]);
});

test('[DOC7] a removal drops the object and is one event without data', () => {
  const { put, drop, events, object } = changed(removeObject(remove(byName('board')), viewOf(board), now));
  assert.deepEqual([put, drop, object], [[], [{ table: 'object', row: board }], undefined]);
  assert.deepEqual(events, [
    {
      type: 'removed',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 10,
      at: now,
      by: 'cem',
      expiresAt: null,
      data: null,
      item: undefined,
    },
  ]);
  assert.equal(removal(board, 'system', now).events[0]?.by, 'system');
});
