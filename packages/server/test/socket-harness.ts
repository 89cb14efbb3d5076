/** A real listener with real sockets, and a door that keeps what it is given. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { Link } from '../src/engine/message.ts';
import { Tally } from '../src/engine/tally.ts';
import { Admission } from '../src/transport/admission.ts';
import type { AdmissionOptions, Arrival } from '../src/transport/admission.ts';
import { clientAddresses } from '../src/transport/client-address.ts';
import { attachSockets } from '../src/transport/websocket.ts';
import type { Receiver, SocketOptions, Sockets } from '../src/transport/websocket.ts';
import { TimerClock } from './timer-clock.ts';

export const path = '/v3/wsconnect';

export interface Accepted {
  readonly link: Link;
  readonly arrival: Arrival;
  /** Each message as its kind and text. */
  readonly received: string[];
  /** Pings and pongs. */
  readonly controls: () => number;
  readonly drained: Promise<void>;
  readonly closed: Promise<void>;
}

export interface Listening {
  readonly url: string;
  readonly port: number;
  readonly accepted: Accepted[];
  readonly sockets: Sockets;
  readonly admission: Admission;
  /** The server's side of every connection, in order. */
  readonly connections: readonly Socket[];
  readonly clock: TimerClock;
  readonly tally: Tally;
  /** Warnings. */
  readonly warnings: string[];
}

export type ListeningOptions = SocketOptions & AdmissionOptions & { readonly trusted: readonly string[] };

const defaults: ListeningOptions = {
  path,
  maxFrameBytes: 262_144,
  maxUrlBytes: 4096,
  allowedOrigins: undefined,
  maxConnections: Infinity,
  maxConnectionsPerAddress: Infinity,
  connectionRate: Infinity,
  trusted: [],
};

export async function listen(t: TestContext, given: Partial<ListeningOptions> = {}): Promise<Listening> {
  const options = { ...defaults, ...given };
  const server = createServer();
  const accepted: Accepted[] = [];
  const accept = (link: Link, arrival: Arrival): Receiver => {
    const received: string[] = [];
    let controls = 0;
    const { promise: drained, resolve: onDrained } = Promise.withResolvers<void>();
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
    accepted.push({ link, arrival, received, controls: () => controls, drained, closed });
    return {
      receive: (bytes, isBinary) => received.push(`${isBinary ? 'binary' : 'text'} ${bytes.toString()}`),
      control: () => controls++,
      drained: onDrained,
      closed: onClosed,
    };
  };
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => warnings.push(message), error() {} };
  const clock = new TimerClock();
  const tally = new Tally();
  const addresses = clientAddresses(options.trusted);
  const admission = new Admission({ options, addresses, clock, random: () => 0, tally, log });
  const connections: Socket[] = [];
  server.on('connection', (socket) => {
    connections.push(socket);
    admission.opened(socket);
  });
  // Turns of the event loop are the real ones: sockets are.
  const { now, ticks, after } = clock;
  const soon = (callback: () => void): void => void setImmediate(callback);
  const sockets = attachSockets({
    server,
    options,
    admission,
    accept,
    clock: { now, ticks, after, soon },
    tally,
    log,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.drop();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}${path}`,
    port,
    accepted,
    sockets,
    admission,
    connections,
    clock,
    tally,
    warnings,
  };
}

/** A connected client. */
export async function open(t: TestContext, url: string, headers: Record<string, string> = {}): Promise<WebSocket> {
  const client = new WebSocket(url, { headers });
  t.after(() => client.terminate());
  await once(client, 'open');
  return client;
}

export interface Refused {
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

/** The HTTP answer with which an upgrade is refused. */
export async function refusal(url: string, headers: Record<string, string> = {}): Promise<Refused> {
  const client = new WebSocket(url, { headers });
  client.on('error', () => {});
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  const body = Buffer.concat(await response.toArray()).toString();
  client.terminate();
  const { statusCode: status, headers: answer } = response;
  return { status, retryAfter: answer['retry-after'], body: JSON.parse(body) };
}
