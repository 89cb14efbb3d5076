/**
 * From upgrade requests to links. `ws` does the handshake and reads; what the server sends is framed here, once for all
 * that get the same bytes, and written straight to the socket.
 */

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';
import type { Link, Message } from '../engine/message.ts';
import type { Tally } from '../engine/tally.ts';
import type { Clock, Log } from '../platform.ts';
import type { Admission, Arrival } from './admission.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { PacedReading, Turns } from './turns.ts';
import { refusalOf } from './upgrade.ts';
import type { UpgradeRules } from './upgrade.ts';

/** What a door makes of a link. */
export interface Receiver {
  receive(bytes: Buffer, isBinary: boolean): void;
  /** A ping or pong of WebSocket itself came; the ping is answered already. */
  control(): void;
  /** The socket takes bytes again. */
  drained(): void;
  closed(): void;
}

export type Accept = (link: Link, arrival: Arrival) => Receiver;

export interface SocketOptions extends UpgradeRules {
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

/** Parts that one message may come in. Browsers and proxies cut at 16 KiB and more, if at all. [BND11] */
const mostFragments = 1024;
/** For the client's side of the close handshake. Longer than any detour, and no time to go on sending. */
const closeMs = 5000;

export function attachSockets(parts: {
  readonly server: Server;
  readonly options: SocketOptions;
  readonly admission: Admission;
  readonly accept: Accept;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly log: Log;
}): Sockets {
  const { server, options, admission, accept, clock, tally, log } = parts;
  const isBounded = Number.isFinite(options.maxFrameBytes);
  const socketOptions: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: isBounded ? options.maxFrameBytes : 0,
    maxFragments: isBounded ? mostFragments : 0,
    closeTimeout: closeMs,
    // None is chosen: what a client names there may be a secret, and the answer would repeat it.
    handleProtocols: () => false,
  };
  const sockets = new WebSocketServer(socketOptions);
  const writer = new FrameWriter();
  const turns = new Turns(clock);
  let isRefusing = false;

  sockets.on('wsClientError', (_error, socket) => {
    tally.refusals.add('form');
    refuse(socket, { reason: 'form', code: 20001 }, clock);
  });
  server.on('upgrade', (request, socket, head) => {
    const refusal = isRefusing ? draining : refusalOf(request, options);
    const judged = refusal ?? admission.judge(request);
    if (judged === undefined) socket.destroy();
    else if ('reason' in judged) {
      tally.refusals.add(judged.reason);
      log.debug({ reason: judged.reason }, 'upgrade refused');
      refuse(socket, judged, clock);
    } else {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        tally.connections++;
        connect({ webSocket, socket, arrival: judged, writer, turns, accept, log });
      });
    }
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

const draining: Refusal = { reason: 'draining', code: 20503, detail: 'The server is stopping', retryAfterS: 1 };

function connect(parts: {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly arrival: Arrival;
  readonly writer: FrameWriter;
  readonly turns: Turns;
  readonly accept: Accept;
  readonly log: Log;
}): void {
  const { webSocket, socket, writer, log } = parts;
  const link: Link = {
    get buffered() {
      return socket.writableLength;
    },
    send(messages) {
      if (webSocket.readyState === webSocket.OPEN) socket.write(writer.join(messages));
    },
    close(code, reason) {
      reading.end();
      webSocket.close(code, reason);
    },
    drop: () => webSocket.terminate(),
    pause: () => reading.pause(),
    resume: () => reading.resume(),
  };
  const reading = new PacedReading(parts.turns, webSocket, (bytes, isBinary) => receiver.receive(bytes, isBinary));
  const receiver = parts.accept(link, parts.arrival);
  socket.on('data', (chunk: Buffer) => reading.read(chunk.length));
  webSocket.on('message', (data, isBinary) => reading.message(data as Buffer, isBinary));
  webSocket.on('ping', () => receiver.control());
  webSocket.on('pong', () => receiver.control());
  webSocket.on('close', () => {
    reading.end();
    receiver.closed();
  });
  webSocket.on('error', (error) => log.debug({ err: error }, 'socket error'));
  socket.on('drain', () => receiver.drained());
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
