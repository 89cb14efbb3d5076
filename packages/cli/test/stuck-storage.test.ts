/** The real command whose storage does not answer any more when it is told to stop. A few seconds. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { start } from './process.ts';

test('[OPS8] [WRI6] serve ends although storage hangs, and says so in one line', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-stuck-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  assert.equal(await start(folder, ['init']).ended, 0);
  const serve = start(folder, ['serve', '--port', '0', '--drain-ms', '100', '--commit-timeout-ms', '200']);
  t.after(() => serve.kill('SIGKILL'));
  const [, url = ''] = await serve.printed(/^Tallystick serves (\S+) /m);

  // Commits now wait for this lock, longer than the stop takes.
  const lock = new DatabaseSync(join(folder, 'data/tallystick.db'));
  t.after(() => lock.close());
  lock.exec('BEGIN IMMEDIATE');
  const create = start(folder, ['keys', 'create', '--url', url]);
  while ((await fetch(`${url}/health/ready`)).status !== 503);
  serve.kill('SIGTERM');
  assert.equal(await serve.ended, null, 'ended by a signal: an exit would wait for the thread that hangs');
  assert.match(serve.err(), /^tallystick: storage does not answer; [^\n]+\n$/);
  assert.equal(await create.ended, 1, 'nobody was told that there is a new key');
});
