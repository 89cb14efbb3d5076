/**
 * Frames of the compatible wire, to and from bytes: a preamble with the header's length, a JSON header, and a payload
 * of `payload_size` bytes. Knows no method. PROTOCOL.md, Frames.
 */

import { isUtf8 } from 'node:buffer';

export type Header = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly header: Header;
  readonly method: string;
  readonly id: string;
  readonly payload: Buffer;
}

const preamble = /^TWILSOCK V3\.0 (\d{1,7}) ?$/;
/** No preamble is longer than this. */
const longestPreamble = 32;

/** Undefined for everything that breaks the framing. [CON4] */
export function decodeFrame(bytes: Buffer): Frame | undefined {
  const lineEnd = bytes.indexOf(13);
  if (lineEnd < 0 || lineEnd > longestPreamble || bytes[lineEnd + 1] !== 10) return undefined;
  const match = preamble.exec(bytes.toString('latin1', 0, lineEnd));
  if (match === null) return undefined;
  const headerEnd = lineEnd + 2 + Number(match[1]);
  if (headerEnd > bytes.length) return undefined;
  const header = parseObject(bytes.subarray(lineEnd + 2, headerEnd));
  if (header === undefined) return undefined;
  const { method, id, payload_size: size = 0 } = header;
  if (typeof method !== 'string' || typeof id !== 'string' || id === '') return undefined;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) return undefined;
  // A line end closes the header when a payload follows; without one it may be left out.
  const start = headerEnd + 2;
  const hasLineEnd = bytes[headerEnd] === 13 && bytes[headerEnd + 1] === 10;
  if (size > 0 && (!hasLineEnd || start + size > bytes.length)) return undefined;
  // One more line end may follow, as some clients send it. Anything else means that the sizes lie.
  if (!isLineEnds(bytes, size > 0 ? start + size : headerEnd)) return undefined;
  return { header, method, id, payload: bytes.subarray(start, start + size) };
}

/** Whether from `start` on there is nothing, or one or two line ends. */
function isLineEnds(bytes: Buffer, start: number): boolean {
  const rest = bytes.length - start;
  return rest === 0 || ((rest === 2 || rest === 4) && '\r\n\r\n'.startsWith(bytes.toString('latin1', start)));
}

/** The text of a payload, or undefined when it is not UTF-8. */
export function textOf(payload: Buffer): string | undefined {
  return isUtf8(payload) ? payload.toString() : undefined;
}

/** `fields`: the members of the header between `id` and `payload_size`, as JSON text that begins with a comma, or ''. */
export function encodeFrame(method: string, id: string, fields: string, payload = ''): Buffer {
  const size = payload === '' ? 0 : Buffer.byteLength(payload);
  const type = size > 0 ? ',"payload_type":"application/json"' : '';
  const header = `{"method":"${method}","id":${JSON.stringify(id)}${type}${fields},"payload_size":${size}}`;
  const headerSize = Buffer.byteLength(header);
  return Buffer.from(`TWILSOCK V3.0 ${headerSize}\r\n${header}\r\n${payload}`);
}

const replyMark = Buffer.from('","method":"reply"');
const idMark = Buffer.from('\r\n{"id":"');
/** Ids of server frames are shorter; no longer id can acknowledge one. */
const longestId = 48;

/**
 * Whether a message is an acknowledgement in the form that the client library writes it: `id` first, `method` second.
 * Most messages of a busy connection are such, and are recognised without parsing them. [EVT4]
 */
export function isAcknowledgement(bytes: Buffer): boolean {
  // The first line end closes the preamble: only the header's own first members count, not an inner object's.
  const start = bytes.indexOf(0x0d);
  if (start < 0 || start > longestPreamble || !isAt(bytes, start, idMark)) return false;
  const idStart = start + idMark.length;
  const end = bytes.indexOf(0x22, idStart);
  return end >= 0 && end - idStart <= longestId && isAt(bytes, end, replyMark);
}

/** Byte by byte: for so few, a call into the platform costs more. */
function isAt(bytes: Buffer, start: number, mark: Buffer): boolean {
  for (let i = 0; i < mark.length; i++) if (bytes[start + i] !== mark[i]) return false;
  return true;
}

function parseObject(bytes: Buffer): Header | undefined {
  try {
    const value: unknown = JSON.parse(textOf(bytes) ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Header) : undefined;
  } catch {
    return undefined;
  }
}
