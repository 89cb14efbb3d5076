/** The service behind Debian's nginx, with the files beside this one as they are shipped. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { loadConfig } from '@tallystick/server';
import { becomes, connectedClient, holds } from '../conformance/harness/clients.ts';
import { credentials } from '../conformance/harness/credentials.ts';
import { nextEvent, until } from '../conformance/harness/deadline.ts';
import { RawConnection } from '../conformance/harness/raw-connection.ts';
import { startService } from '../conformance/harness/service.ts';
import { startServiceProcess } from '../conformance/harness/service-process.ts';
import { hearEachOther, shareDocument } from '../conformance/harness/shared-document.ts';
import { Writer } from '../conformance/harness/writer.ts';
import { missing, startNginx } from './test/nginx-process.ts';
import { ask, askForSocket } from './test/plain-request.ts';

/** As README.md tells. */
const trusting = { TRUSTED_PROXIES: '127.0.0.1' };

/** In place of the service, for what never gets to it. Keeps the requests that came through. */
async function startUpstream(t: TestContext): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.end('upstream');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

test('[OPS10] [CON5] nginx waits longer than the two pings that a live connection may miss', () => {
  const { pingIntervalMs } = loadConfig({ argv: [], env: {} });
  const site = readFileSync(new URL('nginx.conf', import.meta.url), 'utf8');
  for (const name of ['proxy_read_timeout', 'proxy_send_timeout', 'send_timeout']) {
    const seconds = new RegExp(`^ *${name} (\\d+)s;$`, 'm').exec(site)?.[1];
    assert.ok(Number(seconds) * 1000 > 2 * pingIntervalMs, name);
  }
});

suite('behind nginx', { concurrency: true, skip: missing !== undefined && `there is no ${missing}` }, () => {
  test('[OPS10] a document is shared through nginx, over TLS', async (t) => {
    const { port } = await startService(trusting);
    const { socketUrl } = await startNginx(t, port);
    const { mine, theirs } = await shareDocument(t, socketUrl);
    const long = 'x'.repeat(16_000);
    await mine.set({ long });
    await holds(theirs, 'all of it', (data) => data['long'] === long);
  });

  test('[OPS10] [OPS1] health is there for the outside', async (t) => {
    const { port } = await startService(trusting);
    const { origin } = await startNginx(t, port);
    for (const [path, word] of [
      ['/health/live', 'live'],
      ['/health/ready', 'ready'],
    ] as const) {
      const { status, body } = await ask(t, origin, { path });
      assert.deepEqual([status, JSON.parse(body)], [200, { status: word }]);
    }
  });

  test('[OPS10] nothing but the socket and health gets through, by no detour', async (t) => {
    const { port, requests } = await startUpstream(t);
    const { origin } = await startNginx(t, port);
    const inside = [
      '/',
      '/metrics',
      '/metrics?',
      '/health/metrics',
      '/admin/v1/keys',
      '//admin/v1/keys',
      '/%61dmin/v1/keys',
      '/ADMIN/v1/keys',
      '/health/../admin/v1/keys',
      '/health/live/../../metrics',
      '/v3/wsconnect/../../metrics',
      '/v3/wsconnect/',
      '/v3/wsconnect%2f..%2f..%2fmetrics',
    ];
    for (const path of inside) {
      const { status } = await ask(t, origin, { path });
      assert.equal(status, 404, path);
    }
    assert.deepEqual(requests, []);
    // nginx takes them for health, the service would take some of them for a key's address.
    const detours = ['/admin/v1/keys/..%2f..%2f..%2fhealth%2flive', '/metrics/../health/live', '/health/%6cive'];
    for (const path of detours) await ask(t, origin, { path });
    await ask(t, origin, { path: '/v3/wsconnect?a=%2f' });
    const passed = requests.map(({ url }) => url);
    assert.deepEqual(passed, ['/health/live', '/health/live', '/health/live', '/v3/wsconnect?a=%2f']);
  });

  test('[OPS10] [RST3] the REST API, once opened, is there for its back ends, with names as they were sent', async (t) => {
    const { port } = await startService(trusting);
    const { origin } = await startNginx(t, port, { backEnd: '127.0.0.2' });
    const pair = btoa(`${credentials.apiKey}:${credentials.apiSecret}`);
    const asking = { headers: { Authorization: `Basic ${pair}` }, from: '127.0.0.2' };
    const { status, body } = await ask(t, origin, { path: '/v1/Services/default', ...asking });
    assert.deepEqual([status, JSON.parse(body).unique_name], [200, 'default']);
    const odd = await ask(t, origin, { path: '/v1/Services/default/Documents/a%2F%41+b', ...asking });
    const told = JSON.parse(odd.body);
    assert.equal(told.message, 'The requested resource /Services/default/Documents/a%2F%41+b was not found');
    assert.equal((await ask(t, origin, { path: '/v1/Services/default', from: '127.0.0.2' })).status, 401);
    assert.equal((await ask(t, origin, { path: '/v1/Services/default', ...asking, from: '127.0.0.3' })).status, 403);
    assert.equal((await ask(t, origin, { path: '/errors/20404', from: '127.0.0.3' })).status, 200);
  });

  test('[OPS10] the REST API, once opened, opens nothing else', async (t) => {
    const { port, requests } = await startUpstream(t);
    const { origin } = await startNginx(t, port, { backEnd: '127.0.0.2' });
    for (const path of [
      '/admin/v1/keys',
      '/v1/../admin/v1/keys',
      '/v1/..%2fadmin/v1/keys',
      '/v1/%2e%2e/metrics',
      '/admin/v1/keys/..%2f..%2f..%2fv1%2fServices',
      '/admin/v1/keys/../../../v1/Services',
      '/metrics/%2e%2e/v1/Services',
      '//v1/Services',
      '/%761/Services',
      '/v1',
      '/errors/',
      '/errors/x',
    ]) {
      const { status } = await ask(t, origin, { path, from: '127.0.0.2' });
      assert.equal(status, 404, path);
    }
    assert.deepEqual(requests, []);
    await ask(t, origin, { path: '/admin/..%2ferrors%2f20404', from: '127.0.0.2' });
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/errors/20404'],
    );
  });

  test('[OPS10] what the service is told of the client was written by nginx', async (t) => {
    const { port, requests } = await startUpstream(t);
    const { origin } = await startNginx(t, port);
    const headers = { 'X-Forwarded-For': ['203.0.113.7', '127.0.0.1'], 'X-Forwarded-Proto': 'gopher' };
    await ask(t, origin, { path: '/health/live', headers, from: '127.0.0.2' });
    await ask(t, origin, { path: '/health/live', headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
    const [first, second] = requests;
    assert.deepEqual(first?.headersDistinct['x-forwarded-for'], ['127.0.0.2']);
    assert.deepEqual(first.headersDistinct['x-forwarded-proto'], ['https']);
    // Only WebSocket is handed on as a change of protocol, and the connection is used again.
    assert.equal(second?.headers.connection, undefined);
    assert.equal(second?.socket, first.socket);
  });

  test('[OPS10] a proxy before nginx names the client, and nobody else does', async (t) => {
    const { port, requests } = await startUpstream(t);
    const { origin } = await startNginx(t, port, { outerProxy: '127.0.0.2' });
    const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.7' };
    await ask(t, origin, { path: '/health/live', headers, from: '127.0.0.2' });
    await ask(t, origin, { path: '/health/live', headers, from: '127.0.0.3' });
    const twice = { 'X-Forwarded-For': '203.0.113.7, 127.0.0.2' };
    await ask(t, origin, { path: '/health/live', headers: twice, from: '127.0.0.2' });
    const told = requests.map((request) => request.headers['x-forwarded-for']);
    assert.deepEqual(told, ['203.0.113.7', '127.0.0.3', '203.0.113.7']);
  });

  test('[OPS10] [BND5] [CON14] the address that counts is the true one, whatever the client writes', async (t) => {
    const { port } = await startService({ ...trusting, MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const { origin } = await startNginx(t, port);
    const from = '127.0.0.2';
    for (let i = 0; i < 2; i++) assert.equal((await askForSocket(t, origin, { from })).status, 101);
    for (const forged of ['203.0.113.7', '127.0.0.1', '203.0.113.7, 127.0.0.1', 'nobody', '']) {
      const headers = { 'X-Forwarded-For': forged };
      const { status, headers: answer } = await askForSocket(t, origin, { from, headers });
      assert.deepEqual([status, answer['retry-after']], [429, '10'], forged);
    }
    const headers = { 'X-Forwarded-For': from };
    assert.equal((await askForSocket(t, origin, { from: '127.0.0.3', headers })).status, 101);
    // The proxy itself is believed: to the service the two above are those of 127.0.0.2.
    assert.equal((await askForSocket(t, `http://127.0.0.1:${port}`, { headers })).status, 429);
  });

  test('[OPS10] [BND5] [CON14] without trusted proxies all clients are the proxy, whatever is written', async (t) => {
    const { port } = await startService({ MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const { origin } = await startNginx(t, port);
    assert.equal((await askForSocket(t, origin, { from: '127.0.0.2' })).status, 101);
    assert.equal((await askForSocket(t, origin, { from: '127.0.0.3' })).status, 101);
    const headers = { 'X-Forwarded-For': '203.0.113.7' };
    assert.equal((await askForSocket(t, origin, { from: '127.0.0.4', headers })).status, 429);
  });

  test('[OPS10] [BND4] a refusal for want of room keeps its code and Retry-After', async (t) => {
    const { port } = await startService({ ...trusting, MAX_CONNECTIONS: '1' });
    const { origin } = await startNginx(t, port);
    assert.equal((await askForSocket(t, origin, {})).status, 101);
    const { status, headers, body } = await askForSocket(t, origin, {});
    assert.deepEqual([status, headers['retry-after']], [503, '10']);
    assert.equal((JSON.parse(body) as { code: number }).code, 20503);
  });

  test('[OPS10] [CON6] [SUB7] a restart of the service: 1012, clients come back, no acknowledged write is lost', async (t) => {
    const service = await startServiceProcess(trusting);
    const nginx = await startNginx(t, service.port);
    const { ann, ben, mine, theirs } = await shareDocument(t, nginx.socketUrl, { n: 0 });
    const fatal: unknown[] = [];
    for (const client of [ann, ben]) {
      client.on('connectionError', (error) => {
        if (error.terminal) fatal.push(error);
      });
    }
    const raw = new RawConnection(t, nginx.socketUrl);
    await raw.init('cem');
    const writer = new Writer(mine);
    const writes = async (): Promise<void> => {
      const target = writer.acknowledged + 5;
      await until('the writer writes', () => writer.acknowledged >= target, 20_000);
    };
    await writes();
    await service.end('SIGTERM');
    assert.equal(await raw.closed(), 1012);
    // Whoever asks meanwhile is told so by nginx.
    assert.equal((await ask(t, nginx.origin, { path: '/health/live' })).status, 502);
    await service.start();
    await writes();
    await writer.stop();
    const again = new RawConnection(t, nginx.socketUrl);
    await again.init('cem');
    const { body } = await again.request('GET', `/v3/Documents/${mine.sid}`);
    assert.deepEqual(body['data'], { n: writer.acknowledged });
    await holds(theirs, 'what is stored', ({ n }) => n === writer.acknowledged);
    assert.deepEqual(fatal, []);
  });

  test('[OPS10] a reload of nginx keeps connections, and its old worker ends with the last of them', async (t) => {
    const service = await startService(trusting);
    const nginx = await startNginx(t, service.port);
    const raw = new RawConnection(t, nginx.socketUrl);
    await raw.init('ann');
    await nginx.reload();
    const { status } = await raw.request('POST', '/v3/Documents', '{}');
    assert.equal(status, 201);
    const ben = await connectedClient(t, nginx.socketUrl, 'ben');
    await ben.document();
    assert.doesNotMatch(nginx.log(), /exited with code/);
    await raw.sendFrame({ method: 'close', id: 'the end' });
    await until('the old worker ends', () => /worker process \d+ exited with code 0/.test(nginx.log()));
  });

  test('[OPS10] [SUB7] clients that an old worker may keep no longer come back to the new one', async (t) => {
    const service = await startService(trusting);
    const nginx = await startNginx(t, service.port, { shutdownTimeout: '10ms' });
    const { ann, ben, mine, theirs } = await shareDocument(t, nginx.socketUrl);
    const lost = [ann, ben].map((client) =>
      nextEvent(client, 'connectionStateChanged', (state: string) => state !== 'connected'),
    );
    await nginx.reload();
    await Promise.all(lost);
    await Promise.all([ann, ben].map((client) => becomes(client, 'connected')));
    await hearEachOther(mine, theirs);
  });
});
