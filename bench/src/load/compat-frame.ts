/** Frames of the compat protocol, whole and parsed: for setting up, not for the measured path. */

interface Header {
  readonly method: string;
  readonly id: string;
  readonly payload_size: number;
  readonly status?: { readonly code: number; readonly description?: string };
  readonly http_status?: { readonly code: number };
}

export interface Frame {
  readonly header: Header;
  /** Undefined when there is none. */
  readonly payload: Payload | undefined;
}

/** Members that the load reads, of whatever payload. */
export interface Payload {
  readonly sid?: string;
  readonly url?: string;
  readonly last_event_id?: number;
  readonly event_type?: string;
  readonly events?: readonly { readonly object_sid: string }[];
}

export function encodeFrame(header: Record<string, unknown>, payload = ''): Buffer {
  const text = JSON.stringify({ ...header, payload_size: Buffer.byteLength(payload) });
  return Buffer.from(`TWILSOCK V3.0 ${Buffer.byteLength(text)}\r\n${text}\r\n${payload}`);
}

/** Throws on anything that is not a frame. */
export function decodeFrame(bytes: Buffer): Frame {
  const lineEnd = bytes.indexOf('\r\n');
  const [, size] = /^TWILSOCK V3\.0 (\d+) ?$/.exec(bytes.toString('latin1', 0, lineEnd)) ?? [];
  if (size === undefined) throw new Error(`no frame: ${bytes.toString('utf8', 0, 60)}`);
  const headerAt = lineEnd + 2;
  const headerEnd = headerAt + Number(size);
  const header: Header = JSON.parse(bytes.toString('utf8', headerAt, headerEnd));
  const payloadAt = headerEnd + 2;
  const text = bytes.toString('utf8', payloadAt, payloadAt + header.payload_size);
  const payload: Payload | undefined = text === '' ? undefined : JSON.parse(text);
  return { header, payload };
}
