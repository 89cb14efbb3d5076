import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { messageOf } from '../engine/message.ts';
import type { Link, Message } from '../engine/message.ts';
import { attachSockets, FrameWriter } from './websocket.ts';
import type { Sockets } from './websocket.ts';

const path = '/v3/wsconnect';

suite('[EVT4] frames', () => {
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 70_000];

  test('[EVT4] messages of every size arrive as they are, alone and in one write', async (t) => {
    const { accepted, url } = await listen(t);
    const client = await open(t, url);
    const messages = sizes.map((size) => messageOf(Buffer.alloc(size, `${size}`)));
    const received = collect(client, 2 * sizes.length);
    for (const message of messages) accepted[0]?.link.send([message]);
    accepted[0]?.link.send(messages);
    const expected = [...messages, ...messages].map(({ bytes }) => bytes);
    assert.deepEqual(await received, expected);
  });

  test('[EVT4] a message is framed once, and equal runs are joined once', () => {
    const writer = new FrameWriter();
    const [a, b, c] = ['a', 'b', 'c'].map((text) => messageOf(Buffer.from(text)));
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const single = writer.join([a]);
    assert.equal(writer.join([a]), single);
    const joined = writer.join([a, b]);
    assert.equal(writer.join([a, b]), joined);
    for (const other of [
      [b, a],
      [a, c],
      [a, b, c],
      [a, messageOf(b.bytes)],
    ]) {
      assert.notEqual(writer.join(other), joined);
      assert.deepEqual(writer.join(other), Buffer.concat(other.map((message) => writer.join([message]))));
    }
    assert.deepEqual(writer.join([a, b]), joined);
  });
});

suite('[CON12] addresses', () => {
  test('[CON12] a token in the address is refused, wherever it stands in it', async (t) => {
    const { url } = await listen(t);
    for (const query of ['?token=abc', '?a=1&token=abc', '?token', '?%74oken=abc']) {
      assert.equal(await refusal(url + query), 400, query);
    }
    await open(t, `${url}?client=7`);
  });

  test('[CON12] no other address is that of the socket', async (t) => {
    const { url, accepted } = await listen(t);
    for (const other of [
      '/',
      '/v3',
      '/v3/wsconnect/',
      '/V3/wsconnect',
      '/v3/wsconnect/../wsconnect2',
      '/?/v3/wsconnect',
    ]) {
      assert.equal(await refusal(url.replace(path, other)), 404, other);
    }
    assert.deepEqual(accepted, []);
  });

  test('[CON6] once refusing, no connection is taken; those that stand stay until they are dropped', async (t) => {
    const { url, sockets } = await listen(t);
    const client = await open(t, url);
    sockets.refuse();
    assert.equal(await refusal(url), 503);
    assert.equal(client.readyState, client.OPEN);
    const closed = once(client, 'close');
    sockets.drop();
    assert.equal((await closed)[0], 1006);
  });
});

suite('[CON4] links', () => {
  test('[CON4] messages come with their kind, fragments put together', async (t) => {
    const { url, accepted } = await listen(t);
    const client = await open(t, url);
    client.send(Buffer.from('binary'));
    client.send('text');
    client.send(Buffer.from('in '), { fin: false });
    client.send(Buffer.from('parts'), { fin: true });
    client.close();
    await once(client, 'close');
    assert.deepEqual(accepted[0]?.received, ['binary binary', 'text text', 'binary in parts']);
  });

  test('[CON4] a frame beyond the limit ends its connection, one at the limit does not', async (t) => {
    const { url, accepted } = await listen(t, 4096);
    const client = await open(t, url);
    client.send(Buffer.alloc(4096, 'x'));
    client.send(Buffer.alloc(4097, 'x'));
    const [code] = await once(client, 'close');
    assert.equal(code, 1009);
    assert.equal(accepted[0]?.received.length, 1);
    await accepted[0].closed;
  });

  test('[CON4] without a limit a large frame is taken', async (t) => {
    const { url, accepted } = await listen(t, Infinity);
    const client = await open(t, url);
    client.send(Buffer.alloc(2_000_000, 'x'));
    client.close();
    await once(client, 'close');
    assert.equal(accepted[0]?.received[0]?.length, 'binary '.length + 2_000_000);
  });

  test('[CON2] a link that is closed after a message delivers it, and takes nothing more', async (t) => {
    const { url, accepted } = await listen(t);
    const client = await open(t, url);
    const link = accepted[0]!.link;
    const received = collect(client, 1);
    link.pause();
    client.send(Buffer.from('unread'));
    link.send([text('last')]);
    link.close(1008, 'because');
    link.send([text('too late')]);
    link.close(1000, 'again');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1008, 'because']);
    assert.deepEqual((await received).map(String), ['last']);
    await accepted[0]!.closed;
  });

  test('[BND1] what a client does not read is seen in the link, and when it has been taken', async (t) => {
    const { url, accepted } = await listen(t);
    const client = await open(t, url);
    const { link, drained } = accepted[0]!;
    assert.equal(link.buffered, 0);
    client.pause();
    // More than the buffers of both kernels hold.
    const large = messageOf(Buffer.alloc(1_000_000));
    for (let i = 0; i < 16; i++) link.send([large]);
    assert.ok(link.buffered > 1_000_000);
    client.resume();
    await drained;
    assert.equal(link.buffered, 0);
  });

  test('[CON4] an upgrade that is none leaves the server unharmed', async (t) => {
    const { url, port, accepted } = await listen(t);
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 400 /);
    socket.destroy();
    await open(t, url);
    assert.equal(accepted.length, 1);
  });
});

interface Accepted {
  readonly link: Link;
  /** Each message as its kind and text. */
  readonly received: string[];
  readonly drained: Promise<void>;
  readonly closed: Promise<void>;
}

interface Listening {
  readonly url: string;
  readonly port: number;
  readonly accepted: Accepted[];
  readonly sockets: Sockets;
}

async function listen(t: TestContext, maxFrameBytes = 262_144): Promise<Listening> {
  const server = createServer();
  const accepted: Accepted[] = [];
  const accept = (link: Link): { receive(bytes: Buffer, isBinary: boolean): void; drained(): void; closed(): void } => {
    const received: string[] = [];
    const { promise: drained, resolve: onDrained } = Promise.withResolvers<void>();
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
    accepted.push({ link, received, drained, closed });
    return {
      receive: (bytes, isBinary) => received.push(`${isBinary ? 'binary' : 'text'} ${bytes.toString()}`),
      drained: onDrained,
      closed: onClosed,
    };
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const sockets = attachSockets(server, { path, maxFrameBytes }, accept, log);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.drop();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}${path}`, port, accepted, sockets };
}

async function open(t: TestContext, url: string): Promise<WebSocket> {
  const client = new WebSocket(url);
  t.after(() => client.terminate());
  await once(client, 'open');
  return client;
}

/** The HTTP status with which an upgrade is refused. */
async function refusal(url: string): Promise<number | undefined> {
  const client = new WebSocket(url);
  client.on('error', () => {});
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, { statusCode?: number }];
  client.terminate();
  return response.statusCode;
}

function collect(client: WebSocket, count: number): Promise<readonly Buffer[]> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    client.on('message', (data) => {
      received.push(data as Buffer);
      if (received.length === count) resolve(received);
    });
  });
}

function text(content: string): Message {
  return messageOf(Buffer.from(content));
}
