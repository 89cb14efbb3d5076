import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { listen, open, refusal } from '../../test/socket-harness.ts';
import { TimerClock } from '../../test/timer-clock.ts';
import { Tally } from '../engine/tally.ts';
import { Admission } from './admission.ts';
import type { AdmissionOptions } from './admission.ts';
import { clientAddresses } from './client-address.ts';

const full = { code: 20503, message: 'The server takes no more connections', status: 503 };
const crowded = { code: 20429, message: 'Too many connections from one address', status: 429 };

suite('[BND4] connections in all', () => {
  test('[BND4] the one beyond the limit is refused with 503; when one ends there is room for one', async (t) => {
    const { url, accepted, admission } = await listen(t, { maxConnections: 2 });
    const first = await open(t, url);
    await open(t, url);
    assert.deepEqual(await refusal(url), { status: 503, retryAfter: '10', body: full });
    first.terminate();
    await accepted[0]?.closed;
    await open(t, url);
    assert.equal((await refusal(url)).status, 503);
    assert.deepEqual([accepted.length, admission.open >= 2], [3, true]);
  });

  test('[BND4] connections that never become a WebSocket count too', async (t) => {
    const { url, port, connections } = await listen(t, { maxConnections: 2 });
    const idle = [await silent(t, port), await silent(t, port)];
    assert.equal((await refusal(url)).status, 503);
    const closed = once(connections[0]!, 'close');
    idle[0]?.destroy();
    await closed;
    await open(t, url);
  });

  test('[BND4] those far beyond the limit are dropped without an answer', () => {
    const { admission, warnings } = admissionOf({ maxConnections: 1 });
    const sockets = Array.from({ length: 1001 }, () => admitted(admission, '192.0.2.1'));
    assert.equal(sockets.filter(({ isDestroyed }) => isDestroyed).length, 0);
    assert.equal(admitted(admission, '192.0.2.2').isDestroyed, true);
    assert.equal(admission.open, 1001, 'the dropped one counts no more');
    assert.equal(warnings.length, 1);
    for (const socket of sockets) socket.emit('close');
    assert.equal(admission.open, 0);
  });

  test('[BND4] [BND5] without limits a thousand from one address get in', async (t) => {
    const { url, accepted } = await listen(t);
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, () => open(t, url)));
    assert.equal(accepted.length, 1000);
  });
});

suite('[BND5] connections of one address', () => {
  const behindProxy = { trusted: ['loopback'], maxConnectionsPerAddress: 2 };
  const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });

  test('[BND5] the one beyond the limit is refused with 429, others are not concerned', async (t) => {
    const { url, accepted } = await listen(t, behindProxy);
    const first = await open(t, url, from('192.0.2.1'));
    await open(t, url, from('192.0.2.1'));
    assert.deepEqual(await refusal(url, from('192.0.2.1')), { status: 429, retryAfter: '10', body: crowded });
    await open(t, url, from('192.0.2.2'));
    first.terminate();
    await accepted[0]?.closed;
    await open(t, url, from('192.0.2.1'));
    assert.equal((await refusal(url, from('::ffff:192.0.2.1'))).status, 429);
  });

  test('[BND5] [CON15] an IPv6 network of 64 bits is one address', async (t) => {
    const { url } = await listen(t, behindProxy);
    await open(t, url, from('2001:db8:0:1::1'));
    await open(t, url, from('2001:db8:0:1:ffff::2'));
    assert.equal((await refusal(url, from('2001:db8:0:1::3'))).status, 429);
    await open(t, url, from('2001:db8:0:2::1'));
  });

  test('[BND5] [CON14] the header of a peer that is no trusted proxy changes nothing', async (t) => {
    const { url, accepted } = await listen(t, { maxConnectionsPerAddress: 2 });
    await open(t, url, from('192.0.2.1'));
    await open(t, url, from('192.0.2.2'));
    assert.equal((await refusal(url, from('192.0.2.3'))).status, 429);
    assert.deepEqual(
      accepted.map(({ arrival }) => arrival.address),
      ['127.0.0.1', '127.0.0.1'],
    );
  });

  test("[BND5] [CON14] connections of a trusted proxy itself are nobody's until it says whose", async (t) => {
    const { url, port, accepted } = await listen(t, behindProxy);
    for (let i = 0; i < 5; i++) await silent(t, port);
    await open(t, url, from('192.0.2.1'));
    assert.equal(accepted[0]?.arrival.address, '192.0.2.1');
    for (let i = 0; i < 2; i++) await open(t, url);
    assert.equal((await refusal(url)).status, 429, 'without the header it is the client');
  });

  test('[BND5] connections without a word count for their peer, and far beyond the limit are dropped', () => {
    const { admission } = admissionOf({ maxConnectionsPerAddress: 1 });
    const sockets = Array.from({ length: 1001 }, () => admitted(admission, '192.0.2.1'));
    assert.equal(admitted(admission, '192.0.2.1').isDestroyed, true);
    assert.equal(admitted(admission, '192.0.2.2').isDestroyed, false);
    sockets[0]?.emit('close');
    assert.deepEqual(
      [admitted(admission, '192.0.2.1'), admitted(admission, '192.0.2.1')].map((s) => s.isDestroyed),
      [false, true],
    );
  });

  test('[BND5] a warning names the way out, once a minute at most', async (t) => {
    const { url, warnings, clock } = await listen(t, { maxConnectionsPerAddress: 1 });
    await open(t, url);
    for (let i = 0; i < 3; i++) await refusal(url);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /one address.*TALLYSTICK_TRUSTED_PROXIES/);
    clock.advance(59_999);
    await refusal(url);
    assert.equal(warnings.length, 1);
    clock.advance(1);
    await refusal(url);
    assert.equal(warnings.length, 2);
  });
});

suite('[BND6] the rate of new connections', () => {
  test('[BND6] those too fast are let in all the same, and marked with the time to stay away', async (t) => {
    const { url, accepted, warnings, clock } = await listen(t, { connectionRate: 2 });
    for (let i = 0; i < 22; i++) await open(t, url);
    const waits = accepted.map(({ arrival }) => arrival.waitMs);
    assert.deepEqual(waits, [...Array<number>(20).fill(0), 1500, 2000]);
    assert.deepEqual(warnings.length, 1);
    clock.advance(500);
    await open(t, url);
    assert.equal(accepted.at(-1)?.arrival.waitMs, 0);
  });

  test('[BND6] refused connections take nothing of the rate', async (t) => {
    const { url, accepted } = await listen(t, { connectionRate: 1, maxConnectionsPerAddress: 1 });
    const first = await open(t, url);
    for (let i = 0; i < 20; i++) await refusal(url);
    first.terminate();
    await accepted[0]?.closed;
    await open(t, url);
    assert.equal(accepted.at(-1)?.arrival.waitMs, 0);
  });
});

suite('[CON16] origins', () => {
  const allowedOrigins = ['https://app.example.org', 'http://localhost:3000'];

  test('[CON16] a page of another origin is refused with 403, one on the list is not', async (t) => {
    const { url, accepted } = await listen(t, { allowedOrigins });
    for (const origin of allowedOrigins) await open(t, url, { Origin: origin });
    for (const origin of [
      'https://evil.example.org',
      'http://app.example.org',
      'https://app.example.org:8443',
      'null',
      '',
    ]) {
      const { status, body } = await refusal(url, { Origin: origin });
      assert.deepEqual([status, (body as { code: number }).code], [403, 20403], origin);
    }
    assert.equal(accepted.length, 2);
  });

  test('[CON16] a client that is no browser names no origin and passes; without a list everybody does', async (t) => {
    const listed = await listen(t, { allowedOrigins });
    await open(t, listed.url);
    const free = await listen(t);
    await open(t, free.url, { Origin: 'https://evil.example.org' });
  });
});

test('[BND13] an address of the socket that is too long is refused with 414', async (t) => {
  const { url } = await listen(t, { maxUrlBytes: 100 });
  const room = 100 - '/v3/wsconnect?'.length;
  await open(t, `${url}?${'x'.repeat(room)}`);
  const { status, body } = await refusal(`${url}?${'x'.repeat(room + 1)}`);
  assert.deepEqual([status, (body as { code: number }).code], [414, 20414]);
});

test('[BND12] a refused client that does not close its side is dropped after five seconds, whatever it still sends', async (t) => {
  const { port, admission, connections, clock } = await listen(t);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  await once(socket, 'end');
  assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\nConnection: close\r\nContent-Type: application\/json/);
  // More than the buffers of both kernels hold: what is not read would not be taken.
  await new Promise((resolve) => socket.write('x'.repeat(20_000_000), resolve));
  clock.advance(4999);
  assert.deepEqual([admission.open, socket.destroyed], [1, false]);
  const closed = once(connections[0]!, 'close');
  clock.advance(1);
  await closed;
  assert.deepEqual([admission.open, clock.pending], [0, 0]);
});

/** A connection that says nothing. */
async function silent(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  isDestroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }
}

function admitted(admission: Admission, address: string): FakeSocket {
  const socket = new FakeSocket(address);
  admission.opened(socket as unknown as Socket);
  return socket;
}

function admissionOf(given: Partial<AdmissionOptions>): { admission: Admission; warnings: string[] } {
  const options = { maxConnections: Infinity, maxConnectionsPerAddress: Infinity, connectionRate: Infinity, ...given };
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => warnings.push(message), error() {} };
  const addresses = clientAddresses([]);
  const tally = new Tally();
  const clock = new TimerClock();
  return { admission: new Admission({ options, addresses, clock, random: () => 0, tally, log }), warnings };
}
