/** Frames of the compatible wire as a client writes and reads them. Shares no code with the server's. */

import assert from 'node:assert/strict';

export type Fields = Readonly<Record<string, unknown>>;

export interface ServerFrame {
  readonly method: string;
  readonly id: string;
  readonly header: Fields;
  /** Parsed; undefined when there is none. */
  readonly payload: Fields | undefined;
  readonly payloadText: string;
}

export interface Answered {
  readonly status: number;
  readonly body: Fields;
  readonly text: string;
}

/** One client frame. `fields` come after `id` and `method`; `payload` is given as it is. */
export function clientFrame(id: string, method: string, fields: Fields = {}, payload: string | Buffer = ''): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.from(JSON.stringify({ id, method, ...fields, payload_size: body.length }));
  return Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${header.length}\r\n`), header, Buffer.from('\r\n'), body]);
}

/** Any bytes between preamble and payload, with a right preamble. */
export function rawFrame(header: string | Buffer, payload = ''): Buffer {
  const bytes = Buffer.from(header);
  return Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${bytes.length}\r\n`), bytes, Buffer.from(`\r\n${payload}`)]);
}

/** Reads as the client library does: the preamble up to the first line end, then exactly the sizes that are told. */
export function serverFrame(bytes: Buffer): ServerFrame {
  const lineEnd = bytes.indexOf('\r\n');
  const [mark, version, size, ...more] = bytes.toString('latin1', 0, lineEnd).split(' ');
  assert.deepEqual([mark, version, more], ['TWILSOCK', 'V3.0', []]);
  const headerEnd = lineEnd + 2 + Number(size);
  const header = JSON.parse(bytes.toString('utf8', lineEnd + 2, headerEnd)) as Fields;
  const { method, id, payload_size: payloadSize, payload_type: payloadType } = header;
  assert.ok(typeof method === 'string' && typeof id === 'string' && typeof payloadSize === 'number');
  assert.equal(bytes.toString('latin1', headerEnd, headerEnd + 2), '\r\n');
  assert.equal(bytes.length, headerEnd + 2 + payloadSize, 'the sizes fill the message');
  const payloadText = bytes.toString('utf8', headerEnd + 2);
  if (payloadSize > 0) assert.equal(payloadType, 'application/json');
  const payload = payloadSize > 0 ? (JSON.parse(payloadText) as Fields) : undefined;
  return { method, id, header, payload, payloadText };
}

/** The status of a reply or close frame. */
export function statusOf(frame: ServerFrame | undefined): { code: number; status: string; errorCode?: number } {
  assert.ok(frame !== undefined, 'there is no such frame');
  return frame.header['status'] as { code: number; status: string; errorCode?: number };
}

/** The inner result of a reply to a request, whose outer status must be 200. [CON11] */
export function answeredOf(frame: ServerFrame | undefined): Answered {
  assert.equal(statusOf(frame).code, 200);
  const { header, payload, payloadText } = frame!;
  const { code } = header['http_status'] as { code: number };
  return { status: code, body: payload ?? {}, text: payloadText };
}
