import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { account, alphabet, key, sealed, secret, world } from '../test/forge.ts';
import { anonymousVisitor } from './anonymous-visitor.ts';
import type { AnonymousVisitor, AnonymousVisitorOptions } from './anonymous-visitor.ts';
import { tokenEndpoint } from './endpoint.ts';
import { verifyAccessToken } from './verify.ts';

const cookieSecret = 'only-a-test-value-for-signing-cookies';
const lifetime = 1000;

/** A visitor source whose clock is set by hand, in seconds. */
function visitorAt(options: Partial<AnonymousVisitorOptions> = {}): {
  visitor: AnonymousVisitor;
  clock: { at: number };
} {
  const clock = { at: 1_800_000_000 };
  const now = (): number => clock.at * 1000;
  return { visitor: anonymousVisitor({ secret: cookieSecret, maxAgeSeconds: lifetime, now, ...options }), clock };
}

/** What the browser sends back of a Set-Cookie header. */
function sent(setCookie: string | undefined): string {
  assert.ok(setCookie, 'no cookie was set');
  return setCookie.split(';')[0] ?? '';
}

test('[TOK21] a first visit gets a random identity in a signed cookie', () => {
  const { visitor } = visitorAt();
  const first = visitor.identify(undefined);
  assert.match(first.identity, /^visitor-[A-Za-z0-9_-]{22}$/);
  assert.match(
    first.setCookie ?? '',
    /^tallystick_visitor=visitor-[\w-]{22}\.1800000000\.[\w-]{43}; Max-Age=1000; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  assert.notEqual(visitor.identify('').identity, visitor.identify(null).identity);
});

test('[TOK21] the same browser keeps its identity and gets no new cookie', () => {
  const { visitor } = visitorAt();
  const first = visitor.identify(undefined);
  const again = visitor.identify(`theme=dark; ${sent(first.setCookie)};other=1`);
  assert.deepEqual(again, { identity: first.identity, setCookie: undefined });
});

test('[TOK21] another process with the same secret knows the visitor, with another secret it does not', () => {
  const first = visitorAt().visitor.identify(undefined);
  const cookie = sent(first.setCookie);
  assert.equal(visitorAt().visitor.identify(cookie).identity, first.identity);
  const stranger = visitorAt({ secret: 'x'.repeat(32) }).visitor;
  assert.notEqual(stranger.identify(cookie).identity, first.identity);
});

test('[TOK21] in the second half of its life the cookie is renewed, and after its end forgotten', () => {
  const { visitor, clock } = visitorAt();
  const first = visitor.identify(undefined);
  clock.at += lifetime / 2 - 1;
  assert.equal(visitor.identify(sent(first.setCookie)).setCookie, undefined);
  clock.at += 1;
  const renewed = visitor.identify(sent(first.setCookie));
  assert.equal(renewed.identity, first.identity);
  clock.at += lifetime / 2 - 1;
  assert.equal(visitor.identify(sent(first.setCookie)).identity, first.identity);
  clock.at += 1;
  const stranger = visitor.identify(sent(first.setCookie));
  assert.notEqual(stranger.identity, first.identity);
  assert.ok(stranger.setCookie);
  assert.equal(visitor.identify(sent(renewed.setCookie)).identity, first.identity);
});

test('[TOK21] Secure as the request came, or as the option says', () => {
  const { visitor } = visitorAt();
  assert.match(visitor.identify(undefined, { secure: true }).setCookie ?? '', /; Secure$/);
  assert.doesNotMatch(visitor.identify(undefined, { secure: false }).setCookie ?? '', /Secure/);
  assert.match(visitorAt({ secure: true }).visitor.identify(undefined).setCookie ?? '', /; Secure$/);
  const never = visitorAt({ secure: false }).visitor;
  assert.doesNotMatch(never.identify(undefined, { secure: true }).setCookie ?? '', /Secure/);
});

test('[TOK21] among several cookies of the name, the genuine one counts', () => {
  const { visitor } = visitorAt();
  const first = visitor.identify(undefined);
  const header = `tallystick_visitor=forged; ${sent(first.setCookie)}; xtallystick_visitor=1`;
  assert.equal(visitor.identify(header).identity, first.identity);
});

test('[TOK21] the name of the cookie can be chosen', () => {
  const { visitor } = visitorAt({ cookieName: '__Host-visitor', secure: true });
  const first = visitor.identify(undefined);
  assert.match(first.setCookie ?? '', /^__Host-visitor=/);
  assert.equal(visitor.identify(sent(first.setCookie)).identity, first.identity);
});

test('[TOK21] a cookie altered in any place gets a new identity', () => {
  const { visitor } = visitorAt();
  const first = visitor.identify(undefined);
  const cookie = sent(first.setCookie);
  const value = cookie.slice(cookie.indexOf('=') + 1);
  fc.assert(
    fc.property(fc.nat({ max: value.length - 2 }), fc.constantFrom(...alphabet, '.', '', '..'), (at, text) => {
      const altered = value.slice(0, at) + text + value.slice(at + 1);
      fc.pre(altered !== value);
      const answer = visitor.identify(`tallystick_visitor=${altered}`);
      assert.notEqual(answer.identity, first.identity);
      assert.ok(!altered.startsWith(answer.identity));
    }),
  );
});

test('[TOK21] whatever the header holds, there is an identity and no exception', () => {
  const { visitor } = visitorAt();
  const made = ['tallystick_visitor=', 'tallystick_visitor', `tallystick_visitor=admin.1800000000.${'A'.repeat(43)}`];
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...made), fc.string({ unit: 'binary' })), (header) => {
      assert.match(visitor.identify(header).identity, /^visitor-/);
    }),
  );
});

test('[TOK21] what the same secret signed as a token is no cookie', () => {
  const { visitor } = visitorAt({ secret });
  const signedLikeTokens = sealed('admin.1800000000');
  assert.match(signedLikeTokens, /^admin\.1800000000\.[\w-]{43}$/);
  assert.match(visitor.identify(`tallystick_visitor=${signedLikeTokens}`).identity, /^visitor-/);
});

test('[TOK21] [TOK17] as the identity source of an endpoint: the cookie comes with the token and leads back', async () => {
  const endpoint = tokenEndpoint({
    accountSid: account,
    keySid: key,
    secret,
    now: world.now,
    identity: visitorAt().visitor,
  });
  const ask = async (url: string, cookie?: string) => {
    const response = await endpoint(new Request(url, cookie === undefined ? {} : { headers: { cookie } }));
    const body: unknown = await response.json();
    const { token } = { token: '', ...Object(body) };
    return { identity: verifyAccessToken(token, world).identity, cookies: response.headers.getSetCookie() };
  };
  const first = await ask('https://app.example/token');
  assert.equal(first.cookies.length, 1);
  assert.match(first.cookies[0] ?? '', /; Secure$/);
  const again = await ask('https://app.example/token', sent(first.cookies[0]));
  assert.deepEqual(again, { identity: first.identity, cookies: [] });
  const plain = await ask('http://localhost/token');
  assert.notEqual(plain.identity, first.identity);
  assert.doesNotMatch(plain.cookies[0] ?? '', /Secure/);
});

for (const [options, message] of [
  [{}, /secret must be text of at least 32 characters/],
  [{ secret: 'x'.repeat(31) }, /secret/],
  [{ secret: undefined }, /secret/],
  [{ secret: cookieSecret, cookieName: 'a b' }, /cookieName/],
  [{ secret: cookieSecret, cookieName: '' }, /cookieName/],
  [{ secret: cookieSecret, maxAgeSeconds: 0 }, /maxAgeSeconds/],
  [{ secret: cookieSecret, maxAgeSeconds: '3600' }, /maxAgeSeconds/],
  [{ secret: cookieSecret, maxage: 1 }, /no option 'maxage'/],
] as const) {
  test(`[TOK21] [TOK5] ${Object.keys(options).join(' and ') || 'no option'}: a wrong one is a TypeError`, () => {
    const expected = { name: 'TypeError', message };
    assert.throws(() => Reflect.apply(anonymousVisitor, undefined, [options]), expected);
  });
}
