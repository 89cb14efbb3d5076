import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ackBeforeSync } from './sync-trace.ts';

const wal = '20</data/tallystick.db-wal>';
const out = '1<pipe:[7]>';

function write(n: number): string {
  return `12 pwrite64(${wal}, "\\0commit-${n}-marker", 4096, 56) = 4096`;
}

function ack(n: number): string {
  return `11 write(${out}, "ack ${n}\\n", 6) = 6`;
}

const sync = `12 fdatasync(${wal}) = 0`;

function judge(...lines: readonly string[]): readonly number[] {
  return ackBeforeSync(lines.join('\n'));
}

test('[STO1] an acknowledgement after write and sync is safe', () => {
  assert.deepEqual(judge(write(1), sync, ack(1), write(2), `12 fsync(${wal}) = 0`, ack(2)), []);
});

test('[STO1] an acknowledgement without a sync, or before it, is not', () => {
  assert.deepEqual(judge(write(1), ack(1), sync, write(2), sync, ack(2)), [1]);
  assert.deepEqual(judge(write(1), ack(1)), [1]);
  assert.deepEqual(judge(sync, write(1), ack(1)), [1]);
});

test('[STO1] a sync counts when it has ended, started after the write, and is of the log', () => {
  const [begun, ended] = [`12 fdatasync(${wal} <unfinished ...>`, '12 <... fdatasync resumed>) = 0'];
  assert.deepEqual(judge(write(1), begun, ended, ack(1)), []);
  assert.deepEqual(judge(write(1), begun, ack(1), ended), [1]);
  assert.deepEqual(judge(begun, write(1).replace('12', '13'), ended, ack(1)), [1]);
  assert.deepEqual(judge(write(1), '12 fdatasync(21</data/tallystick.db>) = 0', ack(1)), [1]);
  assert.deepEqual(judge(write(1), `12 fdatasync(${wal}) = -1 EIO (Input/output error)`, ack(1)), [1]);
  assert.deepEqual(judge(write(1), begun, '12 <... fdatasync resumed>) = -1 EIO (Input/output error)', ack(1)), [1]);
  const slow = [
    `13 pwrite64(${wal}, "commit-1-marker", 4096, 56 <unfinished ...>`,
    '13 <... pwrite64 resumed>) = 4096',
  ];
  assert.deepEqual(judge(slow[0] ?? '', sync, slow[1] ?? '', ack(1)), [1]);
});

test('[STO1] an acknowledgement whose commit never reached the log is not safe', () => {
  assert.deepEqual(judge(write(1), sync, ack(1), ack(2)), [2]);
});

test('[STO1] a trace without acknowledgements proves nothing', () => {
  assert.throws(() => judge(write(1), sync), /no acknowledgement/);
});
