/** What the back end sees of a service that stops, and of its limit on wrong credentials. */

import '../harness/process-check.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createServer, loadConfig } from '@tallystick/server';
import { credentials } from '../harness/credentials.ts';
import { within } from '../harness/deadline.ts';
import { libraryClient, restRefusal } from './library-client.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function start(t: TestContext): ReturnType<typeof createServer> {
  const config = loadConfig({ argv: [], env: { TALLYSTICK_PORT: '0', TALLYSTICK_STORE: 'memory' } });
  const server = await createServer({ ...config, credentials }, { log: silent });
  t.after(() => server.stop());
  return server;
}

test('[RST12] [OPS3] a request that had begun when the stop did is read to its end and answered', async (t) => {
  const server = await start(t);
  const socket = connect(server.port, '127.0.0.1').setEncoding('utf8');
  const body = 'Data=%7B%22n%22%3A1%7D';
  socket.write(
    'POST /v1/Services/default/Documents HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n' +
      `Authorization: Basic ${btoa(`${credentials.apiKey}:${credentials.apiSecret}`)}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  // From then on the service has the request.
  const [interim] = (await within('the service wants the body', once(socket, 'data'))) as [string];
  assert.match(interim, /^HTTP\/1.1 100 /);
  const stopped = server.stop();
  socket.write(body);
  const answer = await within('an answer', text(socket));
  assert.match(answer, /^HTTP\/1.1 201 /);
  assert.match(answer, /"data":\{"n":1\}/);
  await stopped;
});

test('[RST2] wrong credentials make their address wait here, and nowhere else', async (t) => {
  const { port, url } = await start(t);
  const wrong = libraryClient(port, credentials.apiKey, 'wrong');
  const right = libraryClient(port);
  for (let i = 0; i < 10; i++) assert.equal((await restRefusal(wrong.client.sync.v1.services.list())).code, 20003);
  const waiting = await restRefusal(right.client.sync.v1.services.list());
  assert.deepEqual([waiting.status, waiting.code], [429, 20429]);
  const { accountSid, authToken } = credentials;
  const authorization = `Basic ${btoa(`${accountSid}:${authToken}`)}`;
  const keys = await fetch(`${url}/admin/v1/keys`, { headers: { authorization } });
  assert.equal(keys.status, 200);
  await keys.body?.cancel();
});
