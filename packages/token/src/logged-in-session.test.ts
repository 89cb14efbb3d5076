import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { account, key, secret, world } from '../test/forge.ts';
import { tokenEndpoint } from './endpoint.ts';
import { loggedInSession } from './logged-in-session.ts';
import { verifyAccessToken } from './verify.ts';

/** What the endpoint answers when the session names this user, whatever it is. */
async function answerTo(user: unknown, options: object = {}, told: unknown[] = []): Promise<Response> {
  const native = { session: { userId: user } };
  const userOf = (_request: Request, context: { native: unknown }): unknown => {
    assert.equal(context.native, native);
    return Object(context.native).session.userId;
  };
  const identity = Reflect.apply(loggedInSession, undefined, [{ userOf, ...options }]);
  const settings = { accountSid: account, keySid: key, secret, now: world.now };
  const endpoint = tokenEndpoint({ ...settings, identity, onError: (error) => told.push(error) });
  return endpoint(new Request('http://app.example/token?identity=admin'), native);
}

for (const [user, options, identity] of [
  ['7f3c', {}, '7f3c'],
  [42, {}, '42'],
  [-1, {}, '-1'],
  [42, { prefix: 'user' }, 'user-42'],
  ['alice@example.com', {}, 'alice@example.com'],
] as const) {
  test(`[TOK25] ${inspect(user)} with ${inspect(options)} is the identity ${identity}`, async () => {
    const response = await answerTo(user, options);
    assert.equal(response.status, 200);
    const { token } = { token: '', ...Object(await response.json()) };
    assert.equal(verifyAccessToken(token, world).identity, identity);
  });
}

for (const [what, nobody] of [
  ['null', null],
  ['undefined', undefined],
  ['a promise of null', Promise.resolve(null)],
] as const) {
  test(`[TOK25] ${what} is 401 in JSON, without a redirect`, async () => {
    const told: unknown[] = [];
    const response = await answerTo(nobody, { prefix: 'user' }, told);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('location'), null);
    assert.deepEqual(await response.json(), { status: 401, message: 'Not logged in' });
    assert.deepEqual(told, []);
  });
}

for (const mistake of [
  '',
  '  ',
  'undefined',
  'null',
  'NaN',
  '[object Object]',
  '[object Promise]',
  0,
  NaN,
  1.5,
  2 ** 53,
  10n,
  true,
  false,
  {},
  { id: 42 },
  ['42'],
  () => '42',
  Symbol('42'),
]) {
  for (const options of [{}, { prefix: 'user' }]) {
    test(`[TOK25] ${inspect(mistake)} with ${inspect(options)} is a mistake: 500, and no token`, async () => {
      const told: unknown[] = [];
      const response = await answerTo(mistake, options, told);
      assert.equal(response.status, 500);
      assert.match(String(told[0]), /TypeError: userOf must give the id of a user/);
    });
  }
}

test('[TOK25] the id may come later', async () => {
  assert.equal(Object(await (await answerTo(Promise.resolve(42))).json()).identity, '42');
});

test('[TOK25] a Response of the function, and its failure, are as with any other source', async () => {
  assert.equal((await answerTo(Response.json({}, { status: 403 }))).status, 403);
  const told: unknown[] = [];
  assert.equal((await answerTo(Promise.reject(new Error('store')), {}, told)).status, 500);
  assert.match(String(told[0]), /store/);
});

for (const [options, message] of [
  [{}, /userOf must be a function/],
  [{ userOf: 'alice' }, /userOf must be a function/],
  [{ userOf: () => 'a', prefix: 'a:b' }, /prefix must be/],
  [{ userOf: () => 'a', prefix: '' }, /prefix must be/],
  [{ userOf: () => 'a', user: 1 }, /no option 'user'/],
] as const) {
  test(`[TOK25] [TOK5] ${inspect(options)} is a TypeError`, () => {
    assert.throws(() => Reflect.apply(loggedInSession, undefined, [options]), { name: 'TypeError', message });
  });
}
