/** The systemd unit beside this file, against the service's own defaults and against systemd. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '@tallystick/server';

const analyze = '/usr/bin/systemd-analyze';
const text = readFileSync(new URL('tallystick.service', import.meta.url), 'utf8');
const defaults = loadConfig({ argv: [], env: {} });

/** The one value of a setting, as a number without its unit. */
function numberOf(setting: string): number {
  const values = [...text.matchAll(new RegExp(`^${setting}=(\\d+)s?$`, 'gm'))];
  assert.equal(values.length, 1, setting);
  return Number(values[0]?.[1]);
}

test('[OPS10] [CFG10] systemd asks for a stop by SIGTERM, and waits longer than the service needs to give up', () => {
  assert.match(text, /^KillSignal=SIGTERM$/m);
  assert.ok(numberOf('TimeoutStopSec') * 1000 > defaults.drainMs + 5000);
});

test('[OPS10] [BND4] systemd allows a file for every connection, and for those that are told to go', () => {
  assert.ok(numberOf('LimitNOFILE') > defaults.maxConnections + 1000 + 1000);
});

test(
  '[OPS10] systemd finds nothing wrong with the unit',
  { skip: !existsSync(analyze) && `no ${analyze}` },
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'tallystick-unit-'));
    t.after(() => rm(directory, { recursive: true }));
    const path = join(directory, 'tallystick.service');
    const command = /^ExecStart=(\S+) serve$/m.exec(text)?.[1];
    assert.ok(command !== undefined);
    // Any program that is there: systemd looks whether it is.
    await writeFile(path, text.replaceAll(`=${command} `, `=${process.execPath} `));
    const { status, stdout, stderr } = spawnSync(analyze, ['verify', path], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  },
);
