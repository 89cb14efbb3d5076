/** The whole server under TLS, as browsers and apps meet it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import type { SecureVersion } from 'node:tls';
import { WebSocket } from 'ws';
import { loadConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import type { Server } from '../src/server.ts';
import { StartError } from '../src/start-error.ts';
import type { KeyFiles } from '../src/transport/tls.ts';
import { makeCertificate } from './certificates.ts';
import { clientFrame, serverFrame, statusOf } from './frame-client.ts';
import { TimerClock } from './timer-clock.ts';

const credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};

test('[OPS4] with certificate and key the server speaks https and wss, and says so', async (t) => {
  const { server, ca } = await start(t);
  assert.deepEqual(
    [server.url, server.socketUrl],
    [`https://127.0.0.1:${server.port}`, `wss://127.0.0.1:${server.port}/v3/wsconnect`],
  );
  const asked = request(`${server.url}/health/ready`, { ca, agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  answer.resume();

  const socket = await open(t, server, ca);
  socket.send(clientFrame('TM1', 'init', { token: 'x' }));
  const [reply] = (await once(socket, 'message')) as [Buffer];
  assert.equal(statusOf(serverFrame(reply)).errorCode, 20101);
});

test('[OPS4] nothing older than TLS 1.2 is spoken, and nothing without TLS', async (t) => {
  const { server, ca } = await start(t);
  const version = async (maxVersion: SecureVersion): Promise<string | null> => {
    const options = { port: server.port, host: '127.0.0.1', ca, minVersion: 'TLSv1', maxVersion } as const;
    const socket = connect({ ...options, ciphers: 'ALL:@SECLEVEL=0' });
    t.after(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket.getProtocol();
  };
  assert.equal(await version('TLSv1.3'), 'TLSv1.3');
  assert.equal(await version('TLSv1.2'), 'TLSv1.2');
  await assert.rejects(version('TLSv1.1'));

  const plain = connectPlain(server.port, '127.0.0.1');
  plain.on('error', () => {});
  let text = '';
  plain.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  plain.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => plain.once('close', resolve));
  assert.ok(!text.includes('live'));
});

test('[OPS5] a changed certificate is used for new connections; those that stand go on', async (t) => {
  const { server, ca, directory, files, clock } = await start(t);
  const before = await open(t, server, ca);
  const other = makeCertificate(directory, 'other');
  copyFileSync(other.cert, files.cert);
  copyFileSync(other.key, files.key);
  const changed = Promise.withResolvers<void>();
  t.after(() => changed.resolve());
  const { lines } = clock;
  lines.onInfo = (message) => {
    if (message.includes('certificate')) changed.resolve();
  };
  clock.time.advance(10_000);
  await changed.promise;

  await assert.rejects(open(t, server, ca), /certificate/);
  await open(t, server, readFileSync(other.cert));
  before.send(clientFrame('TM1', 'init', { token: 'x' }));
  const [reply] = (await once(before, 'message')) as [Buffer];
  assert.equal(statusOf(serverFrame(reply)).code, 401);
});

test('[OPS4] files that cannot be used are one line at the start', async (t) => {
  const directory = directoryOf(t);
  const files = makeCertificate(directory, 'a');
  for (const [cert, key] of [
    [join(directory, 'none'), files.key],
    [files.cert, makeCertificate(directory, 'b').key],
  ] as const) {
    await assert.rejects(create({ cert, key }, new TimerClock()), (error: Error) => {
      assert.ok(error instanceof StartError && !error.message.includes('\n'), error.message);
      return true;
    });
  }
});

test('[BND12] [OPS4] a handshake that is not finished in time is dropped', async (t) => {
  const { server } = await start(t, ['--request-timeout-ms', '100']);
  const socket = connectPlain(server.port, '127.0.0.1');
  socket.resume();
  socket.write('\x16\x03\x01');
  await once(socket, 'close');
});

test('[BND4] [OPS4] connections under TLS are counted once, and forgotten at their end', async (t) => {
  const { server, ca } = await start(t, ['--max-connections', '2']);
  const first = await open(t, server, ca);
  await open(t, server, ca);
  await assert.rejects(open(t, server, ca), /503/);
  first.close();
  await once(first, 'close');
  let isIn = false;
  // The end is seen by the server a moment later than by the client.
  for (let i = 0; i < 100 && !isIn; i++)
    isIn = await open(t, server, ca).then(
      () => true,
      () => false,
    );
  assert.ok(isIn);
});

interface Started {
  readonly server: Server;
  readonly ca: Buffer;
  readonly directory: string;
  readonly files: KeyFiles;
  readonly clock: { readonly time: TimerClock; readonly lines: { onInfo: (message: string) => void } };
}

async function start(t: TestContext, flags: readonly string[] = []): Promise<Started> {
  const directory = directoryOf(t);
  const files = makeCertificate(directory, 'a');
  const time = new TimerClock();
  const lines = { onInfo(_message: string) {} };
  const server = await create(files, time, flags, lines);
  t.after(async () => {
    const stopped = server.stop();
    time.advance(60_000);
    await stopped;
  });
  return { server, ca: readFileSync(files.cert), directory, files, clock: { time, lines } };
}

function create(
  { cert, key }: KeyFiles,
  time: TimerClock,
  flags: readonly string[] = [],
  lines = { onInfo(_message: string) {} },
): Promise<Server> {
  const argv = ['--store', 'memory', '--port', '0', '--tls-cert', cert, '--tls-key', key, ...flags];
  const log = { debug() {}, info: (_: object, message: string) => lines.onInfo(message), warn() {}, error() {} };
  const clock = {
    now: Date.now,
    ticks: Date.now,
    after: time.after,
    soon: (callback: () => void) => void setImmediate(callback),
  };
  return createServer({ ...loadConfig({ argv, env: {} }), credentials }, { clock, log });
}

/** Rejects when the connection is refused. */
async function open(t: TestContext, server: Server, ca: Buffer): Promise<WebSocket> {
  const socket = new WebSocket(server.socketUrl, { ca });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.on('error', () => {});
  return socket;
}

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tallystick-tls-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}
