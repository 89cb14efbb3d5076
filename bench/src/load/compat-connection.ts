/**
 * One client of the compat door: initialised, able to make requests, and obedient (it acknowledges what is pushed). What is
 * measured takes over the socket's messages and hands back those that it does not know.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { decodeFrame, encodeFrame } from './compat-frame.ts';
import type { Frame, Payload } from './compat-frame.ts';
import { ClientSocket } from './websocket.ts';
import type { OnMessage } from './websocket.ts';

export interface Answer {
  readonly status: number;
  readonly body: Payload | undefined;
}

const eventProtocol = 4;
const messageTypes = [
  'twilio.sync.event',
  'com.twilio.rtd.cds.document',
  'com.twilio.rtd.cds.list',
  'com.twilio.rtd.cds.map',
];
const clientInfo = JSON.stringify({ sdk: 'js', sdkVer: '4.0.1', os: 'Linux', osVer: null, pl: 'Node.js' });

export class CompatConnection {
  readonly socket: ClientSocket;
  readonly #waiting = new Map<string, (frame: Frame) => void>();
  #onNotification: (notification: Payload) => void = () => undefined;

  private constructor(url: URL) {
    this.socket = new ClientSocket(url, { onMessage: this.handle });
  }

  /** Rejects when the server refuses the token. */
  static async open(url: URL, token: string): Promise<CompatConnection> {
    const connection = new CompatConnection(url);
    await connection.socket.opened;
    const registration = { product: 'data_sync', type: 'ers', notification_protocol_version: 0 };
    const { header } = await connection.#ask({
      method: 'init',
      token,
      continuation_token: null,
      metadata: { ver: '1.0.2', env: 'Node.js', type: 'sync', sdk: 'JS', sdkv: '4.0.1' },
      registrations: [{ ...registration, message_types: messageTypes }],
      tweaks: null,
      capabilities: ['client_update', 'offline_storage'],
    });
    if (header.status?.code !== 200) throw new Error(`init refused: ${JSON.stringify(header.status)}`);
    return connection;
  }

  async request(method: string, path: string, body: string): Promise<Answer> {
    const { header, payload } = await this.#ask(requestHeader(method, path), body);
    return { status: header.http_status?.code ?? 0, body: payload };
  }

  /** Resolves when all of them are established, from the state that each has. */
  async subscribe(documents: readonly { readonly sid: string; readonly lastEventId: number }[]): Promise<void> {
    const left = new Set(documents.map((document) => document.sid));
    const established = Promise.withResolvers<void>();
    this.#onNotification = ({ event_type, events }) => {
      if (event_type !== 'subscription_established') return established.reject(new Error(event_type));
      for (const event of events ?? []) left.delete(event.object_sid);
      if (left.size === 0) established.resolve();
    };
    const requests = documents.map(({ sid, lastEventId }) => ({
      object_sid: sid,
      object_type: 'document',
      last_event_id: lastEventId,
    }));
    const batch = { event_protocol_version: eventProtocol, action: 'establish', correlation_id: Date.now() };
    const body = JSON.stringify({ ...batch, retried_requests: 0, ttl_in_s: -1, requests });
    const { status } = await this.request('POST', '/v4/Subscriptions', body);
    if (status < 200 || status > 299) throw new Error(`subscription refused: ${status}`);
    await established.promise;
  }

  /** Takes any message, slowly. */
  readonly handle: OnMessage = (bytes, start, end) => {
    const frame = decodeFrame(bytes.subarray(start, end));
    const { method, id } = frame.header;
    if (method === 'reply') {
      const settle = this.#waiting.get(id);
      if (settle === undefined) throw new Error(`an answer that was not expected: ${JSON.stringify(frame)}`);
      this.#waiting.delete(id);
      return settle(frame);
    }
    const status = { code: 200, status: 'OK' };
    this.socket.sendBinary(encodeFrame({ id, method: 'reply', payload_type: 'application/json', status }));
    if (method === 'close') throw new Error(`the server closed: ${JSON.stringify(frame.header)}`);
    if (method === 'notification') this.#onNotification(frame.payload ?? {});
  };

  #ask(header: Record<string, unknown>, body = ''): Promise<Frame> {
    const id = `TM${randomUUID()}`;
    const answer = Promise.withResolvers<Frame>();
    this.#waiting.set(id, answer.resolve);
    this.socket.sendBinary(encodeFrame({ id, ...header }, body));
    return answer.promise;
  }
}

/** Without the frame's own id. */
export function requestHeader(method: string, path: string): Record<string, unknown> {
  return {
    method: 'message',
    active_grant: 'data_sync',
    payload_type: 'application/json',
    http_request: {
      host: 'cds.us1.twilio.com',
      path,
      method,
      params: {},
      headers: {
        'Content-Type': 'application/json',
        'Twilio-Sync-Client-Info': clientInfo,
        'Twilio-Request-Id': `RQ${randomBytes(16).toString('hex')}`,
      },
    },
  };
}
