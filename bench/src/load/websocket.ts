/**
 * A WebSocket client that does no more than a load generator needs, since it must never be what is measured: whole
 * messages only (no fragments, no extensions), handed out as positions in a read buffer that all connections share.
 */

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Bytes `start` to `end` of `bytes` are the payload. They are valid during the call only. */
export type OnMessage = (bytes: Buffer, start: number, end: number) => void;

export interface Listener {
  readonly onMessage: OnMessage;
  /** After the last whole message of one read: the moment to write what they gave cause for. */
  readonly onTurn?: () => void;
}

const opcodes = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;
const lastFragment = 0x80;
const masked = 0x80;
const handshakeEnd = '\r\n\r\n';
const readBuffer: Buffer = Buffer.alloc(1 << 20);
const nothing = Buffer.alloc(0);

/** Not zero, so that a server has to unmask as it must with any real client. */
const maskKey = Buffer.from([0x5b, 0xa1, 0x3c, 0x77]);

export class ClientSocket {
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<void>();
  #listener: Listener;
  /** The beginning of a message whose end has not arrived. */
  #rest: Buffer = nothing;
  #open = false;
  #closing = false;

  constructor(url: URL, listener: Listener) {
    this.#listener = listener;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: { buffer: readBuffer, callback: (count) => this.#read(count) },
    });
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => this.#lost('closed'));
    this.#socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}${handshakeEnd}`,
    );
  }

  /** Resolves after the handshake. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** From now on messages go there; for a set-up phase that is over. */
  listen(listener: Listener): void {
    this.#listener = listener;
  }

  sendText(payload: string): void {
    this.write(maskedFrame(opcodes.text, Buffer.from(payload)));
  }

  sendBinary(payload: Buffer): void {
    this.write(maskedFrame(opcodes.binary, payload));
  }

  /** Whole, masked frames. The bytes belong to the socket afterwards. */
  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  #lost(why: string): void {
    if (this.#closing) return;
    const error = new Error(`connection ${why}`);
    if (!this.#open) return this.#opened.reject(error);
    throw error;
  }

  #read(count: number): boolean {
    const whole = this.#rest.length === 0;
    const bytes = whole ? readBuffer : Buffer.concat([this.#rest, readBuffer.subarray(0, count)]);
    const end = whole ? count : bytes.length;
    const start = this.#open ? 0 : this.#handshake(bytes, end);
    const at = this.#open ? this.#messages(bytes, start, end) : 0;
    this.#rest = at === end ? nothing : Buffer.from(bytes.subarray(at, end));
    if (this.#open) this.#listener.onTurn?.();
    return true;
  }

  /** Position after the answer, 0 while it is incomplete. */
  #handshake(bytes: Buffer, end: number): number {
    const at = bytes.subarray(0, end).indexOf(handshakeEnd);
    if (at === -1) return 0;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r'));
    if (!status.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${status}`);
    this.#open = true;
    this.#opened.resolve();
    return at + handshakeEnd.length;
  }

  /** Hands out all whole messages; position after the last. */
  #messages(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at + 2 <= end) {
      const first = bytes[at] ?? 0;
      const short = bytes[at + 1] ?? 0;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + head > end) break;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
      const start = at + head;
      if (start + length > end) break;
      at = start + length;
      if (first === (lastFragment | opcodes.binary) || first === (lastFragment | opcodes.text)) {
        this.#listener.onMessage(bytes, start, at);
      } else this.#control(first, bytes.subarray(start, at));
    }
    return at;
  }

  #control(first: number, payload: Buffer): void {
    switch (first) {
      case lastFragment | opcodes.ping:
        return this.write(maskedFrame(opcodes.pong, payload));
      case lastFragment | opcodes.pong:
        return;
      case lastFragment | opcodes.close:
        throw new Error(`the server closed: ${payload.length > 1 ? payload.readUInt16BE(0) : 'no code'}`);
      default:
        throw new Error(`a frame beginning with ${first}, which this client does not know`);
    }
  }
}

/** A whole client frame. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const start = payload.length < 126 ? 6 : 8;
  if (payload.length > 0xffff) throw new RangeError('messages of this benchmark are small');
  const frame = Buffer.allocUnsafe(start + payload.length);
  frame[0] = lastFragment | opcode;
  frame[1] = masked | (start === 6 ? payload.length : 126);
  if (start === 8) frame.writeUInt16BE(payload.length, 2);
  maskKey.copy(frame, start - 4);
  for (let index = 0; index < payload.length; index++) {
    frame[start + index] = (payload[index] ?? 0) ^ (maskKey[index & 3] ?? 0);
  }
  return frame;
}
