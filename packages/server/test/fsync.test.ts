import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ended, startChild } from './child-process.ts';
import { makeDataDirectory } from './data-directory.ts';
import { ackBeforeSync } from './sync-trace.ts';

const tracer = 'strace';
const canTrace = spawnSync(tracer, ['-f', '-o', '/dev/null', 'true']).status === 0;
const skip = canTrace ? false : 'needs strace, and the right to trace: nothing shows here that a commit is synced';

const commits = 50;

/** The system calls of a process that makes `commits` commits. */
async function traceOf(mode: 'engine' | 'weak'): Promise<string> {
  const directory = makeDataDirectory();
  try {
    const file = join(directory.path, 'trace');
    // Texts are cut after 5,000 bytes: longer than a page of the database, so that markers are seen.
    const calls = ['-e', 'trace=write,pwrite64,fsync,fdatasync', '-s', '5000'];
    const child = startChild(
      'fsync-child.ts',
      [join(directory.path, 'data'), mode, String(commits)],
      [tracer, '-f', '-y', ...calls, '-o', file],
    );
    child.stdout.resume();
    await ended(child);
    assert.equal(child.exitCode, 0);
    return readFileSync(file, 'utf8');
  } finally {
    directory.remove();
  }
}

test('[STO1] [STO5] each acknowledgement comes after a finished sync of its commit', { skip }, async () => {
  const trace = await traceOf('engine');
  assert.equal(trace.match(/"ack \d+\\n"/g)?.length, commits);
  assert.deepEqual(ackBeforeSync(trace), []);
});

test('[STO1] the same writes without the sync are noticed', { skip }, async () => {
  assert.equal(ackBeforeSync(await traceOf('weak')).length, commits);
});
