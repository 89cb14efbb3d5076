/** One hostile client of the socket: a WebSocket over raw bytes, and what the service says to it. */

import { clientFrame, serverFrame } from '../frame-client.ts';
import type { Fields, ServerFrame } from '../frame-client.ts';
import { RawSocket } from './raw-socket.ts';
import type { RawOptions } from './raw-socket.ts';
import { firstFrame, opcode, webSocketFrame } from './websocket-frame.ts';

/** `headers`: further lines, each with its line end. */
export function upgradeRequest(headers = ''): string {
  return (
    'GET /v3/wsconnect HTTP/1.1\r\nHost: sync.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`
  );
}

/** How the service ended a connection: with a close code, or undefined when it dropped it. */
export type Ending = number | undefined;

export class Attacker {
  readonly socket: RawSocket;
  readonly frames: ServerFrame[] = [];
  pongs = 0;
  /** The header that the upgrade was answered with. */
  answer = '';
  #closeCode: number | undefined;

  constructor(socket: RawSocket) {
    this.socket = socket;
  }

  /** An open WebSocket that has said nothing. */
  static async open(port: number, options?: RawOptions, headers?: string): Promise<Attacker> {
    const attacker = new Attacker(await RawSocket.open(port, options));
    attacker.socket.write(upgradeRequest(headers));
    await attacker.upgraded();
    return attacker;
  }

  async upgraded(): Promise<void> {
    const size = await this.socket.until('an upgrade', () => {
      const end = this.socket.received.indexOf('\r\n\r\n');
      return end < 0 ? undefined : end + 4;
    });
    this.answer = this.socket.received.toString('latin1', 0, size);
    if (!this.answer.startsWith('HTTP/1.1 101 ')) throw new Error(this.answer);
    this.socket.take(size);
  }

  /** One WebSocket message with a frame of the compatible wire. */
  send(method: string, fields: Fields = {}, payload: string | Buffer = '', id = 'TM1'): void {
    this.socket.write(webSocketFrame(clientFrame(id, method, fields, payload)));
  }

  request(method: string, path: string, payload: string | Buffer = '', id = 'TM1'): void {
    this.send('message', { http_request: { method, path, params: {}, headers: {} } }, payload, id);
  }

  /** Presents a token and waits for the answer. */
  async init(token: unknown): Promise<ServerFrame> {
    const registrations = [{ message_types: ['twilio.sync.event', 'com.twilio.rtd.cds.document'] }];
    this.send('init', { token, registrations, capabilities: ['client_update'] }, '', 'TM-init');
    return await this.reply('TM-init');
  }

  async reply(id: string): Promise<ServerFrame> {
    return await this.socket.until(`the answer to ${id}`, () => {
      this.read();
      return this.frames.find((frame) => frame.method === 'reply' && frame.id === id);
    });
  }

  /** Resolves when the service has ended the connection, at the latest with its side of the close handshake. */
  async ended(ms?: number): Promise<Ending> {
    const ending = await this.socket.until(
      'the end of the connection',
      () => {
        this.read();
        return this.#closeCode === undefined && !this.socket.hasEnded ? undefined : { code: this.#closeCode };
      },
      ms,
    );
    this.socket.destroy();
    return ending.code;
  }

  /** Sorts what has been received. */
  read(): void {
    for (let first = firstFrame(this.socket.received); first !== undefined; first = firstFrame(this.socket.received)) {
      this.socket.take(this.socket.received.length - first.rest.length);
      const { payload } = first.frame;
      if (first.frame.opcode === opcode.binary) this.frames.push(serverFrame(payload));
      else if (first.frame.opcode === opcode.pong) this.pongs++;
      else if (first.frame.opcode === opcode.close)
        this.#closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    }
  }
}
