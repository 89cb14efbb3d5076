/**
 * The real engine and the real compatible door without sockets: over links that are queues, a clock that stands still
 * and the memory engine behind gates. Nothing moves but by `settle`, `deliver` and `clock.advance`.
 */

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { createAuthenticate } from '../src/auth.ts';
import { createLocalBus } from '../src/bus/local.ts';
import { Engine } from '../src/engine/engine.ts';
import type { EngineOptions } from '../src/engine/engine.ts';
import type { Link, Message } from '../src/engine/message.ts';
import type { Ids, Log } from '../src/platform.ts';
import { createSealer } from '../src/sealing.ts';
import { openMemory } from '../src/storage/memory.ts';
import type { Arrival } from '../src/transport/admission.ts';
import type { Connection } from '../src/transport/compat/connection.ts';
import { createCompatDoor } from '../src/transport/compat/door.ts';
import type { CompatDoor, DoorOptions } from '../src/transport/compat/door.ts';
import { account, keySid, otherService, putKey, putService, service } from './commands.ts';
import { answeredOf, clientFrame, serverFrame, statusOf } from './frame-client.ts';
import type { Answered, Fields, ServerFrame } from './frame-client.ts';
import { GatedStorage } from './gated-storage.ts';
import { TimerClock } from './timer-clock.ts';

export const secret = 'the secret of key 1';
export const secondSecret = 'the secret of key 2';
/** The message types that the client library registers and this server sends. */
export const allTypes: readonly string[] = [
  'twilio.sync.event',
  'com.twilio.rtd.cds.document',
  'com.twilio.rtd.cds.list',
  'com.twilio.rtd.cds.map',
];

const sealer = createSealer('the secrets key of these tests, long enough');

export interface TokenOptions {
  readonly ttl?: number;
  readonly service?: string;
  readonly key?: 1 | 2;
  readonly nbf?: number;
}

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

const defaults: EngineOptions & DoorOptions = {
  writeQueue: Infinity,
  batchCommands: 1024,
  commitTimeoutMs: Infinity,
  maxSubscriptions: 2000,
  sweepIntervalMs: 1000,
  publicUrl: 'https://sync.example.org',
  outboxBytes: Infinity,
  initTimeoutMs: 30_000,
  maxFrameBytes: 262_144,
  maxRequests: 32,
  requestRate: Infinity,
  pingIntervalMs: Infinity,
  drainMs: 10_000,
};

export async function openDoor(
  options: Partial<EngineOptions & DoorOptions> = {},
  epoch = 'test epoch',
): Promise<Harness> {
  const harness = new Harness({ ...defaults, ...options }, epoch);
  await harness.start();
  return harness;
}

export class Harness {
  readonly clock: TimerClock = new TimerClock();
  readonly storage: GatedStorage;
  readonly engine: Engine;
  readonly door: CompatDoor;
  readonly log: LogLine[] = [];
  readonly clients: Client[] = [];

  constructor(options: EngineOptions & DoorOptions, epoch: string) {
    const { clock } = this;
    const log = recorder(this.log);
    const ids = countedIds();
    this.storage = new GatedStorage(openMemory({ epoch, now: clock.now }));
    this.engine = new Engine({ storage: this.storage, bus: createLocalBus(), clock, ids, log, sealer, options });
    const authenticate = createAuthenticate(this.engine.directory, clock.now);
    this.door = createCompatDoor({ engine: this.engine, authenticate, clock, ids, log, options });
  }

  async start(): Promise<void> {
    await this.engine.start();
    // One by one: the queue of a test may be short.
    for (const command of [
      { type: 'putAccount', sid: account, authToken: 'the token of the account' } as const,
      putService(service, 'default'),
      putService(otherService),
      putKey(1, secret),
      putKey(2, secondSecret),
    ]) {
      const made = this.engine.administration.put([command]);
      await this.settle();
      await made;
    }
    this.storage.commits.length = 0;
    this.storage.reads.length = 0;
    this.door.start();
  }

  token(identity = 'ann', { ttl = 3600, service: of, key = 1, nbf }: TokenOptions = {}): string {
    const token = new AccessToken(account, keySid(key), key === 1 ? secret : secondSecret, {
      identity,
      ttl,
      nbf,
      now: this.clock.now,
    });
    token.addGrant(new SyncGrant({ serviceSid: of }));
    return token.toJwt();
  }

  /** An open socket that has said nothing. */
  open(arrival: Arrival = { address: '192.0.2.1', waitMs: 0 }): Client {
    const client = new Client(this, arrival);
    this.clients.push(client);
    return client;
  }

  /** A client that is connected. What came so far is forgotten. */
  async connect(identity = 'ann', options: TokenOptions = {}, fields: Fields = {}): Promise<Client> {
    const client = await this.connectAndKeep(identity, options, fields);
    client.take();
    return client;
  }

  /** A client that is connected, and has taken nothing of what came. */
  async connectAndKeep(identity = 'ann', options: TokenOptions = {}, fields: Fields = {}): Promise<Client> {
    const client = this.open();
    const reply = await client.init(this.token(identity, options), fields);
    assert.equal(statusOf(reply).code, 200);
    return client;
  }

  /** Everything that can happen without time passing, timers that are due now included. */
  async settle(): Promise<void> {
    do {
      this.clock.advance(0);
      this.clock.endTurn();
      // Promises run to their end in between; no time passes.
      await setImmediate();
    } while (this.clock.hasSoon);
  }

  /** Moves the clock and lets everything happen that follows. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }
}

/** The server's link to one client, which keeps what was sent. */
export class FakeLink implements Link {
  /** What `send` was given, call by call. */
  readonly writes: (readonly Message[])[] = [];
  buffered = 0;
  /** Whether the peer reads; otherwise what is sent stays buffered. */
  isReading = true;
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  isDropped = false;
  isPaused = false;

  send(messages: readonly Message[]): void {
    assert.ok(this.isOpen, 'nothing is sent on a closed link');
    this.writes.push([...messages]);
    if (!this.isReading) for (const { bytes } of messages) this.buffered += bytes.length;
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
  }

  drop(): void {
    this.isDropped = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  get isOpen(): boolean {
    return !this.isDropped && this.closedWith === undefined;
  }
}

/** One client of the compatible wire. */
export class Client {
  readonly link: FakeLink = new FakeLink();
  readonly connection: Connection;
  readonly #harness: Harness;
  readonly #frames: ServerFrame[] = [];
  #writesRead = 0;
  #taken = 0;
  #ids = 0;

  constructor(harness: Harness, arrival: Arrival) {
    this.#harness = harness;
    this.connection = harness.door.accept(this.link, arrival);
  }

  /** Every frame that the server sent so far. */
  get frames(): readonly ServerFrame[] {
    const fresh = this.link.writes.slice(this.#writesRead);
    this.#writesRead += fresh.length;
    this.#frames.push(...fresh.flat().map(({ bytes }) => serverFrame(bytes)));
    return this.#frames;
  }

  /** The frames since the last call. */
  take(): readonly ServerFrame[] {
    const fresh = this.frames.slice(this.#taken);
    this.#taken += fresh.length;
    return fresh;
  }

  /** Sends a frame under a fresh id, which is returned. Nothing happens yet. */
  send(method: string, fields: Fields = {}, payload: string | Buffer = ''): string {
    const id = `TM${this.#ids++}`;
    this.receive(clientFrame(id, method, fields, payload));
    return id;
  }

  /** Hands raw bytes to the server. */
  receive(bytes: Buffer, isBinary = true): void {
    this.connection.receive(bytes, isBinary);
  }

  replyTo(id: string): ServerFrame | undefined {
    const replies = this.frames.filter((frame) => frame.method === 'reply' && frame.id === id);
    assert.ok(replies.length <= 1, `${id} is answered more than once`);
    return replies[0];
  }

  async init(token: unknown, fields: Fields = {}): Promise<ServerFrame | undefined> {
    const id = this.send('init', {
      token,
      continuation_token: null,
      metadata: { ver: '1.0.2' },
      registrations: [{ product: 'data_sync', type: 'ers', notification_protocol_version: 0, message_types: allTypes }],
      tweaks: null,
      capabilities: ['client_update', 'offline_storage', 'telemetry.v1'],
      ...fields,
    });
    await this.#harness.settle();
    return this.replyTo(id);
  }

  async update(token: string): Promise<ServerFrame | undefined> {
    const id = this.send('update', { token });
    await this.#harness.settle();
    return this.replyTo(id);
  }

  /**
   * Sends a tunnelled request and returns its id. `body` is JSON text, or what is made into it; a query of the path
   * travels apart, its values still encoded, as the client library sends it.
   */
  request(method: string, path: string, body: unknown = '', headers: Fields = {}): string {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const [bare = '', query = ''] = path.split('?');
    const params = Object.fromEntries(
      query
        .split('&')
        .filter((pair) => pair !== '')
        .map((pair) => pair.split('=')),
    );
    const http = { host: 'cds.us1.twilio.com', path: bare, method, params, headers };
    return this.send('message', { active_grant: 'data_sync', http_request: http }, text);
  }

  answerTo(id: string): Answered {
    return answeredOf(this.replyTo(id));
  }

  async call(method: string, path: string, body: unknown = '', headers: Fields = {}): Promise<Answered> {
    const id = this.request(method, path, body, headers);
    await this.#harness.settle();
    return this.answerTo(id);
  }

  /** Creates a document and returns its sid. */
  async create(data: unknown = {}, more: Fields = {}): Promise<string> {
    const { status, body } = await this.call('POST', '/v3/Documents', { data, ...more });
    assert.equal(status, 201);
    return body['sid'] as string;
  }

  async write(sid: string, data: unknown): Promise<void> {
    const { status } = await this.call('POST', `/v3/Documents/${sid}`, { data });
    assert.equal(status, 200);
  }

  /** Sends a subscription request and returns its id. */
  subscribe(requests: readonly Fields[], more: Fields = {}): string {
    const body = {
      event_protocol_version: 4,
      action: 'establish',
      correlation_id: 7,
      retried_requests: 0,
      ttl_in_s: -1,
      requests: requests.map((entry) => ({ object_type: 'document', ...entry })),
      ...more,
    };
    return this.request('POST', '/v4/Subscriptions', body);
  }

  /** Subscribes from `after` on, and forgets what the server said to it. */
  async follow(sid: string, after: number | null = null): Promise<void> {
    this.subscribe([{ object_sid: sid, last_event_id: after }]);
    await this.#harness.settle();
    const outcome = this.take().at(-1)?.payload;
    assert.equal(outcome?.['event_type'], 'subscription_established');
  }
}

/** The payloads of the notifications among frames. */
export function notifications(frames: readonly ServerFrame[]): readonly Fields[] {
  return frames.filter(({ method }) => method === 'notification').map(({ payload }) => payload ?? {});
}

/** The events among frames, each as its id, such as `[1, 2, 'removed 3']`. */
export function eventIds(frames: readonly ServerFrame[]): readonly (number | string)[] {
  const ids: (number | string)[] = [];
  for (const { event_type: type, event } of notifications(frames)) {
    const { id } = (event ?? {}) as { readonly id?: number };
    if (type === 'document_updated' && id !== undefined) ids.push(id);
    if (type === 'document_removed') ids.push(`removed ${id}`);
  }
  return ids;
}

function countedIds(): Ids {
  let count = 0;
  return { secret: (bytes) => (++count).toString(16).padStart(2 * bytes, '0') };
}

function recorder(lines: LogLine[]): Log {
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields, message });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
