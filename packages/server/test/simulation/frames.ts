/** The client's side of the wire's frames. */

import { decodeFrame, encodeFrame } from '../../src/transport/compat/frame.ts';

export interface Tunnelled {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export function requestFrame(id: string, request: Tunnelled): Buffer {
  const { method, path, headers = {}, body } = request;
  const http = JSON.stringify({ host: 'anywhere', path, method, params: {}, headers });
  const payload = body === undefined ? '' : JSON.stringify(body);
  return encodeFrame('message', id, `,"active_grant":"data_sync","http_request":${http}`, payload);
}

export function initFrame(id: string, token: string): Buffer {
  const types = ['twilio.sync.event', 'com.twilio.rtd.cds.document'];
  const fields = {
    token,
    continuation_token: null,
    capabilities: ['client_update', 'offline_storage'],
    registrations: [{ product: 'data_sync', type: 'ers', notification_protocol_version: 0, message_types: types }],
  };
  return encodeFrame('init', id, `,${JSON.stringify(fields).slice(1, -1)}`);
}

export function updateFrame(id: string, token: string): Buffer {
  return encodeFrame('update', id, `,"token":"${token}"`);
}

export function acknowledgement(id: string): Buffer {
  const status = '{"code":200,"status":"OK"}';
  const header = `{"id":"${id}","method":"reply","payload_type":"application/json","status":${status},"payload_size":0}`;
  return Buffer.from(`TWILSOCK V3.0 ${header.length}\r\n${header}\r\n`);
}

export interface ServerFrame {
  readonly method: string;
  readonly id: string;
  readonly status: number;
  readonly errorCode: number;
  /** Of a tunnelled request; 0 for other frames. */
  readonly httpStatus: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function readFrame(bytes: Buffer): ServerFrame {
  const frame = decodeFrame(bytes);
  if (frame === undefined) throw new Error(`not a frame: ${bytes.toString()}`);
  const status = (frame.header['status'] ?? {}) as { code?: number; errorCode?: number };
  const http = (frame.header['http_status'] ?? {}) as { code?: number };
  const text = frame.payload.toString();
  return {
    method: frame.method,
    id: frame.id,
    status: status.code ?? 0,
    errorCode: status.errorCode ?? 0,
    httpStatus: http.code ?? 0,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}
