import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratiosOf, spreadOf } from './statistics.ts';

test('the spread of an odd count has the middle value as its median, whatever the order', () => {
  assert.deepEqual(spreadOf([30, 10, 20]), { min: 10, median: 20, max: 30 });
  assert.deepEqual(spreadOf([7]), { min: 7, median: 7, max: 7 });
});

test('the median of an even count is the mean of the two in the middle', () => {
  assert.deepEqual(spreadOf([100, 2, 4, 1]), { min: 1, median: 3, max: 100 });
});

test('values are ordered as numbers, and the caller keeps its own order', () => {
  const values = [9, 10, 100];
  assert.equal(spreadOf(values.toReversed()).median, 10);
  assert.deepEqual(values, [9, 10, 100]);
});

test('a ratio belongs to its round', () => {
  assert.deepEqual(ratiosOf([10, 40], [20, 10]), [0.5, 4]);
});

test('no values and rounds that do not pair up are refused', () => {
  assert.throws(() => spreadOf([]), RangeError);
  assert.throws(() => ratiosOf([1], [1, 2]), RangeError);
});
