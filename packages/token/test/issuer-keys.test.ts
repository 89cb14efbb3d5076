/** How the keys of a provider are found, kept and changed, over real HTTP, and what happens when they cannot be had. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, backend, trusting } from './bearer-backend.ts';
import { now } from './forge.ts';
import { keyPair } from './oidc-provider.ts';
import type { Provider } from './oidc-provider.ts';

test('[TOK26] a new key is taken without a restart, and the one that was withdrawn is refused then', async (t) => {
  const { provider, ask } = await backend(t);
  const old = await provider.token();
  assert.equal((await ask(`Bearer ${old}`)).status, 200);
  const second = await keyPair('second');
  provider.published = [second.jwk];
  const renewed = await provider.token({}, {}, second);
  assertRefused(await ask(`Bearer ${renewed}`), renewed, /key is not one that the issuer publishes/);
  assert.equal(provider.asked.length, 2);
  t.mock.timers.tick(10_000);
  assert.equal((await ask(`Bearer ${renewed}`)).status, 200);
  assertRefused(await ask(`Bearer ${old}`), old, /key is not one that the issuer publishes/);
  assert.deepEqual(provider.asked.slice(2), ['/keys']);
});

test('[TOK26] a withdrawn key is refused after the age of fetched keys, even when nothing new comes', async (t) => {
  const { provider, ask } = await backend(t, { keyMaxAgeSeconds: 20 });
  const old = await provider.token();
  assert.equal((await ask(`Bearer ${old}`)).status, 200);
  provider.published = [];
  t.mock.timers.tick(19_999);
  assert.equal((await ask(`Bearer ${old}`)).status, 200);
  t.mock.timers.tick(1);
  assertRefused(await ask(`Bearer ${old}`), old, /key/);
});

test('[TOK26] invented key names cause one fetch in ten seconds', async (t) => {
  const { provider, ask } = await backend(t);
  const stranger = await keyPair('stranger');
  const askOften = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      assert.equal((await ask(`Bearer ${await provider.token({}, { kid: `k${i}` }, stranger)}`)).status, 401);
    }
  };
  await askOften();
  assert.equal(provider.asked.length, 2);
  t.mock.timers.tick(10_000);
  await askOften();
  assert.equal(provider.asked.length, 3);
});

test('[TOK26] many first requests at once make one search for the keys', async (t) => {
  const { provider, ask } = await backend(t);
  const token = await provider.token();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`Bearer ${token}`)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(provider.asked, ['/.well-known/openid-configuration', '/keys']);
});

test('[TOK26] with jwksUri nothing is discovered', async (t) => {
  const { provider } = await backend(t);
  const { ask } = trusting(provider, { jwksUri: `${provider.issuer}/keys` });
  assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 200);
  assert.deepEqual(provider.asked, ['/keys']);
});

test('[TOK26] a provider that is down is 503 with Retry-After, told to onError, and forgotten when it is back', async (t) => {
  const { provider, told, ask } = await backend(t);
  const token = await provider.token();
  await provider.down();
  const { status, challenge, retryAfter } = await ask(`Bearer ${token}`);
  assert.deepEqual({ status, challenge, retryAfter }, { status: 503, challenge: null, retryAfter: '5' });
  assert.match(String(told[0]), /IdentityUnavailable: the keys of http:\/\/127\.0\.0\.1:\d+ cannot be had/);
  assert.equal((await ask('Bearer a.b.c')).status, 401);
  await provider.back();
  t.mock.timers.tick(3000);
  assert.equal((await ask(`Bearer ${token}`)).status, 503);
  assert.deepEqual(provider.asked, []);
  t.mock.timers.tick(2000);
  assert.equal((await ask(`Bearer ${token}`)).status, 200);
});

test('[TOK26] a clock set back does not make the pause longer', async (t) => {
  const { provider, ask } = await backend(t);
  await provider.down();
  assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 503);
  await provider.back();
  t.mock.timers.setTime((now - 3600) * 1000);
  assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 200);
});

test('[TOK26] keys at hand go on serving while the provider is down, until they are old', async (t) => {
  const { provider, ask } = await backend(t);
  const token = await provider.token({ exp: now + 3600 });
  const stranger = await provider.token({}, {}, await keyPair('stranger'));
  assert.equal((await ask(`Bearer ${token}`)).status, 200);
  await provider.down();
  t.mock.timers.tick(60_000);
  assert.equal((await ask(`Bearer ${stranger}`)).status, 503);
  assert.equal((await ask(`Bearer ${token}`)).status, 200);
  t.mock.timers.tick(540_000);
  assert.equal((await ask(`Bearer ${token}`)).status, 503);
});

for (const [what, part] of [
  ['its configuration', '/.well-known/openid-configuration'],
  ['its keys', '/keys'],
] as const) {
  test(`[TOK26] a provider that never sends ${what} is given up on`, async (t) => {
    const { provider } = await backend(t);
    const { told, ask } = trusting(provider, { timeoutSeconds: 0.05 });
    provider.instead = (req, res) => {
      if (req.url !== part) return void res.end(JSON.stringify(configurationOf(provider)));
      // The beginning of an answer whose end never comes.
      res.write('{');
    };
    const { status, retryAfter } = await ask(`Bearer ${await provider.token()}`);
    assert.deepEqual({ status, retryAfter }, { status: 503, retryAfter: '5' });
    assert.match(causeOf(told[0]), /timeout|timed out/i);
  });
}

function configurationOf({ issuer }: Provider, members: object = {}): object {
  return { issuer, jwks_uri: `${issuer}/keys`, ...members };
}

function causeOf(error: unknown): string {
  assert.ok(error instanceof Error);
  return `${String(error.cause)} ${String(error.cause instanceof Error ? error.cause.cause : '')}`;
}

for (const [what, document, cause] of [
  ['of another issuer', { issuer: 'https://evil.example' }, /names another issuer/],
  ['of the issuer with a slash', { issuer: 'http://127.0.0.1/' }, /names another issuer/],
  ['without keys', { jwks_uri: undefined }, /no safe jwks_uri/],
  ['with keys over plain http', { jwks_uri: 'http://keys.example/' }, /no safe jwks_uri/],
  ['with keys in a file', { jwks_uri: 'file:///etc/passwd' }, /no safe jwks_uri/],
  ['larger than anything expected', { padding: 'x'.repeat(600_000) }, /longer than 524288 bytes/],
] as const) {
  test(`[TOK26] a configuration ${what} is 503, told to onError, and read again later`, async (t) => {
    const { provider, told, ask } = await backend(t);
    const token = await provider.token();
    provider.instead = (_req, res) => void res.end(JSON.stringify(configurationOf(provider, document)));
    assert.equal((await ask(`Bearer ${token}`)).status, 503);
    assert.match(causeOf(told[0]), cause);
    assert.equal(provider.asked.length, 1);
    provider.instead = undefined;
    t.mock.timers.tick(5000);
    assert.equal((await ask(`Bearer ${token}`)).status, 200);
  });
}

for (const [what, status, body] of [
  ['an error with keys', 500, undefined],
  ['a redirect', 302, undefined],
  ['no JSON', 200, '<html>'],
  ['no key set', 200, '{"keys":7}'],
  ['a set that is too large', 200, JSON.stringify({ keys: [], padding: 'x'.repeat(600_000) })],
] as const) {
  test(`[TOK26] ${what} in place of the keys is 503, not a fault of the token`, async (t) => {
    const { provider, told, ask } = await backend(t);
    provider.instead = (req, res) => {
      if (req.url !== '/keys') return void res.end(JSON.stringify(configurationOf(provider)));
      const keys = JSON.stringify({ keys: provider.published });
      res.writeHead(status, { Location: `${provider.issuer}/elsewhere` }).end(body ?? keys);
    };
    assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 503);
    assert.equal(told.length, 1);
    assert.ok(!provider.asked.includes('/elsewhere'));
  });
}

test('[TOK26] a configuration that is elsewhere is not followed', async (t) => {
  const { provider, told, ask } = await backend(t);
  provider.instead = (_req, res) => void res.writeHead(302, { Location: `${provider.issuer}/elsewhere` }).end();
  assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 503);
  assert.match(causeOf(told[0]), /it answered 302/);
  assert.equal(provider.asked.length, 1);
});
