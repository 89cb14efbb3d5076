/** WebSocket frames (RFC 6455) cut out of a byte stream that begins with the HTTP upgrade. No extensions. */

export interface WebSocketFrame {
  /** As they came, mask included. */
  readonly bytes: Buffer;
  /** 1 text, 2 binary, 8 close, 9 ping, 10 pong; 'http' is the upgrade. */
  readonly kind: number | 'http';
  readonly payload: Buffer;
}

export class WebSocketFrames {
  #rest: Buffer = Buffer.alloc(0);
  #isUpgraded = false;

  /** The frames that these bytes complete. */
  feed(bytes: Buffer): WebSocketFrame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: WebSocketFrame[] = [];
    for (;;) {
      const frame = this.#isUpgraded ? frameIn(this.#rest) : this.#http();
      if (frame === undefined) return frames;
      this.#rest = this.#rest.subarray(frame.bytes.length);
      frames.push(frame);
    }
  }

  #http(): WebSocketFrame | undefined {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    this.#isUpgraded = true;
    return { bytes: this.#rest.subarray(0, end + 4), kind: 'http', payload: Buffer.alloc(0) };
  }
}

/** One unmasked binary frame, as a server sends it. */
export function binaryFrame(payload: Buffer): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = 0x82;
  head[1] = payload.length < 126 ? payload.length : 126;
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function frameIn(bytes: Buffer): WebSocketFrame | undefined {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskSize = second & 0x80 ? 4 : 0;
  const start = 2 + lengthSize + maskSize;
  if (bytes.length < start) return undefined;
  const length = lengthSize === 0 ? short : lengthSize === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (maskSize > 0) {
    const mask = bytes.subarray(start - 4, start);
    for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i & 3]!;
  }
  return { bytes: bytes.subarray(0, start + length), kind: first & 0x0f, payload };
}
