/** Which bearer tokens a provider's word makes good, over real HTTP, and how the others are refused. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertRefused, backend, trusting } from './bearer-backend.ts';
import { now } from './forge.ts';
import { audience, keyPair } from './oidc-provider.ts';

test('[TOK26] a good token gives the issuer-scoped subject, never the e-mail address', async (t) => {
  const { provider, told, ask } = await backend(t);
  const token = await provider.token({ email: 'alice@example.com', email_verified: true });
  assert.deepEqual(await ask(`Bearer ${token}`), {
    status: 200,
    identity: 'corp:alice',
    message: undefined,
    challenge: null,
    retryAfter: null,
  });
  assert.equal((await ask(`bearer   ${token}`)).identity, 'corp:alice');
  assert.deepEqual(told, []);
  assert.deepEqual(provider.asked, ['/.well-known/openid-configuration', '/keys']);
});

test('[TOK26] every algorithm of the list, found by key name', async (t) => {
  const { provider, ask } = await backend(t);
  const pairs = await Promise.all(['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => keyPair(alg, alg)));
  provider.published = pairs.map(({ jwk }) => jwk);
  for (const pair of pairs) {
    assert.equal((await ask(`Bearer ${await provider.token({}, {}, pair)}`)).identity, 'corp:alice', pair.alg);
  }
});

test('[TOK26] the name comes from the issuer, port and path included, unless it is given', async (t) => {
  const { provider } = await backend(t);
  const { ask } = trusting(provider, { name: undefined });
  const identity = `127.0.0.1-${new URL(provider.issuer).port}:alice`;
  assert.equal((await ask(`Bearer ${await provider.token()}`)).identity, identity);
});

for (const [what, authorization] of [
  ['no header', undefined],
  ['another scheme', 'Basic YTpi'],
  ['a longer scheme', 'Bearerish abc'],
] as const) {
  test(`[TOK26] ${what} is 401 with a plain challenge, and the provider is not asked`, async (t) => {
    const { provider, ask } = await backend(t);
    const { status, challenge } = await ask(authorization);
    assert.deepEqual({ status, challenge }, { status: 401, challenge: 'Bearer' });
    assert.deepEqual(provider.asked, []);
  });
}

test('[TOK26] several values, empty and huge ones, and what is no JWT: refused before the provider is asked', async (t) => {
  const { provider, ask } = await backend(t);
  const token = await provider.token();
  for (const authorization of [
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token} ${token}`,
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer é',
    `Bearer ${token.padEnd(16_384, 'A')}`,
    'Bearer abc',
    'Bearer a.b.c',
    'Bearer ..',
    `Bearer ${token}.x`,
    `Bearer ${token.split('.').slice(0, 2).join('.')}`,
  ]) {
    assertRefused(await ask(authorization), token, /not accepted/);
  }
  assert.deepEqual(provider.asked, []);
});

for (const [what, claims, complaint] of [
  ['another audience', { aud: 'https://other.example' }, /audience/],
  ['an ID token for another client', { aud: 'mobile-app', azp: 'mobile-app', nonce: 'n' }, /audience/],
  ['a list of other audiences', { aud: ['a', `${audience}/`] }, /audience/],
  ['no audience', { aud: undefined }, /audience/],
  ['another issuer', { iss: 'https://evil.example' }, /issuer/],
  ['the issuer with a slash', { iss: 'http://127.0.0.1/' }, /issuer/],
  ['no issuer', { iss: undefined }, /issuer/],
  ['a token that expired a minute ago', { exp: now - 60 }, /expired/],
  ['a token at the end of the tolerance', { exp: now - 5 }, /expired/],
  ['no end', { exp: undefined }, /exp is missing/],
  ['an end as text', { exp: `${now + 60}` }, /exp is missing or no number/],
  ['a token for later', { nbf: now + 60 }, /not valid yet/],
  ['no subject', { sub: undefined }, /sub/],
  ['an empty subject', { sub: '' }, /sub/],
  ['a number as subject', { sub: 7 }, /sub/],
] as const) {
  test(`[TOK26] ${what} is refused`, async (t) => {
    const { provider, told, ask } = await backend(t);
    const token = await provider.token(claims);
    assertRefused(await ask(`Bearer ${token}`), token, complaint);
    assert.deepEqual(told, []);
  });
}

test('[TOK26] within the tolerance a token is taken, and one of several audiences is enough', async (t) => {
  const { provider, ask } = await backend(t);
  for (const claims of [{ exp: now - 4 }, { nbf: now + 5 }, { aud: ['other', audience] }]) {
    assert.equal((await ask(`Bearer ${await provider.token(claims)}`)).status, 200);
  }
  const { ask: askStrictly } = trusting(provider, { clockToleranceSeconds: 0, audience: ['x', audience] });
  assert.equal((await askStrictly(`Bearer ${await provider.token({ exp: now - 1 })}`)).status, 401);
  assert.equal((await askStrictly(`Bearer ${await provider.token()}`)).status, 200);
});

test('[TOK26] access tokens and ID tokens are taken, other kinds of the same issuer not', async (t) => {
  const { provider, ask } = await backend(t);
  for (const typ of ['JWT', 'at+jwt', 'application/at+JWT']) {
    assert.equal((await ask(`Bearer ${await provider.token({}, { typ })}`)).status, 200, typ);
  }
  for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWTs', '']) {
    const token = await provider.token({}, { typ });
    assertRefused(await ask(`Bearer ${token}`), token, /another kind/);
  }
});

const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');

test('[TOK26] alg none, and HS256 with the published key as its secret, are refused', async (t) => {
  const { provider, ask } = await backend(t);
  const claims = encoded({ iss: provider.issuer, aud: audience, sub: 'alice', exp: now + 60 });
  const { kid, jwk } = provider.key;
  for (const alg of ['none', 'None', 'NONE', '']) {
    const token = `${encoded({ alg, kid })}.${claims}.`;
    assertRefused(await ask(`Bearer ${token}`), token, /alg|no signed JWT/);
    assertRefused(await ask(`Bearer ${token}AAAA`), token, /alg|no signed JWT/);
  }
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const secret of [JSON.stringify(jwk), String(jwk.x), Buffer.from(String(jwk.x), 'base64url')]) {
      const signed = `${encoded({ alg, kid })}.${claims}`;
      const mac = createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
      assertRefused(await ask(`Bearer ${signed}.${mac}`), signed, /alg is not one of those/);
    }
  }
  assert.deepEqual(provider.asked, []);
});

test('[TOK26] an algorithm outside the list is refused although the key is published', async (t) => {
  const { provider } = await backend(t);
  const { ask } = trusting(provider, { algorithms: ['RS256'] });
  const token = await provider.token();
  assertRefused(await ask(`Bearer ${token}`), token, /alg/);
});

test('[TOK26] a signature by another key under a published name is refused, and so is an altered token', async (t) => {
  const { provider, ask } = await backend(t);
  const stranger = await keyPair('first');
  const forged = await provider.token({}, {}, stranger);
  assertRefused(await ask(`Bearer ${forged}`), forged, /signature/);
  const [header, , signature] = (await provider.token()).split('.');
  const altered = `${header}.${encoded({ iss: provider.issuer, aud: audience, sub: 'admin', exp: now + 60 })}.${signature}`;
  assertRefused(await ask(`Bearer ${altered}`), altered, /signature/);
});

test('[TOK26] without a key name a token is taken while one key alone fits it', async (t) => {
  const { provider, ask } = await backend(t);
  const other = await keyPair('other', 'RS256');
  provider.published = [provider.key.jwk, other.jwk];
  const token = await provider.token({}, { kid: undefined });
  assert.equal((await ask(`Bearer ${token}`)).status, 200);
  const { provider: second, ask: askSecond } = await backend(t);
  second.published = [second.key.jwk, (await keyPair('other')).jwk];
  const doubtful = await second.token({}, { kid: undefined });
  assertRefused(await askSecond(`Bearer ${doubtful}`), doubtful, /does not say which key/);
});

test('[TOK26] keys that the token itself brings or points to are never used', async (t) => {
  const { provider, ask } = await backend(t);
  const stranger = await keyPair('stranger');
  for (const header of [
    { jwk: stranger.jwk },
    { jku: `${provider.issuer}/evil` },
    { x5u: `${provider.issuer}/evil` },
  ]) {
    const token = await provider.token({}, { ...header, kid: undefined }, stranger);
    assertRefused(await ask(`Bearer ${token}`), token, /signature|key/);
  }
  assert.ok(!provider.asked.includes('/evil'));
});

test('[TOK26] a user who may not come in is 403, and only true lets in', async (t) => {
  const { provider } = await backend(t);
  const seen: unknown[] = [];
  for (const [verdict, status] of [
    [true, 200],
    [Promise.resolve(true), 200],
    [false, 403],
    [undefined, 403],
    ['yes', 403],
  ] as const) {
    const allowed = (claims: object): unknown => {
      seen.push(claims);
      return verdict;
    };
    const { ask } = trusting(provider, { allowed: Object(allowed) });
    const answer = await ask(`Bearer ${await provider.token({ groups: ['board'] })}`);
    assert.deepEqual([answer.status, answer.challenge], [status, null]);
  }
  const { issuer: iss } = provider;
  assert.deepEqual(seen[0], { iss, aud: audience, sub: 'alice', exp: now + 60, groups: ['board'] });
  const { ask, told } = trusting(provider, { allowed: () => Promise.reject(new Error('directory')) });
  assert.equal((await ask(`Bearer ${await provider.token()}`)).status, 500);
  assert.match(String(told[0]), /directory/);
});

test('[TOK26] a subject that makes no possible identity is 500, told to onError', async (t) => {
  const { provider, told, ask } = await backend(t);
  assert.equal((await ask(`Bearer ${await provider.token({ sub: 'a'.repeat(251) })}`)).status, 200);
  for (const sub of ['a'.repeat(252), 'a\u0000']) {
    assert.equal((await ask(`Bearer ${await provider.token({ sub })}`)).status, 500);
  }
  assert.match(String(told[0]), /TypeError: identity is longer than 256/);
  assert.match(String(told[1]), /TypeError: identity holds U\+0000/);
});

test('[TOK26] whatever the header of a token holds, it is 401 and nothing worse', async (t) => {
  const { told, ask } = await backend(t);
  const names = [
    'alg',
    'kid',
    'typ',
    'cty',
    'crit',
    'b64',
    'jwk',
    'jku',
    'x5c',
    'enc',
    'zip',
    '__proto__',
    'constructor',
  ];
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('ES256', 'RS256', 'none', 'first', ['b64'], ['exp'], false));
  const headers = fc.dictionary(fc.constantFrom(...names), values);
  const parts = fc.oneof(headers.map(encoded), fc.jsonValue().map(encoded), fc.base64String());
  await fc.assert(
    fc.asyncProperty(parts, parts, fc.string({ unit: 'grapheme-ascii' }), async (header, claims, signature) => {
      const token = `${header}.${claims}.${Buffer.from(signature).toString('base64url')}`;
      assert.equal((await ask(`Bearer ${token}`)).status, 401);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(told, []);
});
