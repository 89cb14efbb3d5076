import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noticesOf } from './token-life.ts';

const now = 1_800_000_000_000;
const noticesAfter = (given: 'init' | 'update', seconds: number): readonly number[] =>
  noticesOf(given, now, now + seconds * 1000).map((at) => (at - now) / 1000);

test('[TLC1] at init a long token is announced 240 s before its end', () => {
  assert.deepEqual(noticesAfter('init', 3600), [3360]);
  assert.deepEqual(noticesAfter('init', 240), [0]);
});

test('[TLC1] at init a short token is announced at once, and again when half of it is gone', () => {
  assert.deepEqual(noticesAfter('init', 239), [0, 119.5]);
  assert.deepEqual(noticesAfter('init', 20), [0, 10]);
});

test('[TLC1] after an update the notice comes with min(240 s, half of the rest) left', () => {
  assert.deepEqual(noticesAfter('update', 3600), [3360]);
  assert.deepEqual(noticesAfter('update', 480), [240]);
  assert.deepEqual(noticesAfter('update', 200), [100]);
  assert.deepEqual(noticesAfter('update', 20), [10]);
});

test('[TLC1] no notice after an update is due before half of what was left is gone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400_000 }), (left) => {
      for (const at of noticesOf('update', now, now + left)) {
        assert.ok(at - now >= left / 2 && at < now + left);
      }
    }),
  );
});

test('[TLC1] at init every notice comes before the end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400_000 }), (left) => {
      const notices = noticesOf('init', now, now + left);
      assert.ok(notices.length === 1 || notices.length === 2);
      assert.ok(notices.every((at) => at >= now && at < now + left));
    }),
  );
});
