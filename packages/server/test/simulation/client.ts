/**
 * A client that behaves as the official one where it matters: opens by name, subscribes with its position, ignores what
 * it knows, writes with conditions, renews its token, comes back with back-off and subscribes again.
 */

import type { History } from './history.ts';
import { acknowledgement, initFrame, readFrame, requestFrame, updateFrame } from './frames.ts';
import type { ServerFrame, Tunnelled } from './frames.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { ClientEnd, Wire } from './wire.ts';

/** What a client holds of one document. */
export interface Replica {
  readonly name: string;
  readonly sid: string;
  data: unknown;
  position: number;
  revision: string;
  /** Of the last establish; outcomes and replays of older ones are late and ignored. */
  correlation: number;
  isLive: boolean;
}

export interface ClientWorld {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly history: History;
  /** A token that lives as many seconds as the world says. */
  mint(identity: string): string;
  /** Undefined while the server is down. */
  dial(end: ClientEnd): Wire | undefined;
}

type Reply = ServerFrame | 'lost';

export class Client implements ClientEnd {
  readonly identity: string;
  readonly replicas: Map<string, Replica> = new Map();
  readonly #world: ClientWorld;
  #wire: Wire | undefined;
  #isConnected = false;
  #attempts = 0;
  #count = 0;
  #token: string;
  #stopped = false;
  readonly #waiting: Map<string, (reply: Reply) => void> = new Map();
  /** Writes on this connection without an answer yet. */
  readonly #openWrites: Set<string> = new Set();

  constructor(identity: string, world: ClientWorld) {
    this.identity = identity;
    this.#world = world;
    this.#token = world.mint(identity);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get wire(): Wire | undefined {
    return this.#wire;
  }

  connect(): void {
    if (this.#stopped) return;
    this.#wire = this.#world.dial(this);
    if (this.#wire === undefined) {
      this.#comeBack();
      return;
    }
    const id = this.#nextId();
    this.#waiting.set(id, (reply) => {
      if (reply === 'lost') return;
      if (reply.status !== 200) {
        this.#token = this.#world.mint(this.identity);
        return;
      }
      this.#isConnected = true;
      this.#attempts = 0;
      for (const replica of this.replicas.values()) this.#establish(replica);
    });
    this.#wire.up(initFrame(id, this.#token));
  }

  stop(): void {
    this.#stopped = true;
    this.#wire?.cut();
  }

  closed(): void {
    this.#isConnected = false;
    this.#wire = undefined;
    this.#openWrites.clear();
    for (const replica of this.replicas.values()) replica.isLive = false;
    for (const [id, settle] of [...this.#waiting]) {
      this.#waiting.delete(id);
      settle('lost');
    }
    this.#comeBack();
  }

  receive(bytes: Buffer): void {
    if (this.#wire === undefined) return;
    const frame = readFrame(bytes);
    if (frame.method !== 'reply') this.#wire.up(acknowledgement(frame.id));
    switch (frame.method) {
      case 'reply': {
        const settle = this.#waiting.get(frame.id);
        this.#waiting.delete(frame.id);
        settle?.(frame);
        return;
      }
      case 'client_update':
        // Now and then the backend does not answer in time, and the token runs out.
        if (this.#world.random.chance(0.6)) this.#renew();
        return;
      case 'notification':
        this.#notified(frame.body);
    }
  }

  #renew(): void {
    this.#world.history.counts.renewals++;
    this.#token = this.#world.mint(this.identity);
    this.#wire?.up(updateFrame(this.#nextId(), this.#token));
  }

  async open(name: string): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const got = await this.#request({ method: 'GET', path: `/v3/Documents/${encodeURIComponent(name)}` });
      if (got === 'lost') return;
      if (got.httpStatus === 200) {
        this.#hold(name, got.body);
        return;
      }
      const ttl = this.#world.random.chance(0.3) ? this.#world.random.between(5, 40) : 0;
      const made = await this.#write('/v3/Documents', { unique_name: name, ttl });
      if (made === 'lost') return;
      if (made.frame.httpStatus === 201) {
        this.#hold(name, { ...made.frame.body, data: made.data });
        return;
      }
    }
  }

  /** Unconditional, or as `mutate` does it: with the known revision, read again after a 412. */
  async change(replica: Replica, isConditional: boolean): Promise<void> {
    const path = `/v3/Documents/${replica.sid}`;
    for (let attempt = 0; attempt < 4; attempt++) {
      const headers = isConditional ? { 'If-Match': replica.revision } : {};
      const written = await this.#write(path, {}, headers);
      if (written === 'lost') return;
      const { frame, data } = written;
      if (frame.httpStatus === 200) this.#adopt(replica, frame.body, data);
      if (frame.httpStatus === 404) this.#forget(replica);
      if (frame.httpStatus !== 412) return;
      this.#world.history.counts.conflicts++;
      const got = await this.#request({ method: 'GET', path });
      if (got === 'lost') return;
      if (got.httpStatus === 200) this.#adopt(replica, got.body, got.body['data']);
    }
  }

  async remove(replica: Replica): Promise<void> {
    const reply = await this.#request({ method: 'DELETE', path: `/v3/Documents/${replica.sid}` });
    if (reply !== 'lost' && reply.httpStatus === 204) this.#forget(replica);
  }

  /** Closing, and sometimes opening again at once: cancel and establish cross. */
  close(replica: Replica, again: boolean): void {
    this.#subscription('cancel', replica.sid, null);
    if (!again) {
      this.replicas.delete(replica.name);
      return;
    }
    this.#world.history.counts.crossings++;
    this.#establish(replica);
  }

  /** Sends the write, and after a lost answer sometimes the same again, as a retry would. */
  async #write(
    path: string,
    fields: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly frame: ServerFrame; readonly data: unknown } | 'lost'> {
    const { history, random } = this.#world;
    const operation = `${this.identity}-${this.#count++}`;
    const data = { operation, pad: 'x'.repeat(random.between(0, 200)) };
    const requestId = `RQ${operation}`;
    const request = {
      method: 'POST',
      path,
      headers: { ...headers, 'Twilio-Request-Id': requestId },
      body: { ...fields, data },
    };
    const repeats = random.chance(0.15);
    if (repeats) {
      history.counts.repeats++;
      // The repeat of a write that is answered already is answered after its event, of course.
      void this.#request(request).then(() => this.#openWrites.delete(operation));
    }
    this.#openWrites.add(operation);
    const frame = await this.#request(request);
    this.#openWrites.delete(operation);
    if (frame === 'lost') return 'lost';
    if (frame.httpStatus < 300) history.acknowledged(operation);
    else if (frame.httpStatus === 503) history.refused(operation);
    return { frame, data };
  }

  #request(request: Tunnelled): Promise<Reply> {
    const wire = this.#wire;
    if (wire === undefined || !this.#isConnected) return Promise.resolve('lost');
    const id = this.#nextId();
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      wire.up(requestFrame(id, request));
    });
  }

  #hold(name: string, body: Readonly<Record<string, unknown>>): void {
    const replica: Replica = {
      name,
      sid: String(body['sid']),
      data: body['data'],
      position: Number(body['last_event_id']),
      revision: String(body['revision']),
      correlation: 0,
      isLive: false,
    };
    this.replicas.set(name, replica);
    this.#establish(replica);
  }

  #establish(replica: Replica): void {
    replica.isLive = false;
    replica.correlation = ++this.#count;
    this.#subscription('establish', replica.sid, replica.position, replica.correlation);
  }

  #subscription(action: string, sid: string, position: number | null, correlation: number = ++this.#count): void {
    const entry = {
      object_sid: sid,
      object_type: 'document',
      ...(action === 'establish' ? { last_event_id: position } : {}),
    };
    const body = { event_protocol_version: 4, action, correlation_id: correlation, requests: [entry] };
    void this.#request({ method: 'POST', path: '/v4/Subscriptions', body });
  }

  #notified(body: Readonly<Record<string, unknown>>): void {
    const correlation = body['correlation_id'];
    switch (body['event_type']) {
      case 'document_updated':
      case 'document_removed':
        this.#event(body['event_type'], body['event'] as Record<string, unknown>, correlation);
        return;
      case 'subscription_established':
      case 'subscription_failed':
        for (const entry of body['events'] as Record<string, unknown>[]) {
          const replica = this.#replicaOf(entry['object_sid']);
          if (replica?.correlation !== correlation || replica === undefined) continue;
          if (body['event_type'] === 'subscription_failed') this.#forget(replica);
          else replica.isLive = true;
        }
    }
  }

  #event(type: string, event: Readonly<Record<string, unknown>>, correlation: unknown): void {
    const { history } = this.#world;
    const replica = this.#replicaOf(event['document_sid']);
    if (replica === undefined) return;
    if (type === 'document_removed') {
      this.#forget(replica);
      return;
    }
    const id = Number(event['id']);
    const data = event['document_data'] as { operation?: string };
    // A replay tells the state that was read, which may hold a write whose answer is just being given.
    const isLive = correlation === undefined;
    if (isLive && data.operation !== undefined && this.#openWrites.has(data.operation)) {
      history.violate('EVT3', `${this.identity} got the event of ${data.operation} before its answer`);
    }
    if (!isLive) history.counts.replays++;
    this.#checkOrder(replica, id, correlation);
    this.#adopt(replica, { last_event_id: id, revision: event['document_revision'] }, data);
  }

  readonly #delivered: WeakMap<Replica, { connection: Wire | undefined; id: number }> = new WeakMap();

  /** Within one connection and subscription no event comes twice or after a later one. */
  #checkOrder(replica: Replica, id: number, correlation: unknown): void {
    const before = this.#delivered.get(replica);
    const isSame =
      before !== undefined && before.connection === this.#wire && replica.isLive && correlation === undefined;
    if (isSame && id <= before.id) {
      this.#world.history.violate('EVT2', `${this.identity} got event ${id} of ${replica.sid} after ${before.id}`);
    }
    if (isSame && id > before.id + 1) this.#world.history.counts.conflations++;
    this.#delivered.set(replica, { connection: this.#wire, id });
  }

  #adopt(replica: Replica, body: Readonly<Record<string, unknown>>, data: unknown): void {
    const id = Number(body['last_event_id']);
    if (id <= replica.position) return;
    replica.position = id;
    replica.revision = String(body['revision']);
    replica.data = data;
  }

  #replicaOf(sid: unknown): Replica | undefined {
    for (const replica of this.replicas.values()) if (replica.sid === sid) return replica;
    return undefined;
  }

  #forget(replica: Replica): void {
    if (this.replicas.get(replica.name) === replica) this.replicas.delete(replica.name);
  }

  #comeBack(): void {
    if (this.#stopped) return;
    this.#world.history.counts.reconnects++;
    const delay = Math.min(120_000, 1000 * 2 ** this.#attempts++) * (0.8 + 0.4 * this.#world.random.next());
    this.#world.time.after(delay, () => this.connect());
  }

  #nextId(): string {
    return `TM${this.identity}-${this.#count++}`;
  }
}
