/**
 * The seed of a run: a fresh one, printed, or the one of `HOSTILE_SEED`. `HOSTILE_PATH` (fast-check prints it, too) goes
 * straight to the smallest case of a failure.
 */

import type { TestContext } from 'node:test';

export function seedOf(t: TestContext): { readonly seed: number; readonly path?: string } {
  const { HOSTILE_SEED: given, HOSTILE_PATH: path } = process.env;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  t.diagnostic(`repeat with HOSTILE_SEED=${seed}`);
  return path === undefined ? { seed } : { seed, path };
}
