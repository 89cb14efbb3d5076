import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { TimerClock } from '../../test/timer-clock.ts';
import { createHttp } from './http.ts';
import type { HttpOptions } from './http.ts';

const ready = { isReady: () => true };

function httpOf(health: { isReady(): boolean }, given: Partial<HttpOptions> = {}): FastifyInstance {
  return createHttp(health, {
    requestTimeoutMs: Infinity,
    maxHeaderBytes: Infinity,
    maxUrlBytes: Infinity,
    trusts: () => false,
    tls: undefined,
    clock: new TimerClock(),
    onConnection: () => {},
    ...given,
  });
}

test('[OPS1] live answers while the process runs, ready only while writes are taken', async () => {
  let isReady = false;
  const http = httpOf({ isReady: () => isReady });
  const status = async (url: string): Promise<number> => (await http.inject({ method: 'GET', url })).statusCode;
  assert.deepEqual([await status('/health/live'), await status('/health/ready')], [200, 503]);
  isReady = true;
  assert.deepEqual([await status('/health/live'), await status('/health/ready')], [200, 200]);
  await http.close();
});

test('[OPS1] what there is not is a coded 404 without a word about the request', async () => {
  const http = httpOf(ready);
  for (const [method, url] of [
    ['GET', '/'],
    ['POST', '/health/live'],
    ['GET', '/HEALTH/live'],
    ['GET', '/v3/wsconnect?token=abc'],
    ['GET', '/health%2Flive'],
  ] as const) {
    const answer = await http.inject({ method, url });
    assert.equal(answer.statusCode, 404, url);
    assert.deepEqual(answer.json(), { code: 20404, message: 'No such resource', status: 404 });
  }
  await http.close();
});

test('[OPS1] a fault inside is a coded 500 that tells nothing of it', async () => {
  const http = httpOf({
    isReady() {
      throw new Error('the secret reason');
    },
  });
  const answer = await http.inject({ method: 'GET', url: '/health/ready' });
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json<{ code: number }>().code, 20500);
  assert.ok(!answer.body.includes('secret'));
  await http.close();
});

test('[CON17] what is wrong with a request is a coded 4xx that repeats nothing of it', async () => {
  const http = httpOf(ready);
  const json = { 'content-type': 'application/json' };
  for (const [status, code, request] of [
    [400, 20001, { method: 'GET', url: '/%zz-secret' }],
    [400, 20001, { method: 'GET', url: '/health/live%80secret' }],
    [400, 20001, { method: 'POST', url: '/x', headers: json, payload: '{"secret":' }],
    [400, 20001, { method: 'POST', url: '/x', headers: json, payload: '{"__proto__":{"secret":1}}' }],
    [400, 20001, { method: 'POST', url: '/x', headers: { 'content-type': 'secret' }, payload: 'secret' }],
    [413, 20413, { method: 'POST', url: '/x', headers: json, payload: `"${'secret'.repeat(200_000)}"` }],
  ] as const) {
    const answer = await http.inject(request);
    assert.deepEqual([answer.statusCode, answer.json<{ code: number }>().code], [status, code], request.url);
    assert.ok(!answer.body.includes('secret'));
  }
  await http.close();
});

suite('[BND12] [BND13] requests that do not come as they should', () => {
  test('[BND12] a request that does not arrive in time is answered 408, and the connection closed', async (t) => {
    const port = await listen(t, { requestTimeoutMs: 100 });
    for (const start of ['', 'GET', 'GET /health/live HTTP/1.1\r\nHost: x\r\n']) {
      const socket = await opened(t, port);
      socket.write(start);
      assert.deepEqual(await answer(socket), { status: 408, code: 20408 }, start);
    }
  });

  test('[BND12] neither does a trickle of bytes hold it open, nor a body that never ends', async (t) => {
    const port = await listen(t, { requestTimeoutMs: 200 });
    const body = 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';
    for (const start of ['GET /health/live HTTP/1.1\r\n', body]) {
      const socket = await opened(t, port);
      socket.write(start);
      const trickle = setInterval(() => socket.write('x'), 20);
      t.after(() => clearInterval(trickle));
      assert.equal((await answer(socket)).status, 408, start);
      clearInterval(trickle);
    }
  });

  test('[BND12] 0 in the options is no limit, as is an upgrade that comes slowly but in time', async (t) => {
    const port = await listen(t, { requestTimeoutMs: Infinity });
    const socket = await opened(t, port);
    socket.write('GET /health/live HTTP/1.1\r\nHo');
    socket.write('st: x\r\nConnection: close\r\n\r\n');
    assert.equal((await answer(socket)).status, 200);
  });

  test('[BND13] headers that are too large are answered 431, those at the limit are read', async (t) => {
    const port = await listen(t, { maxHeaderBytes: 1024 });
    const status = async (size: number): Promise<number> => {
      const socket = await opened(t, port);
      socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'x'.repeat(size)}\r\n\r\n`);
      const { status, code } = await answer(socket);
      if (status === 431) assert.equal(code, 20431);
      return status;
    };
    assert.deepEqual([await status(900), await status(1024), await status(500_000)], [200, 431, 431]);
  });

  test('[BND13] without a limit headers may be large', async (t) => {
    const port = await listen(t, {});
    const socket = await opened(t, port);
    socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`);
    assert.equal((await answer(socket)).status, 200);
  });

  test('[BND13] an address that is too long is answered 414, on every route', async (t) => {
    const port = await listen(t, { maxUrlBytes: 100 });
    const status = async (url: string): Promise<object> => {
      const socket = await opened(t, port);
      socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      return await answer(socket);
    };
    const fill = (url: string, size: number): string => url.padEnd(size, 'x');
    assert.equal(((await status(fill('/health/live?', 100))) as { status: number }).status, 200);
    assert.deepEqual(await status(fill('/health/live?', 101)), { status: 414, code: 20414 });
    assert.deepEqual(await status(fill('/nowhere', 101)), { status: 414, code: 20414 });
  });

  test('[CON17] a path is taken as it is written: no detour leads anywhere', async (t) => {
    const port = await listen(t, {});
    for (const path of [
      '/health/../health/live',
      '//health/live',
      '/health//live',
      '/./health/live',
      '*',
      'health/live',
    ]) {
      const socket = await opened(t, port);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const { status } = await answer(socket);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
  });

  test('[CON17] what is no HTTP is answered 400 once, whatever follows it', async (t) => {
    const port = await listen(t, {});
    for (const bytes of [
      '\r\nhello\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      'GET / HTTP/9.9\r\n\r\n',
      'x'.repeat(300_000),
    ]) {
      const socket = await opened(t, port);
      socket.write(bytes, 'latin1');
      assert.deepEqual(await answer(socket), { status: 400, code: 20001 }, bytes.slice(0, 10));
    }
  });
});

test('[CON14] the address of the client comes through trusted proxies only', async () => {
  const http = httpOf(ready, { trusts: (address) => address === '127.0.0.1' });
  http.get('/ip', (request) => ({ ip: request.ip }));
  const ip = async (remoteAddress: string): Promise<unknown> => {
    const headers = { 'x-forwarded-for': '192.0.2.66, 192.0.2.1' };
    return (await http.inject({ url: '/ip', remoteAddress, headers })).json<{ ip: string }>().ip;
  };
  assert.deepEqual([await ip('127.0.0.1'), await ip('192.0.2.9')], ['192.0.2.1', '192.0.2.9']);
  await http.close();
});

/** Returns the port. */
async function listen(t: TestContext, options: Partial<HttpOptions>): Promise<number> {
  const http = httpOf(ready, options);
  await http.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => http.close());
  return (http.server.address() as AddressInfo).port;
}

async function opened(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** What comes until the server ends the connection: exactly one answer. */
async function answer(socket: Socket): Promise<{ status: number; code: number | undefined }> {
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  const answers = [...text.matchAll(/^HTTP\/1\.1 (\d+) /gm)];
  assert.equal(answers.length, 1, text);
  const { code } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { code?: number };
  return { status: Number(answers[0]![1]), code };
}
