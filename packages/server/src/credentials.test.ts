import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeDataDirectory } from '../test/data-directory.ts';
import { loadConfig } from './config.ts';
import type { Credentials } from './config.ts';
import type { Log } from './platform.ts';
import { createServer } from './server.ts';
import type { Server } from './server.ts';
import { StartError } from './start-error.ts';
import { migrations } from './storage/sqlite/migrations.ts';

const credentials: Credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};
const secretsKey = 'a-secrets-key-of-the-environment-long-enough';

interface Key {
  readonly sid: string;
  readonly secret: string;
  readonly revokedAt: string | null;
}

test('[ACC5] no file of the data directory but the key itself can be read as a secret, and the key is its own file', async (t) => {
  const path = directory(t);
  const made = await during(path, {}, (server) => administer<Key>(server, 'POST', 'keys', { name: 'second' }));
  assert.equal(statSync(join(path, 'secrets.key')).mode & 0o777, 0o600);
  const key = readFileSync(join(path, 'secrets.key'), 'utf8').trim();
  for (const file of readdirSync(path)) {
    const bytes = readFileSync(join(path, file));
    for (const secret of [credentials.authToken, credentials.apiSecret, made.secret]) {
      assert.ok(!bytes.includes(secret), `${file} holds a secret in clear`);
    }
    assert.ok(file === 'secrets.key' || !bytes.includes(key), `${file} holds the secrets key`);
  }
  const { keys } = await during(path, {}, (server) => administer<{ keys: Key[] }>(server, 'GET', 'keys'));
  assert.deepEqual(
    keys.map(({ sid }) => sid).sort(),
    [credentials.apiKey, made.sid].sort(),
    'they open after a restart',
  );
});

test('[ACC5] a key of the environment leaves no file', async (t) => {
  const path = directory(t);
  await during(path, { TALLYSTICK_SECRETS_KEY: secretsKey }, async () => {});
  assert.ok(!readdirSync(path).includes('secrets.key'));
  await during(path, { TALLYSTICK_SECRETS_KEY: secretsKey }, async () => {});
});

test('[ACC6] a lost, a wrong and a cut key are each one line that names the place and the way out', async (t) => {
  const path = directory(t);
  await during(path, {}, async () => {});
  const file = join(path, 'secrets.key');
  const right = readFileSync(file, 'utf8');
  const says = async (env: Record<string, string>, pattern: RegExp): Promise<void> => {
    await assert.rejects(start(path, env), (error: Error) => {
      assert.ok(error instanceof StartError && !error.message.includes('\n'), error.message);
      assert.match(error.message, pattern);
      assert.match(error.message, /TALLYSTICK_LOST_SECRETS=replace/);
      assert.ok(!error.message.includes(secretsKey) && !error.message.includes(right.trim()));
      return true;
    });
  };
  await says({ TALLYSTICK_SECRETS_KEY: secretsKey }, /do not open with the key of TALLYSTICK_SECRETS_KEY/);
  rmSync(file);
  await says({}, /neither TALLYSTICK_SECRETS_KEY nor .*secrets\.key/);
  assert.ok(!readdirSync(path).includes('secrets.key'), 'no new key takes the place of the lost one');
  writeFileSync(file, `${secretsKey}\n`);
  await says({}, /do not open with the key of .*secrets\.key/);
  writeFileSync(file, 'cut');
  await says({}, /holds fewer than 32 characters/);
  writeFileSync(file, right);
  await during(path, {}, async () => {});
});

test('[ACC6] told so, a start replaces lost secrets: the given credentials count, every other key is revoked', async (t) => {
  const path = directory(t);
  const made = await during(path, {}, (server) => administer<Key>(server, 'POST', 'keys', {}));
  rmSync(join(path, 'secrets.key'));
  const warned: object[] = [];
  const { keys } = await during(
    path,
    { TALLYSTICK_LOST_SECRETS: 'replace' },
    (server) => administer<{ keys: Key[] }>(server, 'GET', 'keys'),
    { ...quiet, warn: (fields) => void warned.push(fields) },
  );
  assert.deepEqual(
    keys.map(({ sid, revokedAt }) => `${sid} ${revokedAt !== null}`).sort(),
    [`${credentials.apiKey} false`, `${made.sid} true`].sort(),
  );
  assert.deepEqual(warned, [{ key: made.sid }]);
  await during(path, {}, async () => {});
});

test('[ACC4] a revoked key of the credentials stays revoked at the next start, which says so', async (t) => {
  const path = directory(t);
  await during(path, {}, (server) => administer(server, 'DELETE', `keys/${credentials.apiKey}`));
  const warned: string[] = [];
  const { keys } = await during(path, {}, (server) => administer<{ keys: Key[] }>(server, 'GET', 'keys'), {
    ...quiet,
    warn: (_fields, message) => void warned.push(message),
  });
  assert.ok(keys[0]?.sid === credentials.apiKey && keys[0].revokedAt !== null);
  assert.deepEqual(warned, ['TALLYSTICK_API_KEY names a revoked key, which stays revoked; give another']);
});

test('[ACC5] data of a program that did not seal is taken over, and its open secrets are gone from the file', async (t) => {
  const path = directory(t);
  const old = new DatabaseSync(join(path, 'tallystick.db'));
  old.exec(`${migrations[0]} PRAGMA user_version = 1;
    INSERT INTO meta VALUES ('epoch', 'e');
    INSERT INTO account VALUES ('${credentials.accountSid}', 'an-old-token-in-clear', 1);
    INSERT INTO service VALUES ('${credentials.serviceSid}', '${credentials.accountSid}', 'default', 1);
    INSERT INTO key VALUES ('${credentials.apiKey}', '${credentials.accountSid}', 'an-old-secret-in-clear', 1);`);
  old.close();
  const { keys } = await during(path, {}, (server) => administer<{ keys: Key[] }>(server, 'GET', 'keys'));
  assert.deepEqual(
    keys.map(({ sid }) => sid),
    [credentials.apiKey],
  );
  for (const file of readdirSync(path)) assert.ok(!readFileSync(join(path, file)).includes('in-clear'), file);
});

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

function directory(t: TestContext): string {
  const made = makeDataDirectory();
  t.after(made.remove);
  return made.path;
}

function start(path: string, env: Record<string, string>, log = quiet): Promise<Server> {
  const config = loadConfig({ argv: ['--port', '0', '--data-dir', path], env });
  return createServer({ ...config, credentials }, { log });
}

async function during<T>(
  path: string,
  env: Record<string, string>,
  work: (server: Server) => Promise<T>,
  log = quiet,
): Promise<T> {
  const server = await start(path, env, log);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function administer<T>(server: Server, method: string, path: string, body?: object): Promise<T> {
  const authorization = `Basic ${Buffer.from(`${credentials.accountSid}:${credentials.authToken}`).toString('base64')}`;
  const response = await fetch(`${server.url}/admin/v1/${path}`, {
    method,
    headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  assert.ok(response.ok, `${response.status}`);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
