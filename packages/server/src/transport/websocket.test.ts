import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import type { WebSocket } from 'ws';
import { listen, open, path, refusal } from '../../test/socket-harness.ts';
import { messageOf } from '../engine/message.ts';
import type { Message } from '../engine/message.ts';
import { FrameWriter } from './websocket.ts';

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
      assert.equal((await refusal(url + query)).status, 400, query);
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
      assert.equal((await refusal(url.replace(path, other))).status, 404, other);
    }
    assert.deepEqual(accepted, []);
  });

  test('[CON6] once refusing, no connection is taken; those that stand stay until they are dropped', async (t) => {
    const { url, sockets } = await listen(t);
    const client = await open(t, url);
    sockets.refuse();
    assert.deepEqual(await refusal(url), {
      status: 503,
      retryAfter: '1',
      body: { code: 20503, message: 'The server is stopping', status: 503 },
    });
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

  test('[CON4] [BND14] a frame beyond the limit ends its connection, one at the limit does not', async (t) => {
    const { url, accepted } = await listen(t, { maxFrameBytes: 4096 });
    const client = await open(t, url);
    client.send(Buffer.alloc(4096, 'x'));
    client.send(Buffer.alloc(4097, 'x'));
    const [code] = await once(client, 'close');
    assert.equal(code, 1009);
    assert.equal(accepted[0]?.received.length, 1);
    await accepted[0].closed;
  });

  test('[CON4] [BND14] without a limit a large frame is taken, in as many parts as it comes', async (t) => {
    const { url, accepted } = await listen(t, { maxFrameBytes: Infinity });
    const client = await open(t, url);
    for (let i = 1; i <= 2000; i++) client.send(Buffer.alloc(1000, 'x'), { fin: i === 2000 });
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

suite('[BND11] frames that cost the client little', () => {
  test('[BND11] the door hears of every ping and pong, and pings are answered', async (t) => {
    const { url, accepted } = await listen(t);
    const client = await open(t, url);
    const ponged = once(client, 'pong');
    client.pong('unasked');
    client.ping('x');
    assert.equal(String((await ponged)[0]), 'x');
    assert.equal(accepted[0]?.controls(), 2);
  });

  test('[BND11] a message of more than 1,024 parts is the end with 1008, however small they are', async (t) => {
    for (const part of ['', 'x']) {
      const { url, accepted } = await listen(t);
      const client = await open(t, url);
      for (let i = 1; i <= 1024; i++) client.send(Buffer.from(part), { fin: i === 1024 });
      for (let i = 1; i <= 1025; i++) client.send(Buffer.from(part), { fin: false });
      const [code] = (await once(client, 'close')) as [number];
      assert.equal(code, 1008);
      assert.deepEqual(accepted[0]?.received, [`binary ${part.repeat(1024)}`]);
      await accepted[0].closed;
    }
  });

  test('[BND11] a client that pings and does not read is dropped when many answers wait', async (t) => {
    const { url, accepted } = await listen(t);
    const client = await open(t, url);
    client.pause();
    const { link, closed } = accepted[0]!;
    const large = messageOf(Buffer.alloc(1_000_000));
    for (let i = 0; i < 16; i++) link.send([large]);
    for (let i = 0; i < 61; i++) client.ping();
    await closed;
  });
});

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
