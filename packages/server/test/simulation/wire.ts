/** A connection as two queues with delays: order holds within a direction, everything may be lost with the connection. */

import type { Link, Message } from '../../src/engine/message.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ServerEnd {
  receive(bytes: Buffer, isBinary: boolean): void;
  drained(): void;
  closed(): void;
}

export interface ClientEnd {
  receive(bytes: Buffer): void;
  closed(): void;
}

/** What a slow reader's socket reports as unsent: more than the server puts up with before it keeps back. */
const stuckBytes = 1_000_000;

export class Wire implements Link {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #toClient: Buffer[] = [];
  readonly #watch: (bytes: Buffer) => Buffer[];
  #server: ServerEnd | undefined;
  #client: ClientEnd | undefined;
  #slow = false;
  #open = true;
  #paused = false;
  #unread: Buffer[] = [];
  /** Nothing overtakes within a direction. */
  #upUntil = 0;
  #downUntil = 0;

  /** `watch` sees each message when the server sends it, and says what travels. */
  constructor(time: VirtualTime, random: Random, watch: (bytes: Buffer) => Buffer[]) {
    this.#time = time;
    this.#random = random;
    this.#watch = watch;
  }

  connect(server: ServerEnd, client: ClientEnd): void {
    this.#server = server;
    this.#client = client;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** From the client. */
  up(bytes: Buffer): void {
    const at = Math.max(this.#upUntil, this.#time.now() + this.#random.between(0, 20));
    this.#upUntil = at;
    this.#time.after(at - this.#time.now(), () => {
      if (this.#paused) this.#unread.push(bytes);
      else if (this.#open) this.#server?.receive(bytes, true);
    });
  }

  get buffered(): number {
    return this.#slow && this.#toClient.length > 0 ? stuckBytes : 0;
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) this.#toClient.push(...this.#watch(message.bytes));
    if (!this.#slow) this.#deliver();
  }

  /** The client stops reading for a while. */
  stall(ms: number): void {
    this.#slow = true;
    this.#time.after(ms, () => {
      this.#slow = false;
      this.#deliver();
      if (this.#open) this.#server?.drained();
    });
  }

  close(): void {
    this.#deliver();
    this.#end();
  }

  drop(): void {
    this.#end();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const bytes of this.#unread.splice(0)) this.#server?.receive(bytes, true);
  }

  /** The network loses the connection: both ends hear of it, what was under way is gone. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#server?.closed();
    this.#loseClient(0);
  }

  /** The server's process dies: its end hears nothing. */
  kill(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#loseClient(0);
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    const last = Math.max(this.#downUntil, this.#time.now());
    this.#loseClient(last - this.#time.now());
    this.#time.after(0, () => this.#server?.closed());
  }

  /** What arrives later than that arrives nowhere. */
  #loseClient(ms: number): void {
    this.#time.after(ms, () => {
      const client = this.#client;
      this.#client = undefined;
      client?.closed();
    });
  }

  #deliver(): void {
    for (const bytes of this.#toClient.splice(0)) {
      const at = Math.max(this.#downUntil, this.#time.now() + this.#random.between(0, 20));
      this.#downUntil = at;
      this.#time.after(at - this.#time.now(), () => this.#client?.receive(bytes));
    }
  }
}
