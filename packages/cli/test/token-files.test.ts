/** Tokens in files and keys in the credentials file: what the commands take from the disk. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Credentials } from '@tallystick/server';
import { makeCredentials } from '../src/credentials-file.ts';
import { run } from '../src/dispatch.ts';
import { FakeOperatorApi } from './fake-operator-api.ts';
import { start } from './process.ts';
import { fiveVariables, testSurroundings } from './surroundings.ts';
import type { Replaced } from './surroundings.ts';

let folder: string;
let dataDir: string;
let credentials: Credentials;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-token-'));
  dataDir = join(folder, 'data');
  ({ credentials } = await makeCredentials(dataDir));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function outcome(argv: readonly string[], env: Record<string, string> = {}, replaced: Replaced = {}) {
  const surroundings = testSurroundings(env, replaced);
  const code = await run(argv, surroundings);
  return { code, ...surroundings.written };
}

/** The path of a file with a token of the data directory's key. */
async function tokenFile(): Promise<string> {
  const { out } = await outcome(['token', 'create', '--identity=ann', '--data-dir', dataDir]);
  const path = join(folder, 'token.txt');
  await writeFile(path, out);
  return path;
}

test('[CFG17] [CFG18] the key of the credentials file signs and judges', async () => {
  const path = await tokenFile();
  const inspected = await outcome(['token', 'inspect', path]);
  assert.equal(inspected.code, 0);
  assert.match(inspected.out, new RegExp(`iss +${credentials.apiKey} `));
  const explained = await outcome(['token', 'explain', path, '--offline', '--data-dir', dataDir]);
  assert.equal(explained.code, 0);
  assert.ok(explained.out.includes(`made with the secret in ${join(dataDir, 'credentials.env')}`));
  assert.match(explained.out, new RegExp(`TOK14 .* ${credentials.serviceSid}\n`));
  const named = ['token', 'create', '--identity=ann', '--key', credentials.apiKey, '--data-dir', dataDir];
  assert.equal((await outcome(named)).code, 0);
  const service = new FakeOperatorApi();
  service.addKey(credentials.apiKey);
  const last = ['keys', 'revoke', credentials.apiKey, '--data-dir', dataDir, '--last', '--yes'];
  assert.match((await outcome(last, fiveVariables, { fetch: service.fetch })).out, /credentials\.env still holds it/);
});

test('[CFG13] a file is read up to 65,536 bytes; one that cannot be read is refused in one line', async () => {
  const refusals: readonly [string, RegExp][] = [
    [join(folder, 'none'), /^tallystick: cannot read ".*none" \(ENOENT\); give a file, or - for standard input\n$/],
    [folder, /^tallystick: cannot read .* \(EISDIR\)/],
    ['a\0b', /^tallystick: cannot read "a\\u0000b" \(ERR_INVALID_ARG_VALUE\)/],
    ['/dev/zero', /^tallystick: more than 65536 bytes came/],
  ];
  for (const [path, line] of refusals) {
    const { code, out, err } = await outcome(['token', 'explain', path, '--offline', '--data-dir', dataDir]);
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, line);
  }
});

test('[CFG14] the account is that of the credentials file, which a refusal names', async () => {
  const service = new FakeOperatorApi();
  const { err } = await outcome(['keys', 'list', '--data-dir', dataDir], {}, { fetch: service.fetch });
  assert.match(err, /^tallystick: http:\S+ refuses the credentials from \S+credentials\.env; .*20003\)\n$/);
  const expected = btoa(`${credentials.accountSid}:${credentials.authToken}`);
  assert.equal(service.requests[0]?.authorization, `Basic ${expected}`);
});

test('[CFG16] a damaged credentials file keeps no key in force', async () => {
  await writeFile(join(dataDir, 'credentials.env'), 'TALLYSTICK_API_KEY=hush');
  const service = new FakeOperatorApi();
  service.addKey(credentials.apiKey);
  service.addKey(`SK${'b'.repeat(32)}`);
  const argv = ['keys', 'revoke', credentials.apiKey, '--yes', '--data-dir', dataDir];
  assert.equal((await outcome(argv, fiveVariables, { fetch: service.fetch })).code, 0);
});

test('[CFG17] the command itself prints the token alone, so that it can go into a variable', async () => {
  const running = start(folder, ['token', 'create', '--identity', 'ann']);
  assert.equal(await running.ended, 0);
  assert.deepEqual([/^[\w-]+\.[\w-]+\.[\w-]+\n$/.test(running.out()), running.err()], [true, '']);
});
