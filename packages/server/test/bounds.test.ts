/** The bounds of the listener as options of the whole server: each is told in the way that SPEC.md says. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { loadConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import type { Server } from '../src/server.ts';
import { clientFrame, serverFrame, statusOf } from './frame-client.ts';
import { open, refusal } from './socket-harness.ts';

const credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};

test('[BND4] [OPS1] when no more connections are taken, health is answered all the same', async (t) => {
  const { server } = await start(t, ['--max-connections', '2']);
  await open(t, server.socketUrl);
  await open(t, server.socketUrl);
  assert.equal((await refusal(server.socketUrl)).status, 503);
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
});

test('[BND5] [CON14] [CON15] limits count by the client behind trusted proxies', async (t) => {
  const flags = ['--max-connections-per-address', '1', '--trusted-proxies', '127.0.0.1'];
  const { server } = await start(t, flags);
  const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });
  await open(t, server.socketUrl, from('2001:db8::1'));
  assert.equal((await refusal(server.socketUrl, from('2001:db8::2'))).status, 429);
  await open(t, server.socketUrl, from('192.0.2.2'));
});

test('[BND6] an init that came too fast is told when to come back', async (t) => {
  const { server } = await start(t, ['--connection-rate', '1']);
  const answers: (number | undefined)[] = [];
  for (let i = 0; i < 12; i++) {
    const socket = await open(t, server.socketUrl);
    socket.send(clientFrame('TM1', 'init', { token: 'x' }));
    const [bytes] = (await once(socket, 'message')) as [Buffer];
    const frame = serverFrame(bytes);
    answers.push(statusOf(frame).errorCode);
    if (statusOf(frame).errorCode !== 51202) continue;
    const { backoff_policy: backoff } = frame.payload as { backoff_policy: { reconnect_min_ms: number } };
    assert.ok(backoff.reconnect_min_ms >= 1000 && backoff.reconnect_min_ms < 5000, JSON.stringify(backoff));
    assert.equal((await once(socket, 'close'))[0], 1013);
  }
  assert.deepEqual([answers[0], answers.at(-1)], [20101, 51202]);
});

test('[BND11] a flood of pings or pongs is dropped, one of frames with nothing in them closed with 1008', async (t) => {
  const { server, lines } = await start(t, []);
  for (const kind of ['ping', 'pong'] as const) {
    const socket = await open(t, server.socketUrl);
    for (let i = 0; i < 100; i++) socket[kind]();
    assert.equal((await once(socket, 'close'))[0], 1006, kind);
  }
  assert.ok(lines.some((line) => line.includes('too many control frames')));
  const socket = await open(t, server.socketUrl);
  for (let i = 0; i < 100; i++) socket.send('');
  assert.equal((await once(socket, 'close'))[0], 1008);
});

test('[BND14] [BND13] [BND12] frames, headers, addresses and time are bounded as the options say', async (t) => {
  const flags = ['--max-frame-bytes', '4096', '--max-header-bytes', '2048', '--max-url-bytes', '100'];
  const { server } = await start(t, [...flags, '--request-timeout-ms', '200']);
  const socket = await open(t, server.socketUrl);
  socket.send(Buffer.alloc(4097));
  assert.equal((await once(socket, 'close'))[0], 1009);
  const status = async (request: string): Promise<string> => {
    const client = connect(server.port, '127.0.0.1');
    client.write(request);
    return Buffer.concat(await client.toArray())
      .toString()
      .slice(0, 12);
  };
  const end = ' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
  assert.equal(await status(`GET /health/live${end}X: ${'x'.repeat(2048)}\r\n\r\n`), 'HTTP/1.1 431');
  assert.equal(await status(`GET /health/live?${'x'.repeat(100)}${end}\r\n`), 'HTTP/1.1 414');
  assert.equal(await status(`GET /v3/wsconnect${end}Upgrade: websocket\r\n`), 'HTTP/1.1 408');
});

test('[CON16] allowed origins are an option', async (t) => {
  const { server } = await start(t, ['--allowed-origins', 'https://app.example.org']);
  await open(t, server.socketUrl, { Origin: 'https://app.example.org' });
  assert.equal((await refusal(server.socketUrl, { Origin: 'https://evil.example.org' })).status, 403);
});

async function start(t: TestContext, flags: readonly string[]): Promise<{ server: Server; lines: readonly string[] }> {
  const config = loadConfig({ argv: ['--store', 'memory', '--port', '0', '--drain-ms', '0', ...flags], env: {} });
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => void lines.push(message);
  const server = await createServer(
    { ...config, credentials },
    { log: { debug: note, info: note, warn: note, error: note } },
  );
  t.after(() => server.stop());
  return { server, lines };
}
