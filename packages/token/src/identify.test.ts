import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import express from 'express';
import type { RequestHandler } from 'express';
import { secret } from '../test/forge.ts';
import { ask, listening } from '../test/node-server.ts';
import { anonymousVisitor } from './anonymous-visitor.ts';
import { identify } from './identify.ts';
import type { IdentifyOptions } from './identify.ts';
import { IdentityUnavailable } from './identity-source.ts';
import type { IdentitySource } from './identity-source.ts';
import { tokenLimits } from './token-limits.ts';

/** The route as an application writes it, below other middleware; its own answer is marked. Returns the port. */
async function backend(t: TestContext, source: IdentitySource, options?: IdentifyOptions): Promise<number> {
  const app = express();
  app.use((_request, response, next) => {
    response.append('Set-Cookie', 'session=1').vary('Accept-Encoding');
    next();
  });
  app.get('/token', route(source, options));
  return listening(t, app);
}

function route(source: IdentitySource, options?: IdentifyOptions): RequestHandler {
  const answer: RequestHandler = async (request, response) => {
    const identity = await identify(source, request, response, options);
    if (identity === undefined) return;
    response.json({ identity, token: 'minted' });
  };
  return answer;
}

test('[TOK28] Express: an identity, with the cookie of the source and the headers of a token, in three lines', async (t) => {
  const port = await backend(t, anonymousVisitor({ secret }));
  const first = await ask(port, '/token?identity=admin');
  assert.equal(first.status, 200);
  assert.equal(first.body.token, 'minted');
  assert.match(String(first.body.identity), /^visitor-/);
  assert.equal(first.headers['cache-control'], 'no-store');
  assert.equal(first.headers.vary, 'Accept-Encoding, Cookie, Authorization');
  const [ours, visitor = ''] = first.headers['set-cookie'] ?? [];
  assert.equal(ours, 'session=1');
  const again = await ask(port, '/token', { cookie: visitor.split(';')[0] });
  assert.equal(again.body.identity, first.body.identity);
  assert.deepEqual(again.headers['set-cookie'], ['session=1']);
});

test('[TOK28] node:http: the same, with the source asked about the request itself', async (t) => {
  const seen: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const source: IdentitySource = (asked, { native, headers }) => {
      seen.push(asked.url, native === request);
      headers.set('X-Way', 'test');
      return 'alice';
    };
    response.end(JSON.stringify({ identity: await identify(source, request, response) }));
  };
  const port = await listening(t, (request, response) => void answer(request, response));
  const { body, headers } = await ask(port, '/token?a=b');
  assert.equal(body.identity, 'alice');
  assert.equal(headers['x-way'], 'test');
  assert.deepEqual(seen, [`http://localhost:${port}/token?a=b`, true]);
});

const bearer = { headers: { 'WWW-Authenticate': 'Bearer' } };

for (const [what, source, status, headers] of [
  ['nobody', () => null, 401, {}],
  [
    'a refusal of the source',
    () => Response.json({}, { status: 403, ...bearer }),
    403,
    { 'www-authenticate': 'Bearer' },
  ],
  [
    'what is out of reach',
    () => Promise.reject(new IdentityUnavailable('x', { retryAfterSeconds: 3 })),
    503,
    { 'retry-after': '3' },
  ],
  ['a failing source', () => Promise.reject(new Error('database at 10.0.0.1')), 500, {}],
  ['an impossible identity', () => 'a'.repeat(257), 500, {}],
  ['an empty identity', () => '', 500, {}],
] as const) {
  test(`[TOK28] ${what} is answered with ${status} in JSON, and undefined is returned`, async (t) => {
    const told: unknown[] = [];
    const port = await backend(t, source, { onError: (error) => told.push(error) });
    const answer = await ask(port, '/token');
    assert.equal(answer.status, status);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.match(String(answer.headers['content-type']), /^application\/json/);
    assert.equal(answer.headers.location, undefined);
    assert.equal(answer.headers.vary, 'Accept-Encoding, Cookie, Authorization');
    assert.deepEqual(answer.headers['set-cookie'], ['session=1']);
    for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value);
    assert.equal(answer.body.token, undefined);
    assert.doesNotMatch(JSON.stringify(answer.body), /10\.0\.0\.1/);
    assert.equal(told.length, status >= 500 ? 1 : 0);
  });
}

test('[TOK28] [TOK27] too many requests are 429 with Retry-After', async (t) => {
  const limits = tokenLimits({ perAddress: { perMinute: 2, burst: 2 } });
  const port = await backend(t, () => 'alice', { limits });
  const statuses = [await ask(port, '/token'), await ask(port, '/token'), await ask(port, '/token')];
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.match(String(statuses[2]?.headers['retry-after']), /^[1-9]\d?$/);
});

test('[TOK28] [TOK27] Express behind a proxy that it trusts: the client counts, not the proxy', async (t) => {
  const app = express().set('trust proxy', 1);
  const limits = tokenLimits({ perAddress: { perMinute: 1, burst: 1 } });
  app.get(
    '/token',
    route(() => 'alice', { limits }),
  );
  const port = await listening(t, app);
  const statusFor = async (forwarded: string) => (await ask(port, '/token', { 'X-Forwarded-For': forwarded })).status;
  assert.equal(await statusFor('203.0.113.7'), 200);
  assert.equal(await statusFor('203.0.113.8'), 200);
  assert.equal(await statusFor('198.51.100.1, 203.0.113.7'), 429);
});

test('[TOK28] [TOK19] pages of other sites are refused before anybody is asked', async (t) => {
  const port = await backend(t, () => assert.fail('asked'));
  const answer = await ask(port, '/token', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
});

for (const [options, message] of [
  [{ cors: { origins: [] } }, /identify has no option 'cors'/],
  [{ limits: { perSession: 5 } }, /limits must be what tokenLimits/],
] as const) {
  test(`[TOK28] [TOK5] ${JSON.stringify(options)} is a TypeError`, async () => {
    await assert.rejects(Reflect.apply(identify, undefined, [() => 'a', {}, {}, options]), {
      name: 'TypeError',
      message,
    });
  });
}
