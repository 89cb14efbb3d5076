import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityProblem } from '@tallystick/protocol';
import { randomName } from './random-name.ts';

test('[TOK22] each call gives another name of 128 random bits behind its prefix', () => {
  const guest = randomName();
  const player = randomName({ prefix: 'player' });
  const names = new Set(Array.from({ length: 1000 }, () => guest()));
  assert.equal(names.size, 1000);
  for (const name of names) assert.match(name, /^guest-[A-Za-z0-9_-]{22}$/);
  assert.match(player(), /^player-[A-Za-z0-9_-]{22}$/);
  assert.equal(identityProblem(randomName({ prefix: 'p'.repeat(64) })()), undefined);
});

for (const options of [{ prefix: '' }, { prefix: 'a b' }, { prefix: 'x'.repeat(65) }, { prefix: 7 }, { name: 'a' }]) {
  test(`[TOK22] ${JSON.stringify(options)} is a TypeError`, () => {
    assert.throws(() => Reflect.apply(randomName, undefined, [options]), { name: 'TypeError', message: /prefix/ });
  });
}
