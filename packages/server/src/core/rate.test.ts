import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rate } from './rate.ts';

const start = 1000.25;

/** How many can be taken at one instant. */
function takenAt(rate: Rate, now: number, asked = 10_000): number {
  let taken = 0;
  while (taken < asked && rate.take(now) === 0) taken++;
  return taken;
}

test('[BND8] a rate lets its burst through at once, then one an interval', () => {
  const rate = new Rate(100, 2000);
  assert.equal(takenAt(rate, start), 200);
  assert.equal(rate.take(start), 10);
  assert.equal(rate.take(start + 9), 1);
  assert.equal(takenAt(rate, start + 10), 1);
  assert.equal(takenAt(rate, start + 60), 5);
  assert.equal(takenAt(rate, start + 3_600_000), 200, 'it fills up to its burst and no further');
});

test('[BND8] over a long time exactly the rate gets through, whatever is asked', () => {
  const rate = new Rate(110, 10_000);
  let taken = 0;
  for (let ms = 0; ms <= 100_000; ms += 7) taken += takenAt(rate, start + ms, 50);
  assert.ok(taken >= 1100 + 10_998 && taken <= 1100 + 11_001, `${taken}`);
});

test('[BND8] a burst shorter than an interval still lets one through', () => {
  const rate = new Rate(1, 10);
  assert.equal(takenAt(rate, start), 1);
  assert.equal(rate.take(start + 400), 600);
  assert.equal(takenAt(rate, start + 1000), 1);
});

test('[BND8] an infinite rate never refuses', () => {
  const rate = new Rate(Infinity, 2000);
  for (const now of [start, start, start + 5]) assert.equal(takenAt(rate, now, 1000), 1000);
});

test('[BND8] it is full when nothing was taken for its whole burst', () => {
  const rate = new Rate(100, 2000);
  assert.equal(rate.isFull(start), true);
  takenAt(rate, start);
  assert.deepEqual([rate.isFull(start + 1999), rate.isFull(start + 2000)], [false, true]);
});
