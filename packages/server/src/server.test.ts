import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { makeDataDirectory } from '../test/data-directory.ts';
import { answeredOf, clientFrame, serverFrame, statusOf } from '../test/frame-client.ts';
import type { Fields, ServerFrame } from '../test/frame-client.ts';
import { TimerClock } from '../test/timer-clock.ts';
import { loadConfig } from './config.ts';
import type { Credentials } from './config.ts';
import type { Clock } from './platform.ts';
import { createServer } from './server.ts';
import type { Server, Surroundings } from './server.ts';
import { StartError } from './start-error.ts';

const credentials: Credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};
const quiet: Surroundings = { log: { debug() {}, info() {}, warn() {}, error() {} } };

suite('a running server', () => {
  test('[CON2] a client connects over the socket address, and its writes come back to it', async (t) => {
    const server = await start(t);
    assert.match(server.socketUrl, new RegExp(`^ws://127\\.0\\.0\\.1:${server.port}/v3/wsconnect$`));
    const client = await open(t, server);
    assert.equal(statusOf(await client.init(token())).code, 200);
    for (const size of [1, 200, 16_000]) {
      const data = { text: 'x'.repeat(size) };
      const created = await client.call('POST', '/v3/Documents', { data });
      const { body } = await client.call('GET', `/v3/Documents/${String(created.body['sid'])}`);
      assert.deepEqual(body['data'], data);
      assert.match(
        String(body['url']),
        new RegExp(`^${server.url}/v3/Services/${credentials.serviceSid}/Documents/ET`),
      );
    }
  });

  test('[CON4] a text frame is answered with 406 and the end, an oversized one with the end', async (t) => {
    const server = await start(t, ['--max-frame-bytes', '4096']);
    const client = await open(t, server);
    await client.init(token());
    client.socket.send('text');
    assert.equal(await client.closed, 1008);
    assert.equal(statusOf(client.frames.at(-1)).code, 406);

    const other = await open(t, server);
    await other.init(token());
    other.socket.send(Buffer.alloc(5000));
    assert.equal(await other.closed, 1009);
  });

  test('[OPS1] it is live and ready, and while it drains it is live and takes no new connections', async (t) => {
    const clock = steppedClock();
    const server = await start(t, ['--drain-ms', '60000'], { ...quiet, clock });
    assert.deepEqual(await health(server), { live: 200, ready: 200 });
    // One turn of closing is not enough for these, so that the drain waits for the clock.
    const clients = await Promise.all(Array.from({ length: 51 }, () => open(t, server)));
    const stopped = server.stop();
    assert.deepEqual(await health(server), { live: 200, ready: 503 });
    await assert.rejects(open(t, server), /503/);
    clock.advance(100);
    await stopped;
    assert.deepEqual([...new Set(await Promise.all(clients.map(({ closed }) => closed)))], [1012]);
    await assert.rejects(fetch(`${server.url}/health/live`));
  });

  test('[OPS3] stopping answers what is open, and is the same however often it is asked for', async (t) => {
    const server = await start(t);
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(t, server)));
    await Promise.all(clients.map((client) => client.init(token())));
    const written = clients.map((client) => client.call('POST', '/v3/Documents', { data: {} }));
    await Promise.all(written);
    const late = clients.map((client) => client.request('POST', '/v3/Documents', { data: {} }));
    const first = server.stop();
    assert.equal(server.stop(), first);
    await Promise.all([first, server.stop()]);
    assert.equal(server.stop(), first);
    assert.deepEqual([...new Set(await Promise.all(clients.map(({ closed }) => closed)))], [1012]);
    for (const [i, client] of clients.entries()) {
      const reply = client.frames.find(({ id }) => id === late[i]);
      if (reply !== undefined) assert.equal(answeredOf(reply).status, 201);
    }
  });

  test('[OPS3] a client that does not answer the end does not hold the stop up', async (t) => {
    const server = await start(t);
    const client = await open(t, server);
    await client.init(token());
    client.socket.pause();
    await server.stop();
    client.socket.resume();
    await client.closed;
  });

  test('[OPS2] neither a token nor a secret stands in any log line', async (t) => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const server = await start(t, ['--max-frame-bytes', '4096'], { log });
    const good = token();
    const expired = token({ now: () => Date.now() - 7_200_000 });
    const wrong = token({ secret: 'another-secret-that-is-wrong' });
    const nobody = token({ key: `SK${'9'.repeat(32)}` });
    const elsewhere = token({ service: `IS${'9'.repeat(32)}` });
    for (const given of [good, expired, wrong, nobody, elsewhere, `${good}x`, good.slice(0, -1)]) {
      const client = await open(t, server);
      await client.init(given);
      if (given !== good) continue;
      await client.call('POST', '/v3/Documents', { data: {} });
      client.socket.send(clientFrame('TM9', 'update', { token: wrong }));
      await client.closed;
    }
    for (const broken of [Buffer.from(good), `token ${good}`, Buffer.alloc(5000, good)]) {
      const client = await open(t, server);
      client.socket.send(broken);
      await client.closed;
    }
    await assert.rejects(open(t, { ...server, socketUrl: `${server.socketUrl}?token=${good}` }), /400/);
    await fetch(`${server.url}/v3/wsconnect?token=${good}`);
    await server.stop();

    assert.ok(lines.some((line) => line.includes('20104')) && lines.length > 5, 'the refusals are in the log');
    const text = lines.join('');
    const parts = [good, expired, wrong, nobody, elsewhere].flatMap((each) => each.split('.').slice(1));
    const secrets = [credentials.authToken, credentials.apiSecret, 'another-secret-that-is-wrong', ...parts];
    for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} stands in the log`);
  });
});

suite('metrics', () => {
  test('[MET2] [MET3] stand where the options say, and tell what the service did', async (t) => {
    const logged: string[] = [];
    const log = { ...quiet.log!, info: (fields: object) => void logged.push(String(Object(fields).url)) };
    const env = { TALLYSTICK_METRICS_PORT: '0', TALLYSTICK_METRICS_TOKEN: 'the-token-of-the-metrics' };
    const config = loadConfig({ argv: ['--store', 'memory', '--port', '0'], env });
    const server = await createServer({ ...config, credentials }, { log });
    t.after(() => server.stop());
    const own = logged.find((url) => url.endsWith('/metrics')) ?? '';
    const client = await open(t, server);
    await client.init(token());
    await client.call('POST', '/v3/Documents', { data: {} });

    const text = await (await fetch(own)).text();
    for (const line of ['tallystick_connections 1', 'tallystick_sessions 1', 'tallystick_connections_total 1']) {
      assert.ok(text.split('\n').includes(line), `${line} is missing`);
    }
    assert.match(text, /^tallystick_requests_total\{kind="POST Documents",code="201"\} 1$/m);
    assert.match(text, /^process_resident_memory_bytes \d/m);
    const authorization = `Bearer ${env.TALLYSTICK_METRICS_TOKEN}`;
    assert.equal((await fetch(`${server.url}/metrics`)).status, 401);
    assert.equal((await fetch(`${server.url}/metrics`, { headers: { authorization } })).status, 200);
    await server.stop();
    await assert.rejects(fetch(own), 'the listener ends with the service');
  });

  test('[MET2] without a token there are none on the port of the service', async (t) => {
    const server = await start(t);
    assert.equal((await fetch(`${server.url}/metrics`)).status, 404);
  });
});

suite('starting', () => {
  test('[OPS3] a port in use is refused in one line that names it and the fix', async (t) => {
    const other = createTcpServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(create(['--port', String(port)]), (error: Error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is in use;.*TALLYSTICK_PORT[^\\n]*$`));
      return true;
    });
  });

  test('[ACC1] other credentials on the same data are refused in one line; afterwards the own ones still open it', async (t) => {
    const directory = makeDataDirectory();
    t.after(directory.remove);
    const flags = ['--store', 'sqlite', '--data-dir', directory.path];
    const first = await create(flags);
    await first.stop();
    const other = { ...credentials, accountSid: `AC${'4'.repeat(32)}` };
    await assert.rejects(create(flags, quiet, other), (error: Error) => {
      assert.ok(error instanceof StartError);
      assert.ok(error.message.includes(credentials.accountSid) && error.message.includes(other.accountSid));
      assert.ok(!error.message.includes('\n'));
      return true;
    });
    const again = await create(flags);
    await again.stop();
  });

  test('[ACC2] [ACC3] a new key and a new service are added at a restart; the default service stays', async (t) => {
    const directory = makeDataDirectory();
    t.after(directory.remove);
    const flags = ['--store', 'sqlite', '--data-dir', directory.path];
    const first = await create(flags);
    await first.stop();
    const more = {
      ...credentials,
      apiKey: `SK${'5'.repeat(32)}`,
      apiSecret: 'the-secret-of-the-second-key',
      serviceSid: `IS${'6'.repeat(32)}`,
    };
    const second = await create(flags, quiet, more);
    t.after(() => second.stop());
    const serviceOf = async (given: string): Promise<unknown> => {
      const client = await open(t, second);
      await client.init(given);
      return (await client.call('POST', '/v3/Documents', {})).body['service_sid'];
    };
    assert.equal(await serviceOf(token()), credentials.serviceSid, 'the first key is still good');
    const { apiKey: key, apiSecret: secret, serviceSid: service } = more;
    assert.equal(await serviceOf(token({ key, secret })), credentials.serviceSid);
    assert.equal(await serviceOf(token({ key, secret, service })), service);
  });

  test('[ACC3] a changed secret of the key counts from the restart on', async (t) => {
    const directory = makeDataDirectory();
    t.after(directory.remove);
    const flags = ['--store', 'sqlite', '--data-dir', directory.path];
    await (await create(flags)).stop();
    const apiSecret = 'the-secret-after-the-change';
    const server = await create(flags, quiet, { ...credentials, apiSecret });
    t.after(() => server.stop());
    const [before, after] = [await open(t, server), await open(t, server)];
    assert.equal(statusOf(await before.init(token())).errorCode, 20107);
    assert.equal(statusOf(await after.init(token({ secret: apiSecret }))).code, 200);
  });

  test('[STO7] a data directory that cannot be made is refused in one line', async (t) => {
    const directory = makeDataDirectory();
    t.after(directory.remove);
    const path = join(directory.path, 'file', 'data');
    writeFileSync(join(directory.path, 'file'), '');
    await assert.rejects(create(['--store', 'sqlite', '--data-dir', path]), (error: Error) => {
      assert.ok(error instanceof StartError);
      assert.ok(error.message.includes(path) && !error.message.includes('\n'), error.message);
      return true;
    });
  });

  test('[OPS1] the public address is what was given', async (t) => {
    const server = await start(t, ['--public-url', 'https://sync.example.org']);
    assert.deepEqual(
      [server.url, server.socketUrl],
      ['https://sync.example.org', 'wss://sync.example.org/v3/wsconnect'],
    );
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/health/ready`)).status, 200);
  });
});

function create(
  flags: readonly string[],
  surroundings: Surroundings = quiet,
  given: Credentials = credentials,
): Promise<Server> {
  const config = loadConfig({ argv: ['--store', 'memory', '--port', '0', ...flags], env: {} });
  return createServer({ ...config, credentials: given }, surroundings);
}

async function start(
  t: TestContext,
  flags: readonly string[] = [],
  surroundings: Surroundings = quiet,
): Promise<Server> {
  const server = await create(flags, surroundings);
  t.after(() => server.stop());
  return server;
}

/** Time stands still but for `advance`; what is due at the end of a turn happens there. */
function steppedClock(): Clock & { advance(ms: number): void } {
  const clock = new TimerClock();
  return {
    now: clock.now,
    ticks: clock.ticks,
    after: clock.after,
    soon: (callback) => void setImmediate(callback),
    advance: (ms) => clock.advance(ms),
  };
}

async function health(server: Server): Promise<{ live: number; ready: number }> {
  const status = async (name: string): Promise<number> => (await fetch(`${server.url}/health/${name}`)).status;
  return { live: await status('live'), ready: await status('ready') };
}

interface TokenParts {
  readonly key?: string;
  readonly secret?: string;
  readonly service?: string;
  readonly now?: () => number;
}

function token({ key = credentials.apiKey, secret = credentials.apiSecret, service, now }: TokenParts = {}): string {
  const made = new AccessToken(credentials.accountSid, key, secret, { identity: 'ann', now });
  made.addGrant(new SyncGrant({ serviceSid: service }));
  return made.toJwt();
}

interface SocketClient {
  readonly socket: WebSocket;
  readonly frames: readonly ServerFrame[];
  /** The code with which the socket was closed. */
  readonly closed: Promise<number>;
  init(token: string): Promise<ServerFrame>;
  /** Sends a request and returns its id. */
  request(method: string, path: string, body: unknown): string;
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Fields }>;
}

/** Rejects with the HTTP status when the upgrade is refused. */
async function open(t: TestContext, server: { readonly socketUrl: string }): Promise<SocketClient> {
  const socket = new WebSocket(server.socketUrl);
  t.after(() => socket.terminate());
  const frames: ServerFrame[] = [];
  const replies = new Map<string, (frame: ServerFrame) => void>();
  socket.on('message', (data) => {
    const frame = serverFrame(data as Buffer);
    frames.push(frame);
    replies.get(frame.id)?.(frame);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  let count = 0;
  const send = (method: string, fields: Fields, payload = ''): string => {
    const id = `TM${count++}`;
    socket.send(clientFrame(id, method, fields, payload));
    return id;
  };
  const replyTo = (id: string): Promise<ServerFrame> => new Promise((resolve) => replies.set(id, resolve));
  const request = (method: string, path: string, body: unknown): string =>
    send('message', { http_request: { method, path, headers: {} } }, body === undefined ? '' : JSON.stringify(body));
  await once(socket, 'open');
  return {
    socket,
    frames,
    closed,
    init: (given) => replyTo(send('init', { token: given, capabilities: [], registrations: null })),
    request,
    call: async (method, path, body) => answeredOf(await replyTo(request(method, path, body))),
  };
}
