import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

test('[CFG3] the nearest known word is found when two letters differ, or a third of a longer word', () => {
  const known = ['serve', 'init', 'dev'];
  assert.equal(nearest('server', known), 'serve');
  assert.equal(nearest('sevre', known), 'serve');
  assert.equal(nearest('dve', known), 'dev');
  assert.equal(nearest('publish', known), undefined);
  assert.equal(nearest('help', known), undefined);
  assert.equal(nearest('', known), undefined);
  assert.equal(nearest('suxxxxiptions', ['subscriptions']), 'subscriptions');
  assert.equal(nearest('suxxxxxptions', ['subscriptions']), undefined);
});
