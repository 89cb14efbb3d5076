/** What honest crowds do with the limits as they are: nothing of it may be refused, slowed down or cut. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { loadConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import { clientFrame, serverFrame } from './frame-client.ts';
import type { Fields, ServerFrame } from './frame-client.ts';

const credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};

test('[BND4] [BND5] [BND6] a thousand subscribers behind one address connect at once, and all get what is written', async (t) => {
  const { socketUrl, warnings } = await start(t);
  const writer = await Crowd.member(t, socketUrl);
  const sid = await writer.create();
  const crowd = await Promise.all(Array.from({ length: 1000 }, () => Crowd.member(t, socketUrl)));
  await Promise.all(crowd.map((client) => client.follow(sid)));
  const heard = crowd.map((client) => client.heard(1));
  await writer.write(sid, 1);
  await Promise.all(heard);
  assert.deepEqual(warnings, []);
});

test('[BND9] five thousand events go to a client that acknowledges none of them, and then all at once', async (t) => {
  const { socketUrl, warnings } = await start(t);
  const slow = await Crowd.member(t, socketUrl);
  const writers = await Promise.all(Array.from({ length: 10 }, () => Crowd.member(t, socketUrl)));
  const sids = await Promise.all(writers.map((writer) => writer.create()));
  for (const sid of sids) await slow.follow(sid);
  const heard = slow.heard(5000);
  await Promise.all(
    writers.map((writer, i) => Promise.all(Array.from({ length: 500 }, (_, n) => writer.write(sids[i]!, n)))),
  );
  const events = await heard;
  assert.equal(new Set(events).size, 5000);
  for (const id of events) slow.acknowledge(id);
  // Asked behind them all, and answered.
  assert.equal((await slow.call('GET', `/v3/Documents/${sids[0]}`))['last_event_id'], 500);
  const next = slow.heard(5001);
  await writers[0]!.write(sids[0]!, 500);
  await next;
  assert.deepEqual([slow.isOpen, warnings], [true, []]);
});

async function start(t: TestContext): Promise<{ socketUrl: string; warnings: readonly string[] }> {
  const config = loadConfig({ argv: ['--store', 'memory', '--port', '0', '--drain-ms', '0'], env: {} });
  const warnings: string[] = [];
  const note = (_fields: object, message: string): void => void warnings.push(message);
  const log = { debug() {}, info() {}, warn: note, error: note };
  const server = await createServer({ ...config, credentials }, { log });
  t.after(() => server.stop());
  // That nothing of the memory store outlives the process is no concern here.
  warnings.length = 0;
  return { socketUrl: server.socketUrl, warnings };
}

/** One of many: it reads as fast as it comes, and acknowledges only when told to. */
class Crowd {
  readonly #socket: WebSocket;
  readonly #answers: Map<string, (frame: ServerFrame) => void> = new Map();
  /** Ids of the event frames so far. */
  readonly #events: string[] = [];
  #whenHeard: { readonly count: number; readonly resolve: (events: readonly string[]) => void } | undefined;
  #whenEstablished: () => void = () => {};
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => this.#receive(serverFrame(bytes)));
  }

  static async member(t: TestContext, url: string): Promise<Crowd> {
    const socket = new WebSocket(url);
    t.after(() => socket.terminate());
    await once(socket, 'open');
    const client = new Crowd(socket);
    const token = new AccessToken(credentials.accountSid, credentials.apiKey, credentials.apiSecret, {
      identity: 'ann',
    });
    token.addGrant(new SyncGrant({ serviceSid: credentials.serviceSid }));
    const types = ['twilio.sync.event', 'com.twilio.rtd.cds.document'];
    const registrations = [{ product: 'data_sync', type: 'ers', message_types: types }];
    const { header } = await client.#ask('init', { token: token.toJwt(), registrations, capabilities: [] });
    assert.deepEqual(header['status'], { code: 200, status: 'OK' });
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async call(method: string, path: string, body: unknown = ''): Promise<Fields> {
    const http = { host: 'x', path, method, params: {}, headers: {} };
    const frame = await this.#ask('message', { http_request: http }, body === '' ? '' : JSON.stringify(body));
    const { code } = frame.header['http_status'] as { code: number };
    assert.ok(code < 300, frame.payloadText);
    return frame.payload ?? {};
  }

  async create(): Promise<string> {
    return String((await this.call('POST', '/v3/Documents', { data: {} }))['sid']);
  }

  async write(sid: string, n: number): Promise<void> {
    await this.call('POST', `/v3/Documents/${sid}`, { data: { n } });
  }

  /** Resolves once it is followed. */
  async follow(sid: string): Promise<void> {
    const established = new Promise<void>((resolve) => {
      this.#whenEstablished = resolve;
    });
    await this.call('POST', '/v4/Subscriptions', {
      event_protocol_version: 4,
      action: 'establish',
      correlation_id: 1,
      requests: [{ object_sid: sid, object_type: 'document', last_event_id: null }],
    });
    await established;
  }

  /** Resolves to the ids of the event frames once there are so many. */
  heard(count: number): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#whenHeard = { count, resolve };
    });
  }

  acknowledge(id: string): void {
    const status = { code: 200, status: 'OK' };
    this.#socket.send(clientFrame(id, 'reply', { payload_type: 'application/json', status }));
  }

  #ask(method: string, fields: Fields, payload = ''): Promise<ServerFrame> {
    const id = `TM${this.#ids++}`;
    this.#socket.send(clientFrame(id, method, fields, payload));
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  #receive(frame: ServerFrame): void {
    const type = frame.payload?.['event_type'];
    if (frame.method === 'reply') this.#answers.get(frame.id)?.(frame);
    else if (type === 'subscription_established') this.#whenEstablished();
    else if (type === 'document_updated') this.#events.push(frame.id);
    if (this.#whenHeard?.count === this.#events.length) this.#whenHeard.resolve([...this.#events]);
  }
}
