/**
 * Shares the event loop among connections: what one of them sends is handled in portions, so that nobody who is served
 * beside it waits for long. Nothing is refused and the order of a connection's messages stays. [BND18]
 */

import type { Clock } from '../platform.ts';

/** Bytes that are read from one connection in one turn of the event loop. */
const mostBytes = 65_536;
/** Larger messages take milliseconds to parse; of all connections together one a turn is handled. */
const heavyBytes = 32_768;

/** The turns of the event loop, for all connections of a listener. */
export class Turns {
  readonly #clock: Pick<Clock, 'soon'>;
  #number = 0;
  #isEnding = false;
  #resting: (() => void)[] = [];
  readonly #heavy: (() => void)[] = [];

  constructor(clock: Pick<Clock, 'soon'>) {
    this.#clock = clock;
  }

  /** The present turn. It ends when all that was ready to be read has been. */
  get number(): number {
    this.#end();
    return this.#number;
  }

  /** Calls in the next turn. */
  next(call: () => void): void {
    this.#resting.push(call);
    this.#end();
  }

  /** Calls in one of the next turns, one of all that were given here in each. */
  oneByOne(call: () => void): void {
    this.#heavy.push(call);
    this.#end();
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#clock.soon(() => {
      this.#isEnding = false;
      this.#number++;
      for (const call of this.#resting.splice(0)) call();
      this.#heavy.shift()?.();
      if (this.#heavy.length > 0) this.#end();
    });
  }
}

/** The socket as far as reading goes. */
export interface Readable {
  pause(): void;
  resume(): void;
  terminate(): void;
}

/** What one connection sends, on its way to the door. */
export class PacedReading {
  readonly #turns: Turns;
  readonly #socket: Readable;
  readonly #receive: (bytes: Buffer, isBinary: boolean) => void;
  #turn = -1;
  #bytes = 0;
  #isResting = false;
  /** The door wants nothing more for now. */
  #isHeld = false;
  #isOver = false;
  /** A heavy message and what came behind it. */
  #waiting: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];

  constructor(turns: Turns, socket: Readable, receive: (bytes: Buffer, isBinary: boolean) => void) {
    this.#turns = turns;
    this.#socket = socket;
    this.#receive = receive;
  }

  /** A piece of so many bytes was read, whatever it belongs to. */
  read(bytes: number): void {
    const turn = this.#turns.number;
    this.#bytes = turn === this.#turn ? this.#bytes + bytes : bytes;
    this.#turn = turn;
    if (this.#bytes < mostBytes || this.#isResting) return;
    if (this.#isOver) {
      // It was told the end and goes on sending.
      this.#socket.terminate();
      return;
    }
    this.#isResting = true;
    this.#socket.pause();
    this.#turns.next(() => {
      this.#isResting = false;
      this.#wake();
    });
  }

  message(bytes: Buffer, isBinary: boolean): void {
    if (this.#isOver) return;
    if (this.#waiting.length === 0 && bytes.length <= heavyBytes) {
      this.#receive(bytes, isBinary);
      return;
    }
    this.#waiting.push({ bytes, isBinary });
    if (this.#waiting.length > 1) return;
    this.#socket.pause();
    this.#turns.oneByOne(() => this.#handleOne());
  }

  pause(): void {
    this.#isHeld = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isHeld = false;
    this.#wake();
  }

  /** What waits is thrown away; what still comes is read only to find the end. */
  end(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#isHeld = false;
    this.#socket.resume();
  }

  #handleOne(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#receive(next.bytes, next.isBinary);
    if (this.#waiting.length > 0) this.#turns.oneByOne(() => this.#handleOne());
    else this.#wake();
  }

  #wake(): void {
    if (!this.#isResting && !this.#isHeld && this.#waiting.length === 0) this.#socket.resume();
  }
}
