/**
 * When the requests of one connection are served: at once, or in their order after those before them. Too many at
 * once, too many a second, and those of a client that does not read wait, and meanwhile the socket is not read: nothing
 * is lost, nobody else is delayed. [BND3] [BND8] [BND10]
 */

import { Rate } from '../../core/rate.ts';
import type { Link } from '../../engine/message.ts';
import type { Clock } from '../../platform.ts';
import type { Frame } from './frame.ts';

export interface PacingOptions {
  /** Requests of one connection under way at once. Infinity: no limit. */
  readonly maxRequests: number;
  /** Requests of one connection a second. Infinity: no limit. */
  readonly requestRate: number;
  /** The largest frame in bytes. Infinity: no limit. */
  readonly maxFrameBytes: number;
}

/** What the connection says of itself, and what it does with a frame whose turn has come. */
export interface PacedDoor {
  /** Its token is valid. Until it is, what comes waits, and the client must still be heard: it may send a new one. */
  isLive(): boolean;
  /** It has not read what was sent to it. */
  isBackedUp(): boolean;
  serve(frame: Frame): void;
  overflow(): void;
}

/** So many seconds' worth of requests may come at once. */
const burstMs = 2000;
/** So many of those that wait are served in one turn of the event loop; others have their turn between. [BND18] */
const mostPerTurn = 32;
/** What waits for its rate is looked at that often, and served in one go. */
const turnMs = 20;
/** Frames that may wait; a client with more has gone wrong. */
const mostHeld = 1000;
/** Bytes that may wait, beyond one largest frame: more than one reading of a socket brings. */
const mostHeldBytes = 1_048_576;

interface Held {
  readonly frame: Frame;
  readonly bytes: number;
}

export class Pacing {
  readonly #link: Link;
  readonly #options: PacingOptions;
  readonly #clock: Clock;
  readonly #door: PacedDoor;
  readonly #rate: Rate;
  #underWay = 0;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #isServing = false;
  #servedInTurn = 0;
  #isDraining = false;
  #cancelTurn: (() => void) | undefined;

  constructor(link: Link, options: PacingOptions, clock: Clock, door: PacedDoor) {
    this.#link = link;
    this.#options = options;
    this.#clock = clock;
    this.#door = door;
    this.#rate = new Rate(options.requestRate, burstMs);
  }

  /** A frame of `bytes` came at `now`, in ticks. */
  take(frame: Frame, bytes: number, now: number): void {
    if (this.#held.length === 0 && this.#mayServe(now)) this.#door.serve(frame);
    else this.#hold(frame, bytes);
  }

  /** A request is under way from now until it is answered. */
  began(): void {
    this.#underWay++;
  }

  answered(): void {
    this.#underWay--;
    this.next();
  }

  /** Serves what waits, as far as it may be: to be called whenever something has changed. */
  next(): void {
    if (this.#isServing || this.#held.length === 0) return;
    this.#isServing = true;
    while (this.#held.length > 0 && this.#servedInTurn < mostPerTurn && this.#mayServe(this.#clock.ticks())) {
      if (this.#servedInTurn++ === 0) this.#clock.soon(() => this.#endTurn());
      const { frame, bytes } = this.#held.shift()!;
      this.#heldBytes -= bytes;
      this.#door.serve(frame);
    }
    this.#isServing = false;
    if (this.#held.length === 0 && !this.#isDraining) this.#link.resume();
  }

  /** What was read is served without regard to the rate, and nothing more is read. [CON6] */
  drain(): void {
    this.#isDraining = true;
    this.#link.pause();
    this.next();
  }

  end(): void {
    this.#cancelTurn?.();
    this.#held.length = 0;
  }

  /** What waits for a new token may wait in vain, so it does not count. */
  get isIdle(): boolean {
    return this.#underWay === 0 && (this.#held.length === 0 || !this.#door.isLive());
  }

  /** The client is not heard because it asked too much, and will be soon. */
  get isWaitingForRate(): boolean {
    return this.#cancelTurn !== undefined;
  }

  #endTurn(): void {
    this.#servedInTurn = 0;
    this.next();
  }

  /** The rate comes last: only what is then served counts for it. */
  #mayServe(now: number): boolean {
    if (!this.#door.isLive() || this.#underWay >= this.#options.maxRequests || this.#door.isBackedUp()) return false;
    const waitMs = this.#isDraining ? 0 : this.#rate.take(now);
    if (waitMs === 0) return true;
    this.#cancelTurn ??= this.#clock.after(Math.max(waitMs, turnMs), () => {
      this.#cancelTurn = undefined;
      this.next();
    });
    return false;
  }

  #hold(frame: Frame, bytes: number): void {
    const isFull =
      this.#held.length >= mostHeld || this.#heldBytes + bytes > mostHeldBytes + this.#options.maxFrameBytes;
    if (isFull) {
      this.#door.overflow();
      return;
    }
    this.#held.push({ frame, bytes });
    this.#heldBytes += bytes;
    if (this.#door.isLive()) this.#link.pause();
  }
}
