import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { account, decoded, key, now, secret, service, untypedCall, world } from '../test/forge.ts';
import { AccessToken } from './access-token.ts';
import type { AccessTokenOptions } from './access-token.ts';
import { verifyAccessToken } from './verify.ts';

const clock = (): number => now * 1000 + 999;

function minted(options: AccessTokenOptions = {}): AccessToken {
  return new AccessToken(account, key, secret, { identity: 'alice', now: clock, ...options });
}

/** Misuse that types would stop, as it comes from JavaScript. */
function misuse(...args: unknown[]): () => unknown {
  return () => Reflect.construct(AccessToken, args);
}

test('[TOK1] a plain token has exactly the documented header and claims', () => {
  const token = minted();
  token.addGrant(new AccessToken.SyncGrant({ serviceSid: service }));
  assert.deepEqual(decoded(token.toJwt()), {
    header: { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' },
    claims: {
      jti: `${key}-${now}`,
      iss: key,
      sub: account,
      iat: now,
      exp: now + 3600,
      grants: { identity: 'alice', data_sync: { service_sid: service } },
    },
  });
});

test('[TOK1] region, nbf and ttl appear only when given', () => {
  const { header, claims } = decoded(minted({ region: 'au1', nbf: now + 5, ttl: 60 }).toJwt('HS512'));
  assert.deepEqual(header, { alg: 'HS512', typ: 'JWT', cty: 'twilio-fpa;v=1', twr: 'au1' });
  assert.equal(claims['nbf'], now + 5);
  assert.equal(claims['exp'], now + 60);
  assert.equal('twr' in decoded(minted({ region: '' }).toJwt()).header, false);
});

test('[TOK1] [TOK3] the order of events of the guide: three arguments, a grant, then the identity', () => {
  const token = new AccessToken(account, key, secret);
  token.addGrant(new AccessToken.SyncGrant({ serviceSid: service }));
  assert.throws(() => token.toJwt(), /identity is missing/);
  token.identity = 'alice';
  assert.equal(token.identity, 'alice');
  assert.equal(verifyAccessToken(token.toJwt(), { ...world, now: Date.now }).identity, 'alice');
});

for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
  test(`[TOK24] jose accepts our ${algorithm} token`, async () => {
    const token = minted({ nbf: now });
    token.addGrant(new AccessToken.SyncGrant());
    const { payload } = await jwtVerify(token.toJwt(algorithm), new TextEncoder().encode(secret), {
      algorithms: [algorithm],
      issuer: key,
      subject: account,
      typ: 'JWT',
      currentDate: new Date(now * 1000),
    });
    assert.deepEqual(payload['grants'], { identity: 'alice', data_sync: {} });
  });
}

test('[TOK3] a whole number becomes text', () => {
  const token = minted({ identity: 42 });
  assert.equal(token.identity, '42');
  assert.deepEqual(decoded(token.toJwt()).claims['grants'], { identity: '42' });
  assert.equal(minted({ identity: -7 }).identity, '-7');
});

for (const missing of [undefined, null, '']) {
  test(`[TOK3] identity ${inspect(missing)} counts as missing and is refused at toJwt`, () => {
    const token = minted();
    token.identity = missing;
    assert.equal(token.identity, undefined);
    assert.throws(() => token.toJwt(), { name: 'TypeError', message: /identity is missing; pass it in the options/ });
  });
}

for (const wrong of [1.5, 0, NaN, 2 ** 53, 10n, {}, ['alice'], true, Symbol('a'), () => 'a']) {
  test(`[TOK3] identity ${inspect(wrong)} is refused at once`, () => {
    const expected = { name: 'TypeError', message: /identity must be text or a whole number/ };
    assert.throws(misuse(account, key, secret, { identity: wrong }), expected);
    assert.throws(() => Reflect.set(minted(), 'identity', wrong), expected);
  });
}

test('[TOK3] length is counted in code points, and half characters are refused', () => {
  assert.equal(minted({ identity: '😀'.repeat(256) }).identity, '😀'.repeat(256));
  assert.throws(() => minted({ identity: 'a'.repeat(257) }), /identity is longer than 256/);
  assert.throws(() => minted({ identity: 'a\u0000' }), { name: 'TypeError', message: /identity holds U\+0000/ });
  assert.throws(() => minted({ identity: '\ud800' }), /identity holds .*surrogate/);
});

for (const [ttl, message] of [
  ['3600', /ttl must be a number of seconds; turn text into one: Number\(text\)/],
  ['1h', /ttl must be a number/],
  [null, /ttl must be a number/],
  [0, /ttl must be a whole number of seconds from 1 to 86400/],
  [-1, /ttl/],
  [1.5, /ttl/],
  [NaN, /ttl/],
  [Infinity, /ttl/],
  [86_401, /24 hours/],
] as const) {
  test(`[TOK4] ttl ${inspect(ttl)} is refused at once`, () => {
    assert.throws(misuse(account, key, secret, { identity: 'a', ttl }), { name: 'TypeError', message });
  });
}

test('[TOK4] ttl from one second to 24 hours is taken', () => {
  assert.equal(decoded(minted({ ttl: 1 }).toJwt()).claims['exp'], now + 1);
  assert.equal(decoded(minted({ ttl: 86_400 }).toJwt()).claims['exp'], now + 86_400);
});

test('[TOK4] nbf is a number of seconds before the end', () => {
  for (const nbf of ['1800000000', 1.5, -1, NaN, null]) {
    assert.throws(misuse(account, key, secret, { nbf }), { name: 'TypeError', message: /nbf must be a Unix time/ });
  }
  assert.throws(() => minted({ nbf: now * 1000 }).toJwt(), /nbf lies beyond the end.*not milliseconds/);
  assert.throws(() => minted({ nbf: now + 60, ttl: 60 }).toJwt(), /nbf/);
  assert.equal(decoded(minted({ nbf: now + 59, ttl: 60 }).toJwt()).claims['nbf'], now + 59);
});

for (const [what, args, message] of [
  ['no account', [undefined, key, secret], /accountSid must be AC/],
  ['an empty account', ['', key, secret], /accountSid/],
  ['key and account swapped', [key, account, secret], /accountSid/],
  ['the account as the key', [account, account, secret], /keySid must be SK.*an API key, never the account/],
  ['no key', [account, undefined, secret], /keySid/],
  ['a short key', [account, key.slice(1), secret], /keySid/],
  ['a line break after the key', [account, `${key}\n`, secret], /keySid/],
  ['no secret', [account, key], /secret is missing/],
  ['an empty secret', [account, key, ''], /secret is missing/],
  ['bytes as the secret', [account, key, Buffer.from(secret)], /secret/],
  ['an unknown option', [account, key, secret, { idenity: 'alice' }], /no option 'idenity'; its options are identity/],
  ['options that are null', [account, key, secret, null], /options of AccessToken must be an object/],
  ['the identity for options', [account, key, secret, 'alice'], /options of AccessToken must be an object/],
  ['a region that is no text', [account, key, secret, { region: 1 }], /region must be text/],
  ['a clock that is no function', [account, key, secret, { now: 5 }], /now must be a function/],
] as const) {
  test(`[TOK5] ${what} is a TypeError`, () => {
    assert.throws(misuse(...args), { name: 'TypeError', message });
  });
}

test('[TOK5] hex digits may be of either case', () => {
  const token = new AccessToken(`AC${'aB'.repeat(16)}`, `SK${'Fe'.repeat(16)}`, secret, { identity: 'a' });
  assert.equal(decoded(token.toJwt()).claims['sub'], `AC${'aB'.repeat(16)}`);
});

for (const algorithm of ['none', 'hs256', 'RS256', '', 'constructor', null, { toString: () => 'HS256' }]) {
  test(`[TOK5] algorithm ${inspect(algorithm)} is a TypeError`, () => {
    assert.throws(() => untypedCall(minted(), 'toJwt', algorithm), {
      name: 'TypeError',
      message: 'algorithm must be HS256, HS384 or HS512',
    });
  });
}

test('[TOK5] a token that no server would take is not made', () => {
  const token = minted();
  token.addGrant({ player: { url: 'x'.repeat(8000) } });
  assert.throws(() => token.toJwt(), { name: 'TypeError', message: /longer than 8192 bytes/ });
});

test('[TOK6] the secret shows nowhere in the object', () => {
  const token = minted();
  token.addGrant(new AccessToken.SyncGrant());
  for (const shown of [inspect(token, { showHidden: true, depth: 9 }), JSON.stringify(token)]) {
    assert.ok(!shown.includes(secret), shown);
  }
  assert.ok(!Reflect.ownKeys(token).some((name) => Reflect.get(token, name) === secret));
});

test('[TOK6] no message holds the secret, wherever a mixed-up call puts it', () => {
  for (const place of [0, 1, 3]) {
    const args: unknown[] = [account, key, secret, {}];
    args[place] = secret;
    assert.throws(misuse(...args), (error: unknown) => error instanceof TypeError && !inspect(error).includes(secret));
  }
  for (const option of ['ttl', 'nbf', 'now'] as const) {
    const wrong = { identity: 'a', [option]: secret };
    assert.throws(misuse(account, key, secret, wrong), (error: unknown) => !inspect(error).includes(secret));
  }
});

test('[TOK1] [TOK15] whatever is minted verifies to what was given', () => {
  const identities = fc.string({ unit: 'binary', minLength: 1, maxLength: 256 });
  const usable = identities.filter((text) => text.isWellFormed() && !text.includes('\u0000'));
  const algorithms = fc.constantFrom('HS256', 'HS384', 'HS512');
  fc.assert(
    fc.property(usable, fc.integer({ min: 1, max: 86_400 }), algorithms, (identity, ttl, algorithm) => {
      const token = minted({ identity, ttl });
      token.addGrant(new AccessToken.SyncGrant({ serviceSid: service, endpointId: identity }));
      assert.deepEqual(verifyAccessToken(token.toJwt(algorithm), world), {
        account,
        key,
        identity,
        service,
        endpoint: identity,
        expiresAt: (now + ttl) * 1000,
      });
    }),
  );
});
