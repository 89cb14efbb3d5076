import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, systemIds } from './platform.ts';

test('[TLC1] a timer longer than the platform takes comes early rather than at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let count = 0;
  systemClock.after(3_000_000_000, () => count++);
  t.mock.timers.tick(2_147_483_646);
  assert.equal(count, 0);
  t.mock.timers.tick(1);
  assert.equal(count, 1);
});

test('[TLC1] a timer that is taken back never comes', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let count = 0;
  const takeBack = systemClock.after(10, () => count++);
  systemClock.after(20, () => count++);
  takeBack();
  t.mock.timers.tick(100);
  assert.equal(count, 1);
});

test('[OBJ1] secrets are lower-case hex of the asked length, and never the same', () => {
  const secrets = Array.from({ length: 100 }, () => systemIds.secret(16));
  assert.ok(secrets.every((secret) => /^[0-9a-f]{32}$/.test(secret)));
  assert.equal(new Set(secrets).size, 100);
});
