import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fiveVariables } from '../test/surroundings.ts';
import { readArguments } from './arguments.ts';
import { accessFlags, accessOptions, findAccess } from './service-access.ts';
import type { ServiceAccess } from './service-access.ts';

const nowhere = '--data-dir=/nowhere';

async function access(argv: readonly string[], env: Record<string, string> = {}): Promise<ServiceAccess> {
  const all = { ...fiveVariables, ...env };
  return await findAccess(readArguments([nowhere, ...argv], { flags: accessFlags, options: accessOptions }, all), all);
}

test('[CFG14] the address is --url, else host and port, never the public one', async () => {
  const env = { TALLYSTICK_HOST: '0.0.0.0', TALLYSTICK_PORT: '81' };
  const withPublic = { ...env, TALLYSTICK_PUBLIC_URL: 'https://sync.example.org' };
  assert.equal((await access(['--url', 'https://other.example.org/'], withPublic)).url, 'https://other.example.org');
  assert.equal((await access([], withPublic)).url, 'http://127.0.0.1:81');
  assert.equal((await access([], { TALLYSTICK_HOST: '::' })).url, 'http://[::1]:8080');
  assert.equal((await access([])).url, 'http://127.0.0.1:8080');
  const tls = { TALLYSTICK_TLS_CERT: 'c.pem', TALLYSTICK_TLS_KEY: 'k.pem' };
  assert.equal((await access([], tls)).url, 'https://127.0.0.1:8080');
  await assert.rejects(access([], { TALLYSTICK_PORT: '0' }), /TALLYSTICK_PORT is 0; .* --url/);
});

test('[CFG14] an address that will not do is refused, and never quoted when it may hold a password', async () => {
  for (const url of ['sync.example.org', 'ws://127.0.0.1', 'https://a/path', 'https://a?x', 'https://a#x']) {
    await assert.rejects(access(['--url', url]), {
      message: new RegExp(`^--url is ${JSON.stringify(url).replace('?', '\\?')}; give`),
    });
  }
  await assert.rejects(access(['--url', 'https://ann:hush@a']), (error: Error) => !error.message.includes('hush'));
});

test('[CFG15] credentials go to another machine through TLS only, unless --insecure says otherwise', async () => {
  for (const url of [
    'http://sync.example.org',
    'http://10.0.0.1:8080',
    'http://127.0.0.1.example.org',
    'http://[::2]',
  ]) {
    await assert.rejects(access(['--url', url]), /plain http on another machine.*--insecure/);
    assert.equal((await access(['--url', url, '--insecure'])).url, url);
  }
  await assert.rejects(access([], { TALLYSTICK_HOST: '10.0.0.1' }), /plain http/);
  for (const url of ['http://localhost:1', 'http://127.0.0.1', 'http://127.8.9.1:81', 'http://[::1]:1', 'https://a']) {
    assert.equal((await access(['--url', url])).url, url);
  }
});

test('[CFG14] the account is that of the environment; one half of it is refused, and no value is quoted', async () => {
  const { accountSid, authToken, from } = await access([]);
  assert.deepEqual(
    [accountSid, authToken, from],
    [fiveVariables.TALLYSTICK_ACCOUNT_SID, fiveVariables.TALLYSTICK_AUTH_TOKEN, 'the environment'],
  );
  await assert.rejects(access([], { TALLYSTICK_AUTH_TOKEN: '' }), /^StartError: TALLYSTICK_AUTH_TOKEN is not set/);
  await assert.rejects(access([], { TALLYSTICK_ACCOUNT_SID: '' }), /^StartError: TALLYSTICK_ACCOUNT_SID is not set/);
  await assert.rejects(
    access([], { TALLYSTICK_ACCOUNT_SID: 'hush' }),
    /^StartError: TALLYSTICK_ACCOUNT_SID is not acceptable; give AC/,
  );
  await assert.rejects(
    access([], { TALLYSTICK_AUTH_TOKEN: 'hush hush' }),
    /^StartError: TALLYSTICK_AUTH_TOKEN is not acceptable; give printable/,
  );
  const none = { TALLYSTICK_ACCOUNT_SID: '', TALLYSTICK_AUTH_TOKEN: '' };
  await assert.rejects(
    access([], none),
    /no credentials: .*TALLYSTICK_AUTH_TOKEN.*--data-dir.*\/nowhere\/credentials\.env/,
  );
});
