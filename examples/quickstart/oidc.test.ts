/** IDENTITY=oidc over HTTP, with an outside provider of our own making that signs whatever it is told to. */

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { assertRefused, credentials, start, tokenOf, untilTooMany } from './app-harness.ts';
import type { Ask } from './app-harness.ts';

const audience = 'https://tally.example/tokens';
const clientId = 'the-page';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function newKey(kid: string): SigningKey {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function signed({ kid, privateKey }: SigningKey, claims: object, header: object = {}): string {
  const parts = `${encoded({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(parts), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${parts}.${signature.toString('base64url')}`;
}

/** Publishes these keys, and starts the app against it. */
async function startWithProvider(t: TestContext, keys: readonly SigningKey[]) {
  const provider = createServer((request, response) => {
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
      '/keys': { keys: keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid })) },
    };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(documents[request.url ?? ''] ?? {}));
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const stop = (): void => {
    provider.close();
    provider.closeAllConnections();
  };
  t.after(stop);
  const address = provider.address();
  assert.ok(typeof address === 'object' && address !== null);
  const issuer = `http://127.0.0.1:${address.port}`;
  const outside = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_CLIENT_ID: clientId };
  const ask = await start(t, { ...credentials, IDENTITY: 'oidc', ...outside });
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: '1234', iat: seconds, exp: seconds + 60 };
  return { ask, claims, seconds, name: `127.0.0.1-${address.port}`, stop };
}

const bearer = (ask: Ask, token: string): Promise<Response> => ask('/token', { authorization: `Bearer ${token}` });

test('[TOK26] an access token for this backend opens; its user is the provider and the subject', async (t) => {
  const key = newKey('now');
  const { ask, claims, name } = await startWithProvider(t, [key]);
  assert.equal((await tokenOf(await bearer(ask, signed(key, claims)))).identity, `${name}:1234`);
  const many = signed(key, { ...claims, aud: ['https://else.example', audience], email: 'ann@example.com' });
  assert.equal((await tokenOf(await bearer(ask, many))).identity, `${name}:1234`);
});

test('[TOK17] [TOK26] every other token, and none, is 401 with WWW-Authenticate', async (t) => {
  const key = newKey('now');
  const { ask, claims, seconds } = await startWithProvider(t, [key]);
  const { sub: _sub, ...withoutSubject } = claims;
  const { exp: _exp, ...withoutEnd } = claims;
  const hmac = `${encoded({ alg: 'HS256', kid: 'now' })}.${encoded(claims)}`;
  const published = key.publicKey.export({ type: 'spki', format: 'pem' });
  const refused: Readonly<Record<string, string>> = {
    'of another audience': signed(key, { ...claims, aud: 'https://else.example' }),
    'an ID token': signed(key, { ...claims, aud: clientId, nonce: 'n' }, { typ: 'JWT' }),
    'an ID token that names its kind': signed(key, claims, { typ: 'logout+jwt' }),
    expired: signed(key, { ...claims, iat: seconds - 120, exp: seconds - 60 }),
    'without an end': signed(key, withoutEnd),
    'not valid yet': signed(key, { ...claims, nbf: seconds + 600 }),
    'of another issuer': signed(key, { ...claims, iss: 'https://else.example' }),
    'without a subject': signed(key, withoutSubject),
    'by a stranger under the name of the key': signed(newKey('now'), claims),
    unsigned: `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
    'signed with the published key as a secret': `${hmac}.${createHmac('sha256', published).update(hmac).digest('base64url')}`,
    'no token at all': 'ann',
  };
  for (const [what, token] of Object.entries(refused)) {
    const response = await bearer(ask, token);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/, what);
    await assertRefused(response);
  }
  const good = signed(key, claims);
  assert.equal((await bearer(ask, good)).status, 200);
  const elsewhere = [
    await ask('/token'),
    await ask(`/token?access_token=${good}`),
    await ask('/token', { cookie: good }),
  ];
  for (const response of elsewhere) {
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
    await assertRefused(response);
  }
});

test('[TOK26] a key that the provider has taken back opens nothing any more', async (t) => {
  const [old, current] = [newKey('old'), newKey('current')];
  const { ask, claims } = await startWithProvider(t, [current]);
  await assertRefused(await bearer(ask, signed(old, claims)));
  assert.equal((await bearer(ask, signed(current, claims))).status, 200);
});

test('[TOK26] while the provider does not answer /token is 503 with Retry-After, and the console says why', async (t) => {
  const key = newKey('now');
  const { ask, claims, stop } = await startWithProvider(t, [key]);
  stop();
  const written = t.mock.method(process.stderr, 'write', () => true);
  const response = await bearer(ask, signed(key, claims));
  assert.ok(Number(response.headers.get('retry-after')) >= 1);
  await assertRefused(response, 503);
  assert.match(String(written.mock.calls[0]?.arguments[0]), /^GET \/token failed: the keys of http/);
});

test('[TOK27] a user of the provider gets 20 tokens at once; others go on', async (t) => {
  const key = newKey('now');
  const { ask, claims } = await startWithProvider(t, [key]);
  assert.equal((await untilTooMany(() => bearer(ask, signed(key, claims)), 20)).went, 20);
  assert.equal((await bearer(ask, signed(key, { ...claims, sub: '5678' }))).status, 200);
});
