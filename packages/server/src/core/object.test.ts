import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiryOf, isAlive, revisionOf } from './object.ts';
import type { ObjectRow } from './object.ts';

function expiringAt(expiresAt: number | null): ObjectRow {
  return {
    sid: 'ET',
    account: 'AC',
    service: 'IS',
    kind: 'document',
    uniqueName: null,
    eventId: 0,
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: 0,
    updatedAt: 0,
    expiresAt,
    createdBy: 'ann',
  };
}

test('[REV1] a revision is the event id in lower-case hex', () => {
  const revisions = [0, 9, 10, 15, 16, 255, 0xabcdef, Number.MAX_SAFE_INTEGER].map(revisionOf);
  assert.deepEqual(revisions, ['0', '9', 'a', 'f', '10', 'ff', 'abcdef', '1fffffffffffff']);
});

test('[TTL1] a ttl counts seconds from now, and 0 means never', () => {
  assert.equal(expiryOf(1, 5000), 6000);
  assert.equal(expiryOf(31_536_000, 5000), 31_536_005_000);
  assert.equal(expiryOf(0, 5000), null);
});

test('[TTL2] an object is absent from its expiry on', () => {
  assert.equal(isAlive(expiringAt(6000), 5999), true);
  assert.equal(isAlive(expiringAt(6000), 6000), false);
  assert.equal(isAlive(expiringAt(6000), 6001), false);
  assert.equal(isAlive(expiringAt(null), Number.MAX_SAFE_INTEGER), true);
});
