import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fastify from 'fastify';
import { StartError } from '../start-error.ts';
import { listen, urlHost } from './listening.ts';

const host = '127.0.0.1';
const variable = 'TALLYSTICK_PORT';

test('[CON19] localhost is listened on at each of its addresses that this machine has, and closed at each', async () => {
  const http = fastify({ serverFactory: (handler) => createHttpServer(handler) });
  http.get('/', () => 'here');
  // Every address of 127.0.0.0/8 is this machine's, of 203.0.113.0/24 none is anybody's.
  const addresses = [host, '127.0.0.2', '203.0.113.1', '127.0.0.2'].map((address) => ({ address }));
  const port = await listen(http, { host: 'localhost', port: 0, variable }, () => Promise.resolve(addresses));
  for (const at of [host, '127.0.0.2']) assert.equal(await (await fetch(`http://${at}:${port}`)).text(), 'here', at);
  const kept = connect(port, '127.0.0.2');
  await once(kept, 'connect');
  kept.destroy();
  await http.close();
  for (const at of [host, '127.0.0.2']) {
    const [error] = (await once(connect(port, at), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  }
});

test('[CON19] any other host is listened on alone', async () => {
  const http = fastify();
  const port = await listen(http, { host, port: 0, variable }, () => Promise.reject(new Error('nobody asks for it')));
  const [error] = (await once(connect(port, '127.0.0.2'), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  await http.close();
});

test('[OPS3] what keeps the port from opening is one line with the way out', async (t) => {
  const other = createServer().listen(0, host);
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const refused = async (options: { host: string; port: number }, problem: RegExp): Promise<void> => {
    await assert.rejects(listen(fastify(), { ...options, variable }), (error: Error) => {
      assert.ok(error instanceof StartError && problem.test(error.message), error.message);
      return true;
    });
  };
  await refused({ host, port }, /^port \d+ on 127\.0\.0\.1 is in use; set TALLYSTICK_PORT/);
  await refused({ host: '203.0.113.1', port: 0 }, /^cannot listen on 203\.0\.113\.1:0 .*TALLYSTICK_HOST$/);
});

test('[OPS3] the address that is told can be connected to', () => {
  assert.deepEqual(['0.0.0.0', '::', '::1', 'example.org'].map(urlHost), [
    'localhost',
    'localhost',
    '[::1]',
    'example.org',
  ]);
});
