import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parseEnv } from 'node:util';
import { run } from '../src/dispatch.ts';
import { makeCredentials, readCredentials } from '../src/credentials-file.ts';
import { fiveVariables, testSurroundings } from './surroundings.ts';

let folder: string;
let dataDir: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-cli-'));
  dataDir = join(folder, 'data');
  path = join(dataDir, 'credentials.env');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function init(env: Record<string, string> = {}) {
  const surroundings = testSurroundings(env);
  const code = await run(['init', '--data-dir', dataDir], surroundings);
  return { code, ...surroundings.written };
}

test('[CFG8] init makes a private file with both sets of names, and prints its path but no secret', async () => {
  const { code, out, err } = await init();
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(dataDir), ['credentials.env']);

  const made = await readCredentials(dataDir);
  assert.ok(made !== undefined);
  assert.deepEqual(
    { ...parseEnv(await readFile(path, 'utf8')) },
    {
      TALLYSTICK_ACCOUNT_SID: made.accountSid,
      TALLYSTICK_AUTH_TOKEN: made.authToken,
      TALLYSTICK_API_KEY: made.apiKey,
      TALLYSTICK_API_SECRET: made.apiSecret,
      TALLYSTICK_SERVICE_SID: made.serviceSid,
      TWILIO_ACCOUNT_SID: made.accountSid,
      TWILIO_API_KEY: made.apiKey,
      TWILIO_API_SECRET: made.apiSecret,
      TWILIO_SYNC_SERVICE_SID: made.serviceSid,
    },
  );
  assert.ok(out.includes(path) && out.includes(`tallystick serve --data-dir ${dataDir}\n`));
  assert.ok(!out.includes(made.apiSecret) && !out.includes(made.authToken));
});

test('[CFG8] init changes nothing that exists, and makes nothing when the environment has credentials', async () => {
  await init();
  const before = await readFile(path, 'utf8');
  const again = await init();
  assert.equal(again.code, 0);
  assert.match(again.out, /credentials already.*Nothing was changed/);
  assert.equal(await readFile(path, 'utf8'), before);

  await rm(dataDir, { recursive: true });
  assert.equal((await init(fiveVariables)).code, 0);
  await assert.rejects(stat(dataDir), { code: 'ENOENT' });
});

test('[CFG8] two that make credentials at once get the same ones', async () => {
  const results = await Promise.all(Array.from({ length: 8 }, () => makeCredentials(dataDir)));
  assert.equal(results.filter(({ made }) => made).length, 1);
  assert.equal(new Set(results.map(({ credentials }) => credentials.apiSecret)).size, 1);
  assert.deepEqual(await readdir(dataDir), ['credentials.env']);
});

test('[CFG8] a data directory that cannot be made is refused in one line', async () => {
  await writeFile(dataDir, 'a file');
  const { code, err } = await init();
  assert.equal(code, 1);
  assert.match(err, /^tallystick: cannot use .*data as data directory \(\w+\); .*TALLYSTICK_DATA_DIR\n$/);
});

test('[CFG10] serve finds the credentials that init made, and names init when there are none', async () => {
  const argv = ['serve', '--data-dir', dataDir];
  const without = testSurroundings();
  assert.equal(await run(argv, without), 1);
  assert.match(without.written.err, /^tallystick: no credentials: .*credentials\.env .*: tallystick init\n$/);

  await init();
  const surroundings = testSurroundings();
  surroundings.requestStop();
  assert.equal(await run(argv, surroundings), 0);
  assert.deepEqual(surroundings.created[0]?.credentials, await readCredentials(dataDir));
});

test('[CFG10] the credentials of the environment count before those of the file', async () => {
  await init();
  const surroundings = testSurroundings(fiveVariables);
  surroundings.requestStop();
  await run(['serve', '--data-dir', dataDir], surroundings);
  assert.equal(surroundings.created[0]?.credentials.apiKey, fiveVariables.TALLYSTICK_API_KEY);
});

test('[CFG8] a damaged credentials file is refused with its path and without its values', async () => {
  await mkdir(dataDir);
  const surroundings = testSurroundings();
  await writeFile(path, 'TALLYSTICK_API_KEY=some-secret\nTALLYSTICK_API_SECRET=short');
  assert.equal(await run(['serve', '--data-dir', dataDir], surroundings), 1);
  const lines = surroundings.written.err.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) assert.ok(line.startsWith(`tallystick: ${path}: TALLYSTICK_`), line);
  assert.doesNotMatch(surroundings.written.err, /some-secret|short/);

  await writeFile(path, '# nothing\n');
  await assert.rejects(readCredentials(dataDir), /holds no credentials; remove it and run tallystick init/);
});

test('[CFG9] dev makes credentials once and says so', async () => {
  for (const remark of [/Credentials .*credentials\.env \(made just now\)\n/, /Credentials .*credentials\.env\n/]) {
    const surroundings = testSurroundings();
    surroundings.requestStop();
    assert.equal(await run(['dev', '--data-dir', dataDir], surroundings), 0);
    assert.match(surroundings.written.out, remark);
    assert.deepEqual(surroundings.created[0]?.credentials, await readCredentials(dataDir));
  }
});
