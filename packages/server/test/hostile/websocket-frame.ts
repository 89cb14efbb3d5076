/** WebSocket frames as a client may write them, true to RFC 6455 or not; and as the server's are read. */

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Lies {
  readonly opcode?: number;
  /** Whether it is the last fragment. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header says of the size. */
  readonly size?: bigint;
  /** Writes a size with 16 or 64 bits that needs fewer. */
  readonly sizeBits?: 16 | 64;
}

/** One frame; without lies, a good binary one. */
export function webSocketFrame(payload: Uint8Array | string, lies: Lies = {}): Buffer {
  const body = Buffer.from(payload);
  const size = lies.size ?? BigInt(body.length);
  const bits = lies.sizeBits ?? (size < 126n ? 7 : size < 65_536n ? 16 : 64);
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = ((lies.fin ?? true) ? 0x80 : 0) | ((lies.reserved ?? 0) << 4) | (lies.opcode ?? opcode.binary);
  const isMasked = lies.masked ?? true;
  head[1] = (isMasked ? 0x80 : 0) | (bits === 7 ? Number(size) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(size), 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt.asUintN(64, size), 2);
  if (!isMasked) return Buffer.concat([head, body]);
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  for (let i = 0; i < body.length; i++) body[i]! ^= mask[i & 3]!;
  return Buffer.concat([head, mask, body]);
}

/** A close frame with a code and a reason. */
export function closingFrame(code: number, reason: string | Buffer = ''): Buffer {
  return webSocketFrame(Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]), {
    opcode: opcode.close,
  });
}

export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The first whole frame of the server and what comes after it, or undefined when it is not whole yet. */
export function firstFrame(bytes: Buffer): { readonly frame: Received; readonly rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + size) return undefined;
  const frame = { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(start, start + size) };
  return { frame, rest: bytes.subarray(start + size) };
}
