/**
 * From upgrade requests to links. `ws` does the handshake and reads; what the server sends is framed here, once for all
 * that get the same bytes, and written straight to the socket.
 */

import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Link, Message } from '../engine/message.ts';
import type { Log } from '../platform.ts';

/** What a door makes of a link. */
export interface Receiver {
  receive(bytes: Buffer, isBinary: boolean): void;
  /** The socket takes bytes again. */
  drained(): void;
  closed(): void;
}

export interface SocketOptions {
  readonly path: string;
  /** Infinity: no limit. */
  readonly maxFrameBytes: number;
}

export interface Sockets {
  /** New connections are refused from now on. */
  refuse(): void;
  /** Resolves when every connection has ended, by its close handshake or otherwise. */
  ended(): Promise<void>;
  /** Drops what is still open. */
  drop(): void;
}

export function attachSockets(
  server: Server,
  options: SocketOptions,
  accept: (link: Link) => Receiver,
  log: Log,
): Sockets {
  const maxPayload = Number.isFinite(options.maxFrameBytes) ? options.maxFrameBytes : 0;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload });
  const writer = new FrameWriter();
  let isRefusing = false;

  server.on('upgrade', (request, socket, head) => {
    const refusal = isRefusing ? '503 Service Unavailable' : refusalOf(request, options.path);
    if (refusal !== undefined) {
      refuseUpgrade(socket, refusal);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => connect(webSocket, socket, writer, accept, log));
  });

  return {
    refuse() {
      isRefusing = true;
    },
    async ended() {
      await Promise.allSettled([...sockets.clients].map((webSocket) => once(webSocket, 'close')));
    },
    drop() {
      for (const webSocket of sockets.clients) webSocket.terminate();
      sockets.close();
    },
  };
}

function connect(
  webSocket: WebSocket,
  socket: Duplex,
  writer: FrameWriter,
  accept: (link: Link) => Receiver,
  log: Log,
): void {
  const receiver = accept({
    get buffered() {
      return socket.writableLength;
    },
    send(messages) {
      if (webSocket.readyState === webSocket.OPEN) socket.write(writer.join(messages));
    },
    close(code, reason) {
      webSocket.resume();
      webSocket.close(code, reason);
    },
    drop: () => webSocket.terminate(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  });
  webSocket.on('message', (data, isBinary) => receiver.receive(data as Buffer, isBinary));
  webSocket.on('close', () => receiver.closed());
  webSocket.on('error', (error) => log.debug({ err: error }, 'socket error'));
  socket.on('drain', () => receiver.drained());
}

/** Undefined when the address is that of the socket. */
function refusalOf(request: IncomingMessage, path: string): string | undefined {
  const [pathname, query = ''] = (request.url ?? '').split('?');
  if (pathname !== path) return '404 Not Found';
  // Addresses end up in logs of proxies; a token there is refused before anybody gets used to it. [CON12]
  return new URLSearchParams(query).has('token') ? '400 Bad Request' : undefined;
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Frames messages once, and joins equal runs of them once: many sockets often get the same. [EVT4] */
export class FrameWriter {
  #lastRun: readonly Message[] = [];
  #lastJoined: Buffer = Buffer.alloc(0);

  join(messages: readonly Message[]): Buffer {
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) return framed(first);
    if (!isSameRun(messages, this.#lastRun)) {
      this.#lastRun = messages;
      this.#lastJoined = Buffer.concat(messages.map(framed));
    }
    return this.#lastJoined;
  }
}

function isSameRun(a: readonly Message[], b: readonly Message[]): boolean {
  return a.length === b.length && a.every((message, i) => message === b[i]);
}

function framed(message: Message): Buffer {
  message.framed ??= frameOf(message.bytes);
  return message.framed;
}

const finalBinary = 0x82;

/** One unmasked binary WebSocket frame (RFC 6455, section 5.2). */
function frameOf(payload: Buffer): Buffer {
  const size = payload.length;
  const headerSize = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerSize + size);
  frame[0] = finalBinary;
  if (size < 126) frame[1] = size;
  else if (size < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  payload.copy(frame, headerSize);
  return frame;
}
