import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codePoints, keyProblem, nameProblem } from './limits.ts';

test('[OBJ3] unique names hold 1 to 320 code points and are never of sid form', () => {
  assert.equal(nameProblem('board'), undefined);
  assert.equal(nameProblem('😀'.repeat(320)), undefined);
  assert.match(nameProblem('😀'.repeat(321)) ?? '', /longer than 320/);
  assert.match(nameProblem('') ?? '', /empty/);
  assert.match(nameProblem('a\u0000b') ?? '', /U\+0000/);
  assert.match(nameProblem('a\ud800') ?? '', /surrogate/);
  assert.match(nameProblem(`ET${'0'.repeat(32)}`) ?? '', /form of a sid/);
  assert.equal(nameProblem(`ET${'0'.repeat(31)}`), undefined);
});

test('[OBJ3] code points are counted, not UTF-16 units', () => {
  assert.equal(codePoints(''), 0);
  assert.equal(codePoints('a😀b'), 3);
  assert.equal(codePoints('\ud800\ud800'), 2);
});

test('[MAP2] keys of maps hold 1 to 320 code points, and may have the form of a sid', () => {
  assert.equal(keyProblem('a b/c'), undefined);
  assert.equal(keyProblem(`ET${'0'.repeat(32)}`), undefined);
  assert.equal(keyProblem('😀'.repeat(320)), undefined);
  assert.match(keyProblem('😀'.repeat(321)) ?? '', /longer than 320/);
  assert.match(keyProblem('') ?? '', /empty/);
  assert.match(keyProblem('a\u0000b') ?? '', /U\+0000/);
  assert.match(keyProblem('\udc00a') ?? '', /surrogate/);
});
