/** Waits for what another process will do, by asking again and again; each question takes the time of its answer. */

import assert from 'node:assert/strict';

/** Far more than it takes, so that only what never happens fails. */
const withinMs = 10_000;

export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) assert.ok(performance.now() < end, `not within ${withinMs} ms: ${what}`);
}
