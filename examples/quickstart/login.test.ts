/** IDENTITY=login over HTTP: who gets in, with which session, and who does not. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { assertRefused, cookieOf, credentials, start, tokenOf, untilTooMany } from './app-harness.ts';
import type { Ask } from './app-harness.ts';

const environment = { ...credentials, IDENTITY: 'login' };
const ownPage = { 'sec-fetch-site': 'same-origin' };

function logIn(ask: Ask, login: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return post(ask, '/login', login, { ...ownPage, ...headers });
}

function post(ask: Ask, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  return ask(path, { 'content-type': 'application/json', ...headers }, { method: 'POST', body: JSON.stringify(body) });
}

const ann = { name: 'ann', password: 'hazel' };
const bob = { name: 'bob', password: 'birch' };

test('[TOK17] [TOK25] without a login /token is 401 in JSON; after one it is for the stable id of that user', async (t) => {
  const ask = await start(t, environment);
  const refused = await ask('/token');
  await assertRefused(refused);
  assert.equal(refused.headers.get('set-cookie'), null);
  const login = await logIn(ask, ann);
  assert.equal(login.status, 204);
  assert.match(
    login.headers.get('set-cookie') ?? '',
    /^session=s%3A[\w-]{32}\.\S+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
  );
  const response = await ask('/token', { cookie: cookieOf(login) });
  const { identity, claims } = await tokenOf(response);
  assert.equal(identity, 'user-41');
  assert.deepEqual(claims['grants'], { identity: 'user-41', data_sync: { service_sid: 'default' } });
});

test('[TOK25] a wrong password and an unknown name get the same 401, and no session', async (t) => {
  const ask = await start(t, environment);
  const refusals = [
    { ...ann, password: 'birch' },
    { ...ann, name: 'dora' },
    { ...ann, name: '' },
    { ...ann, password: '' },
  ];
  const texts = [];
  for (const login of refusals) {
    const response = await logIn(ask, login);
    texts.push(await response.clone().text());
    assert.equal(response.headers.get('set-cookie'), null);
    await assertRefused(response);
  }
  assert.equal(new Set(texts).size, 1);
});

test('a session id of before the login is dead after it, whoever knew it', async (t) => {
  const ask = await start(t, environment);
  const planted = cookieOf(await logIn(ask, bob));
  assert.equal((await tokenOf(await ask('/token', { cookie: planted }))).identity, 'user-42');
  const renewed = cookieOf(await logIn(ask, ann, { cookie: planted }));
  assert.notEqual(renewed, planted);
  assert.equal((await tokenOf(await ask('/token', { cookie: renewed }))).identity, 'user-41');
  await assertRefused(await ask('/token', { cookie: planted }));

  const invented = cookieOf(await logIn(ask, ann, { cookie: 'session=s%3Achosen-by-somebody-else' }));
  assert.doesNotMatch(invented, /chosen/);
});

test('a made-up session is nobody, however well it is signed', async (t) => {
  const secret = 'a-session-secret-of-32-characters-or-more';
  const ask = await start(t, { ...environment, SESSION_SECRET: secret });
  const real = cookieOf(await logIn(ask, ann));
  const signed = (id: string, by: string): string =>
    `session=${encodeURIComponent(`s:${id}.${createHmac('sha256', by).update(id).digest('base64').replace(/=+$/, '')}`)}`;
  const [, id = ''] = /s%3A([\w-]+)\./.exec(real) ?? [];
  assert.equal((await ask('/token', { cookie: signed(id, secret) })).status, 200, 'this is how they are signed');
  const madeUp = [
    'session=user-41',
    `session=${id}`,
    `session=s%3A${id}`,
    signed(id, 'another-secret-of-32-characters-or-more'),
    signed('x'.repeat(32), secret),
    signed('__proto__', secret),
  ];
  for (const cookie of madeUp) await assertRefused(await ask('/token', { cookie }));
});

test('logging out ends the session; without one it does no harm', async (t) => {
  const ask = await start(t, environment);
  const cookie = cookieOf(await logIn(ask, ann));
  const out = await post(ask, '/logout', {}, { ...ownPage, cookie });
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie') ?? '', /^session=; Path=\/; Expires=Thu, 01 Jan 1970/);
  await assertRefused(await ask('/token', { cookie }));
  assert.equal((await post(ask, '/logout', {}, ownPage)).status, 204);
});

test('no other site can log anybody in or out', async (t) => {
  const ask = await start(t, environment);
  const cookie = cookieOf(await logIn(ask, ann));
  const others: readonly Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site', origin: ask.origin },
    { 'sec-fetch-site': 'same-site', origin: ask.origin },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://else.example' },
    { origin: 'null' },
    {},
  ];
  for (const headers of others) {
    const refused = await post(ask, '/login', bob, headers);
    assert.equal(refused.headers.get('set-cookie'), null);
    await assertRefused(refused, 403);
    await assertRefused(await post(ask, '/logout', {}, { ...headers, cookie }), 403);
  }
  assert.equal((await tokenOf(await ask('/token', { cookie }))).identity, 'user-41');
  // A browser too old for Sec-Fetch-Site.
  assert.equal((await post(ask, '/login', ann, { origin: ask.origin })).status, 204);
});

test('what is no login is 400 or 413, without a word on the console', async (t) => {
  const ask = await start(t, environment);
  const written = t.mock.method(process.stderr, 'write', () => true);
  const odd = [null, [], 'ann', {}, { name: 'ann' }, { ...ann, password: 1 }, { ...ann, name: ['ann'] }];
  for (const login of [...odd, { ...ann, password: 'x'.repeat(101) }])
    await assertRefused(await logIn(ask, login), 400);
  await assertRefused(await logIn(ask, { ...ann, password: 'x'.repeat(1_100) }), 413);
  const asForm = { ...ownPage, 'content-type': 'application/x-www-form-urlencoded' };
  const form = await ask('/login', asForm, { method: 'POST', body: 'name=ann&password=hazel' });
  await assertRefused(form, 400);
  const broken = await ask('/login', { ...ownPage, 'content-type': 'application/json' }, { method: 'POST', body: '{' });
  await assertRefused(broken, 400);
  assert.equal(written.mock.callCount(), 0);
});

test('[TOK27] guesses at one name are few, and so are logins from one address', async (t) => {
  const ask = await start(t, environment);
  const guesses = Array.from({ length: 10 }, (_, at) => logIn(ask, { ...ann, password: `guess ${at}` }));
  for (const response of await Promise.all(guesses)) assert.equal(response.status, 401);
  const right = await logIn(ask, ann);
  assert.ok(Number(right.headers.get('retry-after')) >= 1);
  await assertRefused(right, 429);
  assert.equal((await logIn(ask, bob)).status, 204, 'other names go on');
  assert.equal((await untilTooMany(() => logIn(ask, {}), 60)).went, 60 - 12);
});

test('[TOK27] a user gets 20 tokens at once, whatever the number of sessions; others go on', async (t) => {
  const ask = await start(t, environment);
  const [one, two, other] = [
    cookieOf(await logIn(ask, ann)),
    cookieOf(await logIn(ask, ann)),
    cookieOf(await logIn(ask, bob)),
  ];
  let asked = 0;
  const { went, wait } = await untilTooMany(() => ask('/token', { cookie: asked++ % 2 === 0 ? one : two }), 20);
  assert.equal(went, 20);
  assert.ok(wait >= 1 && wait <= 60, `${wait} s`);
  assert.equal((await ask('/token', { cookie: other })).status, 200);
});

test('the cookie is Secure over https, as a trusted proxy tells it, and nobody else', async (t) => {
  const behindTls = { 'x-forwarded-proto': 'https' };
  const trusting = await start(t, { ...environment, TRUST_PROXY: 'loopback' });
  assert.match((await logIn(trusting, ann, behindTls)).headers.get('set-cookie') ?? '', /; Secure/);
  assert.doesNotMatch((await logIn(trusting, ann)).headers.get('set-cookie') ?? '', /; Secure/);
  const direct = await start(t, environment);
  assert.doesNotMatch((await logIn(direct, ann, behindTls)).headers.get('set-cookie') ?? '', /; Secure/);
});
