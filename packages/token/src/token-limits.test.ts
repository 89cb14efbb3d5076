import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { account, key, secret, world } from '../test/forge.ts';
import { anonymousVisitor } from './anonymous-visitor.ts';
import { tokenEndpoint } from './endpoint.ts';
import type { IdentitySource } from './identity-source.ts';
import { randomName } from './random-name.ts';
import { tokenLimits } from './token-limits.ts';
import type { TokenLimitsOptions } from './token-limits.ts';

interface Asker {
  readonly asked: Asked[];
  readonly told: unknown[];
  /** Statuses of so many requests, one after the other. */
  readonly ask: (times: number, from?: { address?: string; headers?: Record<string, string> }) => Promise<string>;
  readonly last: () => Response;
}
type Asked = Parameters<IdentitySource>;

/** An endpoint with limits, and the statuses that it answers, such as `20 x 200, 1 x 429`. The clock is ticked by hand. */
function asker(t: TestContext, options: TokenLimitsOptions, identity: IdentitySource = () => 'alice'): Asker {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_800_000_000_000 });
  const asked: Asked[] = [];
  const told: unknown[] = [];
  let last = new Response();
  const endpoint = tokenEndpoint({
    accountSid: account,
    keySid: key,
    secret,
    now: world.now,
    identity: (...each) => {
      asked.push(each);
      return identity(...each);
    },
    limits: tokenLimits(options),
    onError: (error) => told.push(error),
  });
  return {
    asked,
    told,
    last: () => last,
    ask: async (times, { address = '203.0.113.7', headers = {} } = {}) => {
      const statuses = new Map<number, number>();
      for (let i = 0; i < times; i++) {
        const native = { socket: { remoteAddress: address } };
        last = await endpoint(new Request('http://app.example/token', { headers }), native);
        statuses.set(last.status, (statuses.get(last.status) ?? 0) + 1);
      }
      return [...statuses].map(([status, count]) => `${count} x ${status}`).join(', ');
    },
  };
}

test('[TOK27] a session: 20 at once, then 10 a minute; 429 in JSON with whole seconds to wait', async (t) => {
  const { ask, last } = asker(t, {});
  assert.equal(await ask(21), '20 x 200, 1 x 429');
  assert.deepEqual(Object.fromEntries(last().headers), {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'retry-after': '60',
    vary: 'Cookie, Authorization',
  });
  assert.deepEqual(await last().json(), { status: 429, message: 'Too many requests' });
  t.mock.timers.tick(58_900);
  await ask(1);
  assert.equal(last().headers.get('retry-after'), '2');
  t.mock.timers.tick(1_099);
  assert.equal(await ask(1), '1 x 429');
  assert.equal(last().headers.get('retry-after'), '1');
  t.mock.timers.tick(1);
  assert.equal(await ask(12), '10 x 200, 2 x 429');
  t.mock.timers.tick(600_000);
  assert.equal(await ask(21), '20 x 200, 1 x 429');
});

test('[TOK27] sessions do not take from each other, and one is the same from wherever it asks', async (t) => {
  const { ask } = asker(t, { perAddress: 0 }, (request) => request.headers.get('x-user'));
  const alice = { headers: { 'x-user': 'alice' } };
  assert.equal(await ask(20, alice), '20 x 200');
  assert.equal(await ask(1, { ...alice, address: '198.51.100.1' }), '1 x 429');
  assert.equal(await ask(20, { headers: { 'x-user': 'bob' } }), '20 x 200');
});

test('[TOK27] 1,000 browsers behind one address get their token at once, and 1,201 do not', async (t) => {
  let users = 0;
  const { ask, asked } = asker(t, {}, () => `user-${(users += 1)}`);
  assert.equal(await ask(1000), '1000 x 200');
  assert.equal(await ask(201), '200 x 200, 1 x 429');
  assert.equal(asked.length, 1200);
  t.mock.timers.tick(60_000);
  assert.equal(await ask(601), '600 x 200, 1 x 429');
});

test('[TOK27] a flood without a cookie is bound by its address, before an identity is made', async (t) => {
  const visitor = anonymousVisitor({ secret, now: world.now });
  const { ask, asked, last } = asker(t, { perAddress: { perMinute: 3, burst: 5 } }, visitor);
  assert.equal(await ask(9), '5 x 200, 4 x 429');
  assert.equal(asked.length, 5);
  assert.deepEqual(last().headers.getSetCookie(), []);
  assert.equal(await ask(1, { address: '203.0.113.8' }), '1 x 200');
});

test('[TOK27] a session that asks too often gets no cookie with its refusal', async (t) => {
  const identity: IdentitySource = (_request, { headers }) => {
    headers.set('Set-Cookie', 'a=1');
    return 'alice';
  };
  const { ask, last } = asker(t, { perSession: { perMinute: 1, burst: 1 } }, identity);
  assert.equal(await ask(2), '1 x 200, 1 x 429');
  assert.deepEqual(last().headers.getSetCookie(), []);
});

test('[TOK27] those who are not logged in are counted by address too', async (t) => {
  const { ask } = asker(t, { perAddress: { perMinute: 2, burst: 2 } }, () => null);
  assert.equal(await ask(3), '2 x 401, 1 x 429');
});

test('[TOK27] a whole /64 of IPv6 counts as one address', async (t) => {
  const { ask } = asker(t, { perAddress: { perMinute: 1, burst: 1 } }, randomName());
  assert.equal(await ask(1, { address: '2001:db8:1:2::1' }), '1 x 200');
  assert.equal(await ask(1, { address: '2001:db8:1:2:ffff::1' }), '1 x 429');
  assert.equal(await ask(1, { address: '2001:db8:1:3::1' }), '1 x 200');
});

test('[TOK27] the application says where a request comes from; those from nowhere are one', async (t) => {
  const addressOf = (request: Request): string | undefined => request.headers.get('x-real-ip') ?? undefined;
  const { ask } = asker(t, { addressOf, perAddress: { perMinute: 1, burst: 1 } }, randomName());
  for (const headers of [{ 'x-real-ip': '10.0.0.1' }, { 'x-real-ip': '10.0.0.2' }, {}]) {
    assert.equal(await ask(2, { headers }), '1 x 200, 1 x 429');
  }
});

test('[TOK27] the application says what a session is: counted before the identity, and the identity no more', async (t) => {
  const sessionOf = (request: Request): string | undefined => request.headers.get('x-session') ?? undefined;
  const { ask, asked } = asker(t, { sessionOf, perSession: { perMinute: 1, burst: 2 } });
  assert.equal(await ask(3, { headers: { 'x-session': 'a' } }), '2 x 200, 1 x 429');
  assert.equal(asked.length, 2);
  assert.equal(await ask(2, { headers: { 'x-session': 'b' } }), '2 x 200');
  assert.equal(await ask(9), '9 x 200');
});

test('[TOK27] a total for everybody; what an address is refused takes nothing from it', async (t) => {
  const options = { total: { perMinute: 3, burst: 3 }, perAddress: { perMinute: 1, burst: 1 } };
  const { ask } = asker(t, options, randomName());
  assert.equal(await ask(5, { address: '10.0.0.1' }), '1 x 200, 4 x 429');
  assert.equal(await ask(1, { address: '10.0.0.2' }), '1 x 200');
  assert.equal(await ask(1, { address: '10.0.0.3' }), '1 x 200');
  assert.equal(await ask(1, { address: '10.0.0.4' }), '1 x 429');
});

test('[TOK27] 0 is no limit, and a number alone allows bursts of twice as many', async (t) => {
  const { ask } = asker(t, { perSession: 0, perAddress: 0, total: 0 });
  assert.equal(await ask(1500), '1500 x 200');
  const { ask: askTwo } = asker(t, { perSession: 2, perAddress: 0 });
  assert.equal(await askTwo(5), '4 x 200, 1 x 429');
});

test('[TOK27] nothing is counted for requests that never get to the question who asks', async (t) => {
  const { ask } = asker(t, { perAddress: { perMinute: 1, burst: 1 } });
  assert.equal(await ask(5, { headers: { 'sec-fetch-site': 'cross-site' } }), '5 x 403');
  assert.equal(await ask(1), '1 x 200');
});

test('[TOK27] at most 10,000 sessions are remembered: the one that was silent for longest is forgotten', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_800_000_000_000 });
  const limits = tokenLimits({ perSession: { perMinute: 1, burst: 1 } });
  for (let i = 0; i < 10_000; i++) assert.equal(await limits.countIdentity(`user-${i}`), 0);
  assert.equal(await limits.countIdentity('user-0'), 60);
  assert.equal(await limits.countIdentity('user-10000'), 0);
  assert.equal(await limits.countIdentity('user-0'), 60);
  assert.equal(await limits.countIdentity('user-2'), 60);
  assert.equal(await limits.countIdentity('user-1'), 0);
});

test('[TOK27] [TOK18] a platform that names no address is 500, and onError is told the way out', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const told: unknown[] = [];
  const settings = { accountSid: account, keySid: key, secret, now: world.now, identity: () => 'alice' };
  const options = { ...settings, limits: tokenLimits(), onError: (error: unknown) => told.push(error) };
  assert.equal((await tokenEndpoint(options)(new Request('http://app.example/token'))).status, 500);
  assert.match(String(told[0]), /needs addressOf here, or perAddress: 0/);
  const without = { ...options, limits: tokenLimits({ perAddress: 0 }) };
  assert.equal((await tokenEndpoint(without)(new Request('http://app.example/token'))).status, 200);
});

for (const [options, message] of [
  [{ perSession: -1 }, /perSession must be a whole number a minute/],
  [{ perSession: 1.5 }, /perSession/],
  [{ perAddress: '10' }, /perAddress/],
  [{ perAddress: { perMinute: 10 } }, /perAddress/],
  [{ perAddress: { perMinute: 10, burst: 9 } }, /burst at least as high/],
  [{ total: NaN }, /total/],
  [{ total: null }, /total/],
  [{ addressOf: '10.0.0.1' }, /addressOf must be a function/],
  [{ sessionOf: {} }, /sessionOf must be a function/],
  [{ perUser: 1 }, /no option 'perUser'; its options are perSession/],
] as const) {
  test(`[TOK27] [TOK5] ${JSON.stringify(options)} is a TypeError`, () => {
    assert.throws(() => Reflect.apply(tokenLimits, undefined, [options]), { name: 'TypeError', message });
  });
}
