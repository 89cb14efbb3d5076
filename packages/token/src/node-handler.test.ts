import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import express from 'express';
import { account, key, secret, service, world } from '../test/forge.ts';
import { ask, listening } from '../test/node-server.ts';
import { anonymousVisitor } from './anonymous-visitor.ts';
import { tokenEndpoint } from './endpoint.ts';
import type { TokenEndpointOptions } from './endpoint.ts';
import { toNodeHandler } from './node-handler.ts';
import { verifyAccessToken } from './verify.ts';

function handlerOf(options: Partial<TokenEndpointOptions>) {
  const settings = { accountSid: account, keySid: key, secret, serviceSid: service, now: world.now };
  return toNodeHandler(tokenEndpoint({ ...settings, identity: () => 'alice', ...options }));
}

test('[TOK23] node:http: the same answers as from the function', async (t) => {
  const handler = handlerOf({ identity: anonymousVisitor({ secret, now: world.now }) });
  const port = await listening(t, (req, res) => void handler(req, res));
  const first = await ask(port, '/token?device=phone');
  assert.equal(first.status, 200);
  assert.equal(first.headers['cache-control'], 'no-store');
  assert.equal(first.headers['content-type'], 'application/json');
  const verified = verifyAccessToken(first.body.token, world);
  assert.equal(verified.identity, first.body.identity);
  assert.equal(verified.endpoint, `app:${verified.identity}:phone`);
  const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  assert.equal((await ask(port, '/token', { cookie })).body.identity, first.body.identity);
  assert.equal((await ask(port, '/token', {}, 'POST')).headers.allow, 'GET');
  assert.equal((await ask(port, '/token', {}, 'POST')).status, 405);
  assert.equal((await ask(port, '/token', { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
});

test('[TOK23] Express: a route below a router, the session of Express, cookies and Vary of other middleware kept', async (t) => {
  const app = express();
  const sessions = new WeakMap<object, string>();
  app.use((req, res, next) => {
    sessions.set(req, 'user-7');
    res.append('Set-Cookie', 'session=1').vary('Accept-Encoding');
    next();
  });
  const seen: string[] = [];
  const handler = handlerOf({
    identity: (request, { native, headers }) => {
      seen.push(request.url);
      headers.append('Set-Cookie', 'b=2');
      return sessions.get(Object(native));
    },
  });
  app.use('/api', express.Router().get('/token', handler));
  const port = await listening(t, app);
  const answer = await ask(port, '/api/token?device=phone');
  assert.equal(answer.status, 200);
  assert.equal(answer.body.identity, 'user-7');
  assert.deepEqual(answer.headers['set-cookie'], ['session=1', 'b=2']);
  assert.equal(answer.headers.vary, 'Accept-Encoding, Cookie, Authorization');
  assert.equal(answer.headers.etag, undefined);
  assert.deepEqual(seen, [`http://localhost:${port}/api/token?device=phone`]);
});

test('[TOK23] Express behind a proxy that it trusts: the cookie is Secure', async (t) => {
  const app = express().set('trust proxy', true);
  app.get('/token', handlerOf({ identity: anonymousVisitor({ secret, now: world.now }) }));
  const port = await listening(t, app);
  const secureOf = async (proto: string) =>
    /; Secure/.test((await ask(port, '/token', { 'X-Forwarded-Proto': proto })).headers['set-cookie']?.[0] ?? '');
  assert.equal(await secureOf('https'), true);
  assert.equal(await secureOf('http'), false);
});

test('[TOK23] Express with the official library: identify alone, as an app does that mints itself', async (t) => {
  const visitor = anonymousVisitor({ secret, now: world.now });
  const app = express().get('/token', (request, response) => {
    const { identity, setCookie } = visitor.identify(request.headers.cookie, { secure: request.secure });
    if (setCookie) response.append('Set-Cookie', setCookie);
    response.json({ identity });
  });
  const port = await listening(t, app);
  const first = await ask(port, '/token');
  const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const again = await ask(port, '/token', { cookie });
  assert.equal(again.body.identity, first.body.identity);
  assert.equal(again.headers['set-cookie'], undefined);
});

/** The status line for a request that no client would send. */
async function rawStatus(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const answers: unknown[] = await once(socket, 'data');
  socket.destroy();
  return String(answers[0]).split('\r\n')[0] ?? '';
}

test('[TOK23] strange request lines and hosts are answered, and never mistaken for another path', async (t) => {
  const seen: string[] = [];
  const handler = handlerOf({
    identity: (request) => {
      seen.push(request.url);
      return null;
    },
  });
  const port = await listening(t, (req, res) => void handler(req, res));
  const line = (target: string, host: string, method = 'GET') =>
    rawStatus(port, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await line('http://evil.example/token', 'a'), /400/);
  assert.match(await line('*', 'a', 'OPTIONS'), /400/);
  assert.match(await line('/token', 'a', 'TRACE'), /400/);
  assert.match(await line('//evil.example/token', 'app.example'), /401/);
  assert.match(await line('/token?device=a', 'x/?device=b&y='), /401/);
  assert.match(await line('/token', 'user:pass@app.example'), /401/);
  assert.match(await line('/token', ''), /401/);
  assert.deepEqual(seen, [
    'http://app.example//evil.example/token',
    'http://x/token?device=a',
    'http://user/token',
    'http://localhost/token',
  ]);
});

test('[TOK23] of several Authorization headers none is hidden from the identity function', async (t) => {
  const seen: unknown[] = [];
  const handler = handlerOf({
    identity: (request) => {
      seen.push(request.headers.get('authorization'));
      return null;
    },
  });
  const port = await listening(t, (req, res) => void handler(req, res));
  await ask(port, '/token', { authorization: 'Bearer a' });
  const several = 'Authorization: Bearer a\r\nAUTHORIZATION: Bearer b\r\nConnection: close';
  assert.match(await rawStatus(port, `GET /token HTTP/1.1\r\nHost: a\r\n${several}\r\n\r\n`), /401/);
  assert.deepEqual(seen, ['Bearer a', 'Bearer a, Bearer b']);
});
