/**
 * Attacks on the real service, over real sockets, while a well-behaved client goes on working. Cases are data, in the
 * files beside this one, and what was found stays there by its name. Chance comes from one seed, see `seed.ts`.
 */

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { adminAttacks } from './admin-attacks.ts';
import { Arena } from './arena.ts';
import { floodAttacks } from './flood-attacks.ts';
import { frameAttacks } from './frame-attacks.ts';
import { httpAttacks } from './http-attacks.ts';
import { lingeringAttacks } from './lingering-attacks.ts';
import { randomAttacks } from './random-attacks.ts';
import { secretAttacks } from './secret-attacks.ts';
import { tokenAttacks } from './token-attacks.ts';
import { webSocketAttacks } from './websocket-attacks.ts';

suite('[HOS1] [HOS2] [HOS3] the service under attack', () => {
  const arena = new Arena();
  before(() => arena.start(), { timeout: 20_000 });
  after(async () => assert.equal(await arena.stop(), 0, 'and it stops in good order'));

  httpAttacks(arena);
  webSocketAttacks(arena);
  frameAttacks(arena);
  tokenAttacks(arena);
  randomAttacks(arena);
  floodAttacks(arena);
  lingeringAttacks(arena);
  adminAttacks(arena);
  // Last, since it locks its address out of the operator's door.
  secretAttacks(arena);

  test('[OPS2] nothing secret stands in any log line or answer', () => arena.assertNothingTold());
  test('[HOS1] nothing was written but log lines', () => arena.assertOnlyLogLines());
});
