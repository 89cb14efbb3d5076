/** Frames of the wire, read strictly and independently of the server's own codec. */

export type Header = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly header: Header;
  readonly method: string;
  readonly id: string;
  /** Text; '' when there is none. */
  readonly payload: string;
}

const preamble = /^TWILSOCK V3\.0 (\d+)$/;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws an Error that says how the bytes are no frame. */
export function parseFrame(bytes: Buffer): Frame {
  const lineEnd = bytes.indexOf('\r\n');
  const size = preamble.exec(bytes.toString('latin1', 0, Math.max(0, lineEnd)))?.[1];
  if (size === undefined) throw new Error(`no preamble: ${bytes.toString('latin1', 0, 40)}`);
  const headerEnd = lineEnd + 2 + Number(size);
  const header = JSON.parse(strictUtf8.decode(bytes.subarray(lineEnd + 2, headerEnd))) as Header;
  if (bytes.toString('latin1', headerEnd, headerEnd + 2) !== '\r\n') throw new Error('no line end after the header');
  const { method, id, payload_size: payloadSize } = header;
  if (typeof method !== 'string' || typeof id !== 'string' || id === '') throw new Error('no method or id');
  if (typeof payloadSize !== 'number') throw new Error('payload_size is not a number');
  const payload = bytes.subarray(headerEnd + 2);
  if (payload.length !== payloadSize) throw new Error(`payload of ${payload.length} bytes, told ${payloadSize}`);
  return { header, method, id, payload: strictUtf8.decode(payload) };
}

export function encodeFrame(header: Readonly<Record<string, unknown>>, payload: string | Buffer = ''): Buffer {
  const body = Buffer.from(payload);
  const text = Buffer.from(JSON.stringify({ ...header, payload_size: body.length }));
  return Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${text.length}\r\n`), text, Buffer.from('\r\n'), body]);
}

/** The tunnelled request of a client frame, or undefined. */
export function requestOf(frame: Frame): { method: string; path: string } | undefined {
  const request = frame.header['http_request'];
  return frame.method === 'message' ? (request as { method: string; path: string }) : undefined;
}

export interface Status {
  readonly code: number;
  readonly errorCode?: number;
}

/** The outer status of a reply or a close frame. */
export function statusOf(frame: Frame): Status {
  return frame.header['status'] as Status;
}
