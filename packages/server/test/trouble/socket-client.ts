/** One client of the compatible wire over a real WebSocket, with as many calls under way as it likes. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { answeredOf, clientFrame, serverFrame, statusOf } from '../frame-client.ts';
import type { Answered, Fields, ServerFrame } from '../frame-client.ts';
import { tokenOf } from './credentials.ts';

/** The connection ended before the answer came: nobody knows what became of the call. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

export interface DocumentEvent {
  readonly object: string;
  readonly id: number;
  readonly data: Fields;
}

interface Waiting {
  readonly resolve: (frame: ServerFrame) => void;
  readonly reject: (error: Error) => void;
}

export class SocketClient {
  readonly #socket: WebSocket;
  readonly #waiting: Map<string, Waiting> = new Map();
  #ids = 0;
  /** Told of every document event, in order. */
  onEvent: (event: DocumentEvent) => void = () => {};
  /** Resolves to the close code; 1006 when the connection just ended. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => this.#receive(serverFrame(bytes)));
    // A connection that is cut is expected here; `closed` tells.
    socket.on('error', () => {});
    this.closed = once(socket, 'close').then(([code]) => {
      for (const { reject } of this.#waiting.values()) reject(new Unanswered('the connection ended'));
      this.#waiting.clear();
      return code as number;
    });
  }

  static async open(url: string, identity = 'ann'): Promise<SocketClient> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const client = new SocketClient(socket);
    const types = ['twilio.sync.event', 'com.twilio.rtd.cds.document'];
    const registrations = [
      { product: 'data_sync', type: 'ers', notification_protocol_version: 0, message_types: types },
    ];
    const reply = await client.#send('init', { token: tokenOf(identity), registrations, capabilities: [] });
    assert.equal(statusOf(reply).code, 200);
    return client;
  }

  /** Calls whose answers have not come. */
  get underWay(): number {
    return this.#waiting.size;
  }

  /** Rejects with Unanswered when the connection ends first. */
  async call(method: string, path: string, body: unknown = '', headers: Fields = {}): Promise<Answered> {
    const http = { host: 'sync', path, method, params: {}, headers };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return answeredOf(await this.#send('message', { active_grant: 'data_sync', http_request: http }, text));
  }

  /** Creates a document and returns its sid. */
  async create(data: Fields, more: Fields = {}): Promise<string> {
    const { status, body } = await this.call('POST', '/v3/Documents', { data, ...more });
    assert.equal(status, 201);
    return String(body['sid']);
  }

  /** Asks for the events of documents from a position each; null: from now on. */
  async follow(positions: ReadonlyMap<string, number | null>): Promise<void> {
    const requests = [...positions].map(([sid, after]) => ({
      object_sid: sid,
      object_type: 'document',
      last_event_id: after,
    }));
    const request = { event_protocol_version: 4, action: 'establish', correlation_id: ++this.#ids, requests };
    const { status } = await this.call('POST', '/v4/Subscriptions', request);
    assert.equal(status, 202);
  }

  /** Reads nothing more from the socket until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.#socket.terminate();
  }

  #send(method: string, fields: Fields, payload = ''): Promise<ServerFrame> {
    const id = `TM${++this.#ids}`;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Unanswered('the connection has ended'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(clientFrame(id, method, fields, payload));
    });
  }

  #receive(frame: ServerFrame): void {
    if (frame.method === 'reply') {
      const waiting = this.#waiting.get(frame.id);
      this.#waiting.delete(frame.id);
      waiting?.resolve(frame);
      return;
    }
    const { event_type: type, event } = frame.payload ?? {};
    if (frame.method !== 'notification' || type !== 'document_updated') return;
    const { id, document_sid: object, document_data: data } = event as Fields;
    this.onEvent({ object: String(object), id: Number(id), data: data as Fields });
  }
}
