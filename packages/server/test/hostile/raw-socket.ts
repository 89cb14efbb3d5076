/** A TCP connection to the service that sends any bytes whatever, and can leave the answers unread. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface RawOptions {
  /** A loopback address other than 127.0.0.1: to the service, another client. */
  readonly from?: string;
}

/** So long anything may take that must come at once: a deadline for failing, not a time that is measured. */
const patienceMs = 5000;

export class RawSocket {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #isClosed = false;
  #listeners: (() => void)[] = [];
  /** Everything that any of them ever received, for the search for secrets. */
  static readonly everything: string[] = [];

  static readonly #open: Set<RawSocket> = new Set();

  constructor(socket: Socket) {
    this.#socket = socket;
    RawSocket.#open.add(this);
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      RawSocket.everything.push(bytes.toString('latin1'));
      this.#happened();
    });
    // A reset is an end like any other here.
    socket.on('error', () => {});
    socket.on('end', () => {
      this.#isEnded = true;
      this.#happened();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      RawSocket.#open.delete(this);
      this.#happened();
    });
  }

  static async open(port: number, { from }: RawOptions = {}): Promise<RawSocket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new RawSocket(socket);
  }

  /** All of them are gone, as if their process had died. */
  static destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Received and not taken yet. */
  get received(): Buffer {
    return this.#received;
  }

  /** Bytes that the system has taken. */
  get written(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** The service said that nothing more comes, or nothing is left of the connection. */
  get hasEnded(): boolean {
    return this.#isEnded || this.#isClosed;
  }

  /** Forgets the first bytes received. */
  take(bytes: number): void {
    this.#received = this.#received.subarray(bytes);
  }

  write(bytes: Buffer | string): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  /** Writes the same bytes again and again, as fast as they are taken; resolves when all are, or the peer is gone, or after `ms`. */
  async flood(bytes: Buffer, times: number, ms = 2000): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    let isLate = false;
    void late.promise.then(() => (isLate = true));
    for (let i = 0; i < times && !isLate && !this.#isClosed; i++) {
      const drained = this.#socket.write(bytes) ? undefined : once(this.#socket, 'drain').catch(() => undefined);
      if (drained !== undefined) await Promise.race([drained, closed, late.promise]);
    }
    clearTimeout(timer);
  }

  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  /** Says that nothing more comes, and goes on reading. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends without the good manners of TCP. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Resolves with what `look` finds, looked for whenever something has happened. */
  async until<T>(what: string, look: () => T | undefined, ms: number = patienceMs): Promise<T> {
    const found = Promise.withResolvers<T>();
    const timer = setTimeout(() => found.reject(new Error(`not in time: ${what}`)), ms);
    const check = (): void => {
      const value = look();
      if (value !== undefined) found.resolve(value);
      else if (this.#isClosed) found.reject(new Error(`the connection ended before: ${what}`));
    };
    this.#listeners.push(check);
    check();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#listeners = this.#listeners.filter((listener) => listener !== check);
    }
  }

  /** Resolves when the service says that nothing more comes. */
  async ended(ms?: number): Promise<void> {
    await this.until('the end of what comes', () => (this.hasEnded ? true : undefined), ms);
  }

  /** Resolves when nothing is left of the connection, although this side never ended it. */
  async closed(ms?: number): Promise<void> {
    await this.until('the end of the connection', () => (this.#isClosed ? true : undefined), ms);
  }

  #happened(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
