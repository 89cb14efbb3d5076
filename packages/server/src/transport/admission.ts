/**
 * Who gets a connection: counts all connections of the listener, by address and in all, and paces new ones. A
 * connection counts from its first packet to its end, whatever it becomes. [BND4] [BND5] [BND6]
 */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Tally } from '../engine/tally.ts';
import type { Clock, Log } from '../platform.ts';
import { Arrivals } from './arrivals.ts';
import { networkOf } from './client-address.ts';
import type { ClientAddresses } from './client-address.ts';
import type { Refusal } from './refusal.ts';

/** Each of them: Infinity for no limit. */
export interface AdmissionOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** New connections a second from one address. */
  readonly connectionRate: number;
}

/** A connection that was let in, and what is known of it before it says anything. */
export interface Arrival {
  /** Of the client, without a port. */
  readonly address: string;
  /** 0, or it came too fast: the milliseconds after which it is to come back. */
  readonly waitMs: number;
}

/** Connections beyond a limit that are still heard, so that they can be told, and health be answered. */
const spare = 1000;
/** A guess: nobody knows when there is room again. */
const retryAfterS = 10;
const warnEveryMs = 60_000;
const hint = 'if it is that of a proxy, name it in TALLYSTICK_TRUSTED_PROXIES';

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #addresses: ClientAddresses;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tally: Tally;
  readonly #arrivals: Arrivals;
  #open = 0;
  /** Open connections by network. It has no more entries than there are connections. */
  readonly #byNetwork: Map<string, number> = new Map();
  /** When each warning was last written, in ticks. */
  readonly #warnedAt: Map<string, number> = new Map();

  /** `random`: from 0 to below 1. */
  constructor(parts: {
    readonly options: AdmissionOptions;
    readonly addresses: ClientAddresses;
    readonly clock: Clock;
    readonly random: () => number;
    readonly tally: Tally;
    readonly log: Log;
  }) {
    this.#tally = parts.tally;
    this.#options = parts.options;
    this.#addresses = parts.addresses;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#arrivals = new Arrivals(parts.options.connectionRate, parts.random);
  }

  /** Connections that are open, of every kind. */
  get open(): number {
    return this.#open;
  }

  /** A connection of which nothing is known but its peer. One that is far beyond a limit is dropped. */
  opened(socket: Socket): void {
    this.#open++;
    socket.once('close', () => this.#open--);
    const { remoteAddress: peer } = socket;
    // Those of a proxy are counted once it is known whose they are.
    const count = peer === undefined || this.#addresses.trusts(peer) ? 0 : this.#count(networkOf(peer), socket);
    if (this.#open > this.#options.maxConnections + spare) this.#warnFull();
    else if (count > this.#options.maxConnectionsPerAddress + spare) this.#warnCrowded(peer);
    else return;
    this.#tally.refusals.add('dropped');
    socket.destroy();
  }

  /** A connection that asks to become a WebSocket. Undefined: its peer is gone already. */
  judge(request: IncomingMessage): Arrival | Refusal | undefined {
    const address = this.#addresses.of(request);
    const { remoteAddress: peer } = request.socket;
    if (address === undefined || peer === undefined) return undefined;
    if (this.#open > this.#options.maxConnections) {
      this.#warnFull();
      return { reason: 'full', code: 20503, detail: 'The server takes no more connections', retryAfterS };
    }
    const network = networkOf(address);
    const isCounted = !this.#addresses.trusts(peer);
    const others = (this.#byNetwork.get(network) ?? 0) - (isCounted ? 1 : 0);
    if (others >= this.#options.maxConnectionsPerAddress) {
      this.#warnCrowded(address);
      return { reason: 'address', code: 20429, detail: 'Too many connections from one address', retryAfterS };
    }
    if (!isCounted) this.#count(network, request.socket);
    const waitMs = this.#arrivals.arrive(network, this.#clock.ticks());
    if (waitMs > 0) this.#warn(`new connections come too fast from one address; ${hint}`, { address });
    return { address, waitMs };
  }

  /** Counts a connection for its network until it ends; returns how many that network has now. */
  #count(network: string, socket: Socket): number {
    const count = (this.#byNetwork.get(network) ?? 0) + 1;
    this.#byNetwork.set(network, count);
    socket.once('close', () => {
      const left = (this.#byNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#byNetwork.delete(network);
      else this.#byNetwork.set(network, left);
    });
    return count;
  }

  #warnFull(): void {
    this.#warn('no more connections are taken: TALLYSTICK_MAX_CONNECTIONS is reached', { open: this.#open });
  }

  #warnCrowded(address: string | undefined): void {
    this.#warn(`one address has TALLYSTICK_MAX_CONNECTIONS_PER_ADDRESS connections; ${hint}`, { address });
  }

  /** Each warning at most once a minute: whoever causes it must not fill the log. */
  #warn(message: string, fields: object): void {
    const now = this.#clock.ticks();
    const at = this.#warnedAt.get(message);
    if (at !== undefined && now - at < warnEveryMs) return;
    this.#warnedAt.set(message, now);
    this.#log.warn(fields, message);
  }
}
