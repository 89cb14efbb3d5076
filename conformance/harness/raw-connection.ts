/** A client without an SDK, for what no SDK does: it sends any bytes and shows every frame that comes back. */

import './process-check.ts';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { libraryToken } from './credentials.ts';
import { until, within } from './deadline.ts';
import { encodeFrame, parseFrame } from './frames.ts';
import type { Frame, Header } from './frames.ts';

const allMessageTypes: readonly string[] = ['twilio.sync.event', 'com.twilio.rtd.cds.document'];

const kinds: Readonly<Record<string, string>> = { ES: 'list', MP: 'map', TO: 'stream' };

export interface InitOptions {
  readonly token?: unknown;
  readonly messageTypes?: readonly string[];
  readonly fields?: Header;
}

/** The result of a tunnelled request. */
export interface Answer {
  /** Of the frame. */
  readonly outer: number;
  /** Of the request; undefined when the frame has none. */
  readonly status: number | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export class RawConnection {
  /** Every frame of the server, replies included. */
  readonly frames: Frame[] = [];
  /** Whether frames of the server are acknowledged, as every client does. */
  acknowledges = true;
  readonly #socket: WebSocket;
  readonly #closed: PromiseWithResolvers<number> = Promise.withResolvers();

  constructor(t: TestContext, socketUrl: string) {
    this.#socket = new WebSocket(socketUrl);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }) => this.#receive(parseFrame(Buffer.from(data as ArrayBuffer))));
    this.#socket.addEventListener('close', ({ code }) => this.#closed.resolve(code));
    t.after(async () => {
      this.#socket.close();
      await this.closed();
    });
  }

  /** The code with which the socket was closed. 1006: without one. */
  closed(ms?: number): Promise<number> {
    return within('the socket is closed', this.#closed.promise, ms);
  }

  async opened(): Promise<void> {
    await until('the socket is open', () => this.#socket.readyState === WebSocket.OPEN);
  }

  send(message: Buffer | string): void {
    this.#socket.send(message);
  }

  async sendFrame(header: Header, payload?: string | Buffer): Promise<void> {
    await this.opened();
    this.send(encodeFrame(header, payload));
  }

  /** Sends a frame with an id of its own and waits for the reply to it. */
  async ask(header: Header, payload?: string | Buffer): Promise<Frame> {
    const id = `TM${randomUUID()}`;
    await this.sendFrame({ ...header, id }, payload);
    return await this.frame(`the reply to ${String(header['method'])}`, (frame) => frame.id === id);
  }

  /** The first frame of the server, past or to come, that is wanted. */
  async frame(what: string, isWanted: (frame: Frame) => boolean): Promise<Frame> {
    await until(what, () => this.frames.some(isWanted));
    return this.frames.find(isWanted)!;
  }

  async init(identity: string, options: InitOptions = {}): Promise<Frame> {
    const { token = libraryToken(identity), messageTypes = allMessageTypes, fields = {} } = options;
    const registrations = messageTypes.length === 0 ? null : [{ product: 'data_sync', message_types: messageTypes }];
    return await this.ask({ method: 'init', token, registrations, capabilities: ['client_update'], ...fields });
  }

  /** `headers` as of HTTP; `body` is sent as it is, and so are `params`, whose values are percent-encoded. */
  async request(
    method: string,
    path: string,
    body: string | Buffer = '',
    headers: Header = {},
    params: Header = {},
  ): Promise<Answer> {
    const request = { host: 'example.org', path, method, params, headers };
    const frame = await this.ask({ method: 'message', active_grant: 'data_sync', http_request: request }, body);
    return {
      outer: (frame.header['status'] as { code: number }).code,
      status: (frame.header['http_status'] as { code: number } | undefined)?.code,
      body: frame.payload === '' ? {} : (JSON.parse(frame.payload) as Answer['body']),
    };
  }

  async subscribe(
    action: 'establish' | 'cancel',
    correlation: number,
    entries: readonly (readonly [sid: string, after: number | null])[],
    protocol: number = 4,
  ): Promise<Answer> {
    const requests = entries.map(([sid, after]) => ({
      object_sid: sid,
      object_type: kinds[sid.slice(0, 2)] ?? 'document',
      last_event_id: after,
    }));
    const body = { event_protocol_version: protocol, action, correlation_id: correlation, requests };
    return await this.request('POST', '/v4/Subscriptions', JSON.stringify(body));
  }

  /** The payloads of all notifications so far whose event type is this. */
  notifications(eventType: string): readonly Readonly<Record<string, unknown>>[] {
    return this.frames
      .filter((frame) => frame.method === 'notification')
      .map((frame) => JSON.parse(frame.payload) as Readonly<Record<string, unknown>>)
      .filter((payload) => payload['event_type'] === eventType);
  }

  #receive(frame: Frame): void {
    this.frames.push(frame);
    if (frame.method === 'reply' || !this.acknowledges) return;
    this.send(encodeFrame({ id: frame.id, method: 'reply', status: { code: 200, status: 'OK' } }));
  }
}
