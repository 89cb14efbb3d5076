/**
 * One connected client without its socket: who it is, what it follows, what waits for it, and how long its token
 * lasts. Both doors use it; the door turns events into messages.
 */

import type { Principal } from '../core/principal.ts';
import type { ObjectEvent } from '../core/change.ts';
import type { Instant, Sid } from '../core/object.ts';
import type { Clock } from '../platform.ts';
import type { Message } from './message.ts';
import type { Outbox } from './outbox.ts';
import { graceMs, noticesOf } from './token-life.ts';

/** While its state is read, events of the object wait; then only what is newer than that state passes. [SUB1] */
export type Subscription =
  | { readonly state: 'recovering'; readonly object: Sid; held: ObjectEvent | undefined }
  | { readonly state: 'live'; readonly object: Sid; position: number };

export interface SessionDoor {
  /** The message of an event, the same bytes for every session; undefined when this client takes no such message. */
  encode(event: ObjectEvent): Message | undefined;
  tokenAboutToExpire(): void;
  /** The token has run out: answer nothing until `replacePrincipal`. */
  tokenExpired(): void;
  /** The grace is over, the key was revoked or the identity disconnected: drop the connection. */
  drop(): void;
}

export class Session {
  readonly outbox: Outbox;
  readonly subscriptions: Map<Sid, Subscription> = new Map();
  readonly #door: SessionDoor;
  readonly #clock: Clock;
  #principal: Principal;
  #cancelTimer: () => void = () => {};
  #notices: readonly Instant[] = [];

  constructor(principal: Principal, outbox: Outbox, door: SessionDoor, clock: Clock) {
    this.#principal = principal;
    this.outbox = outbox;
    this.#door = door;
    this.#clock = clock;
  }

  get principal(): Principal {
    return this.#principal;
  }

  /** Starts the life of the token that was given at init. */
  start(): void {
    this.#begin('init');
  }

  /** Another token of the same identity and service: its times count from now on. [TLC2] */
  replacePrincipal(principal: Principal): void {
    this.#principal = principal;
    this.outbox.release();
    this.#begin('update');
  }

  /** An event of an object that this session follows. */
  receive(event: ObjectEvent): void {
    const subscription = this.subscriptions.get(event.object);
    if (subscription === undefined) return;
    if (subscription.state === 'recovering') {
      subscription.held = event;
      return;
    }
    if (event.id <= subscription.position) return;
    subscription.position = event.id;
    this.#deliver(event);
  }

  /** The read state is `position`; what was held and is newer follows. */
  becomeLive(subscription: Subscription & { state: 'recovering' }, position: number): void {
    const live: Subscription = { state: 'live', object: subscription.object, position };
    this.subscriptions.set(live.object, live);
    if (subscription.held !== undefined) this.receive(subscription.held);
  }

  /** Drops the connection from the server's side. */
  drop(): void {
    this.#door.drop();
  }

  /** The connection is gone. */
  end(): void {
    this.#cancelTimer();
    this.subscriptions.clear();
    this.outbox.close();
  }

  #deliver(event: ObjectEvent): void {
    // A removal ends the subscription: nothing can follow under this sid.
    if (event.type === 'documentRemoved') this.subscriptions.delete(event.object);
    const message = this.#door.encode(event);
    if (message !== undefined) this.outbox.push(message, event.object);
  }

  #begin(given: 'init' | 'update'): void {
    this.#notices = noticesOf(given, this.#clock.now(), this.#principal.expiresAt);
    this.#wait();
  }

  /** One timer: for the next notice, else for the end of the token. */
  #wait(): void {
    this.#cancelTimer();
    const [next] = this.#notices;
    const at = next ?? this.#principal.expiresAt;
    this.#cancelTimer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#timeHasCome(at, next));
  }

  #timeHasCome(at: Instant, notice: Instant | undefined): void {
    // Timers have a longest delay, and may come a little early.
    if (this.#clock.now() < at) {
      this.#wait();
      return;
    }
    if (notice !== undefined) {
      this.#notices = this.#notices.slice(1);
      this.#door.tokenAboutToExpire();
      this.#wait();
      return;
    }
    this.outbox.hold();
    this.#door.tokenExpired();
    this.#cancelTimer = this.#clock.after(graceMs, () => this.#door.drop());
  }
}
