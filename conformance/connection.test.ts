/** The life of a connection, as the official SDK lives it. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { connect } from 'node:net';
import { becomes, connectedClient, createClient, dataOf, holds, refusal } from './harness/clients.ts';
import type { Updated } from './harness/clients.ts';
import { ownToken } from './harness/credentials.ts';
import { nextEvent, recorded, until } from './harness/deadline.ts';
import { parseFrame, requestOf } from './harness/frames.ts';
import type { Frame } from './harness/frames.ts';
import { startRelay } from './harness/relay.ts';
import type { Relay, RelayOptions } from './harness/relay.ts';
import { startService } from './harness/service.ts';
import type { Service } from './harness/service.ts';

const service = await startService();
const pinging = await startService({ PING_INTERVAL_MS: '300' });

/** A way to the service that one test has for itself. */
async function ownRelay(t: TestContext, options: Partial<RelayOptions> = {}): Promise<Relay> {
  const relay = await startRelay({ targetPort: service.port, ...options });
  t.after(() => relay.close());
  return relay;
}

/** A way that also collects every frame. */
async function tappedRelay(
  t: TestContext,
  to: Service = service,
): Promise<{ relay: Relay; frames: { from: string; frame: Frame }[] }> {
  const frames: { from: string; frame: Frame }[] = [];
  const relay = await ownRelay(t, {
    targetPort: to.port,
    onMessage({ from, bytes }) {
      frames.push({ from, frame: parseFrame(bytes) });
      return 'pass';
    },
  });
  return { relay, frames };
}

suite('connection', { concurrency: true }, () => {
  test('[CON7] [CON8] connects; the reply to init carries capabilities, continuation token and storage id', async (t) => {
    const { relay, frames } = await tappedRelay(t);
    const client = createClient(t, relay.socketUrl, 'ann', { token: ownToken('ann') });
    const states = recorded<string>(client, 'connectionStateChanged');
    await becomes(client, 'connected');
    assert.equal(states.at(-1), 'connected');
    const init = frames.find(({ frame }) => frame.method === 'init');
    const reply = frames.find(({ from, frame }) => from === 'server' && frame.id === init?.frame.id);
    const { header } = reply!.frame;
    assert.deepEqual(header['capabilities'], ['client_update', 'offline_storage']);
    assert.match(header['continuation_token'] as string, /./);
    assert.match((header['offline_storage'] as { data_sync: { storage_id: string } }).data_sync.storage_id, /./);
  });

  test('[CON7] the continuation token comes back on a reconnect and is kept', async (t) => {
    const { relay, frames } = await tappedRelay(t);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    relay.cut();
    await until('a second init is answered', () => frames.filter(({ frame }) => isInitReply(frame)).length === 2);
    await becomes(client, 'connected');
    const [first, second] = frames.filter(({ frame }) => isInitReply(frame)).map(({ frame }) => frame.header);
    const inits = frames.filter(({ frame }) => frame.method === 'init').map(({ frame }) => frame.header);
    assert.equal(inits[0]?.['continuation_token'], null);
    assert.equal(inits[1]?.['continuation_token'], first?.['continuation_token']);
    assert.equal(second?.['continuation_token'], first?.['continuation_token']);
  });

  test('[SUB7] a dropped socket is back within 5 s by itself, with its subscriptions', async (t) => {
    const relay = await ownRelay(t);
    // The retry policy that applications have.
    const ann = await connectedClient(t, relay.socketUrl, 'ann', { retryMs: 1000 });
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([ann.document('dropped'), ben.document('dropped')]);
    await theirs.set({ n: 1 });
    await holds(mine, 'the first write', ({ n }) => n === 1);
    const [gone, back] = [becomes(ann, 'connecting'), nextEvent(ann, 'connectionStateChanged', isConnected, 5000)];
    relay.cut();
    await gone;
    await theirs.set({ n: 2 });
    await back;
    await holds(mine, 'what was missed', ({ n }) => n === 2);
    await theirs.set({ n: 3 });
    await holds(mine, 'what came after', ({ n }) => n === 3);
  });

  test('[WRI4] a call in flight at a drop is rejected at once, and the next one works', async (t) => {
    let isSwallowing = false;
    const relay: Relay = await ownRelay(t, {
      onMessage({ from }) {
        if (!isSwallowing || from === 'client') return 'pass';
        isSwallowing = false;
        relay.cut();
        return 'swallow';
      },
    });
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document('in-flight');
    isSwallowing = true;
    const { status, code } = await refusal(document.set({ n: 1 }));
    assert.deepEqual([status, code], [0, 0]);
    assert.deepEqual(await document.set({ n: 2 }), { n: 2 });
  });

  test('[SUB7] calls made offline are delivered after the reconnect', async (t) => {
    const relay = await ownRelay(t);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document('offline');
    relay.refuse(true);
    relay.cut();
    await becomes(client, 'connecting');
    const written = document.set({ n: 1 });
    const opened = client.document('offline-too');
    relay.refuse(false);
    assert.deepEqual(await written, { n: 1 });
    assert.match((await opened).sid, /^ET/);
  });

  test('[CON6] a client that shuts down lets its socket go', async (t) => {
    const relay = await ownRelay(t);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    await client.document('shut');
    assert.equal(relay.connections, 1);
    await client.shutdown();
    await until('the socket is gone', () => relay.connections === 0);
    assert.equal(client.connectionState, 'disconnected');
    await assert.rejects(client.document('another'));
  });

  test('[CON10] [CON11] an unknown route is 404 / 54001 inside an outer 200: the call is refused, and nothing else breaks', async (t) => {
    const { relay, frames } = await tappedRelay(t);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    await assert.rejects(client.liveQuery('Index', ''));
    const { header: answer } = frames.find(({ frame }) => frame.payload.includes('54001'))!.frame;
    assert.deepEqual(answer['status'], { code: 200, status: 'OK' });
    assert.equal((answer['http_status'] as { code: number }).code, 404);
    assert.match((await client.document('still-works')).sid, /^ET/);
  });

  test('[CON4] connections that speak something else do not hurt the others', async (t) => {
    const client = await connectedClient(t, service.socketUrl, 'ann');
    const socket = connect({ port: service.port, host: '127.0.0.1' });
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => {});
    socket.end('this is not HTTP\r\n\r\n');
    socket.resume();
    await ended;
    assert.match((await client.document('still-here')).sid, /^ET/);
  });

  test('[CON9] [EVT4] live events come in the registered document type, missed ones as sync events', async (t) => {
    const { relay, frames } = await tappedRelay(t);
    const ann = await connectedClient(t, relay.socketUrl, 'ann');
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([ann.document('types'), ben.document('types')]);
    await until('the subscription', () => notified(frames, 'subscription_established').length === 1);
    await theirs.set({ n: 1 });
    await holds(mine, 'the event', ({ n }) => n === 1);
    relay.cut();
    await theirs.set({ n: 2 });
    await holds(mine, 'the missed event', ({ n }) => n === 2);
    assert.deepEqual(
      notified(frames, 'document_updated').map(({ header }) => header['message_type']),
      ['com.twilio.rtd.cds.document', 'twilio.sync.event'],
    );
  });

  test('[EVT3] the reply to a write comes before its event, on the wire', async (t) => {
    const { relay, frames } = await tappedRelay(t);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document('reply-first');
    await until('the subscription', () => notified(frames, 'subscription_established').length === 1);
    const updates = recorded<Updated>(document, 'updated');
    for (let n = 1; n <= 20; n++) await document.set({ n });
    await until('all events', () => notified(frames, 'document_updated').length === 20);
    const writes = frames.filter(({ frame }) => requestOf(frame)?.path.includes('/Documents/ET'));
    assert.equal(writes.length, 20);
    for (const [n, { frame }] of writes.entries()) {
      const reply = frames.findIndex((other) => other.from === 'server' && other.frame.id === frame.id);
      const event = frames.findIndex((other) => other.frame === notified(frames, 'document_updated')[n]);
      assert.ok(reply < event, `write ${n}`);
    }
    assert.deepEqual(
      updates.map(({ data, isLocal }) => [data['n'], isLocal]),
      Array.from({ length: 20 }, (_, i) => [i + 1, true]),
    );
    assert.equal(dataOf(document)['n'], 20);
  });
});

// Apart: with so short an interval a busy moment of this process would pass for dead clients.
suite('keeping alive', { concurrency: true }, () => {
  test('[CON5] pings come and are acknowledged; the connection outlives many of them', async (t) => {
    const { relay, frames } = await tappedRelay(t, pinging);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const states = recorded<string>(client, 'connectionStateChanged');
    const pings = (): Frame[] => frames.map(({ frame }) => frame).filter(({ method }) => method === 'ping');
    await until('four pings', () => pings().length >= 4);
    const { id } = pings()[0]!;
    assert.ok(frames.some(({ from, frame }) => from === 'client' && frame.method === 'reply' && frame.id === id));
    assert.deepEqual(
      states.filter((state) => state !== 'connected'),
      [],
    );
    assert.equal(relay.accepted, 1);
  });

  test('[CON5] a half-open connection is dropped by the service, and the client comes back', async (t) => {
    let isDeaf = false;
    const relay = await ownRelay(t, {
      targetPort: pinging.port,
      onMessage: ({ from, connection }) => (isDeaf && from === 'client' && connection === 0 ? 'swallow' : 'pass'),
    });
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    isDeaf = true;
    await becomes(client, 'connecting');
    await becomes(client, 'connected');
    assert.equal(relay.accepted, 2);
  });
});

function isInitReply(frame: Frame): boolean {
  return frame.method === 'reply' && frame.header['continuation_token'] !== undefined;
}

function isConnected(state: string): boolean {
  return state === 'connected';
}

function notified(frames: readonly { frame: Frame }[], eventType: string): Frame[] {
  return frames
    .map(({ frame }) => frame)
    .filter(({ method, payload }) => method === 'notification' && payload.includes(`"event_type":"${eventType}"`));
}
