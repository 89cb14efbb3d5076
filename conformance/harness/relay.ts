/**
 * A TCP relay between clients and the service: it sees every WebSocket message, can swallow or replace one, cut
 * connections, refuse new ones, and hand bytes on in odd pieces at odd times.
 */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from './random.ts';
import { binaryFrame, WebSocketFrames } from './websocket-frames.ts';
import type { WebSocketFrame } from './websocket-frames.ts';

export interface RelayedMessage {
  readonly from: 'client' | 'server';
  /** Counts the connections of the relay from 0. */
  readonly connection: number;
  readonly isBinary: boolean;
  readonly bytes: Buffer;
}

/** `pass` hands it on; `swallow` does not; bytes go to the client in its place (server messages only). */
export type Verdict = 'pass' | 'swallow' | Buffer;

export interface RelayOptions {
  readonly targetPort: number;
  readonly onMessage?: (message: RelayedMessage) => Verdict;
  /** Hands bytes on in pieces of random size and after random delays, the same for the same seed. */
  readonly chop?: { readonly seed: number; readonly mostBytes: number; readonly mostDelayMs: number };
}

export interface Relay {
  readonly port: number;
  readonly socketUrl: string;
  /** Open now. */
  readonly connections: number;
  /** Opened since the start. */
  readonly accepted: number;
  /** Drops all connections, as a lost network does. */
  cut(): void;
  /** While refusing, new connections are dropped at once. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let accepted = 0;
  let isRefusing = false;
  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const target = connect({ port: options.targetPort, host: '127.0.0.1' });
    const pair = [client, target] as const;
    pairs.add(pair);
    const connection = accepted++;
    const drop = (): void => {
      pairs.delete(pair);
      client.destroy();
      target.destroy();
    };
    join({ from: client, to: target, name: 'client', connection }, options, drop);
    join({ from: target, to: client, name: 'server', connection }, options, drop);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  return {
    port,
    socketUrl: `ws://127.0.0.1:${port}/v3/wsconnect`,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    cut,
    refuse(refusing) {
      isRefusing = refusing;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly name: 'client' | 'server';
  readonly connection: number;
}

function join(direction: Direction, options: RelayOptions, drop: () => void): void {
  const { from, to, name, connection } = direction;
  const frames = new WebSocketFrames();
  const write = options.chop === undefined ? plainWriter(to) : choppingWriter(to, options.chop, connection);
  from.setNoDelay(true);
  from.on('data', (bytes: Buffer) => {
    for (const frame of frames.feed(bytes)) {
      const handedOn = judged(frame, name, connection, options);
      if (handedOn !== undefined) write(handedOn);
    }
  });
  from.on('end', () => write(undefined));
  from.on('error', drop);
  from.on('close', () => {
    if (to.destroyed) drop();
  });
}

function judged(
  frame: WebSocketFrame,
  from: 'client' | 'server',
  connection: number,
  options: RelayOptions,
): Buffer | undefined {
  const isMessage = frame.kind === 1 || frame.kind === 2;
  if (!isMessage || options.onMessage === undefined) return frame.bytes;
  const verdict = options.onMessage({ from, connection, isBinary: frame.kind === 2, bytes: frame.payload });
  if (verdict === 'pass') return frame.bytes;
  return verdict === 'swallow' ? undefined : binaryFrame(verdict);
}

/** Undefined ends the stream. */
type Write = (bytes: Buffer | undefined) => void;

function plainWriter(to: Socket): Write {
  return (bytes) => {
    if (bytes === undefined) to.end();
    else to.write(bytes);
  };
}

function choppingWriter(to: Socket, chop: NonNullable<RelayOptions['chop']>, connection: number): Write {
  const random = randomOf(chop.seed + connection);
  let last = Promise.resolve();
  const hand = async (bytes: Buffer | undefined): Promise<void> => {
    if (bytes === undefined) {
      to.end();
      return;
    }
    for (let at = 0; at < bytes.length && !to.destroyed;) {
      const size = 1 + random(chop.mostBytes);
      to.write(bytes.subarray(at, at + size));
      at += size;
      const delay = random(chop.mostDelayMs + 1);
      if (delay > 0) await sleep(delay);
    }
  };
  return (bytes) => {
    last = last.then(() => hand(bytes));
  };
}
