/**
 * One connected client without its socket: who it is, what it follows, what waits for it, and how long its token
 * lasts. Both doors use it; the door turns events into messages.
 */

import type { Principal } from '../core/principal.ts';
import type { ObjectEvent } from '../core/change.ts';
import type { Instant, ItemKey, Sid } from '../core/object.ts';
import type { Clock } from '../platform.ts';
import type { Message } from './message.ts';
import type { Outbox } from './outbox.ts';
import { graceMs, noticesOf } from './token-life.ts';

/** While its state is read, events of the object wait; then only what is newer than that state passes. [SUB1] */
export type Subscription = Recovering | { readonly state: 'live'; readonly object: Sid; position: number };

export interface Recovering {
  readonly state: 'recovering';
  readonly object: Sid;
  /** In order; of each item, and of the object itself under undefined, the latest. Made when the first event comes. */
  held: Map<ItemKey | undefined, ObjectEvent> | undefined;
  /** More came than is held, so nothing is: the client must ask again. */
  isOverfull: boolean;
}

/** Events held for one subscription. */
const mostHeld = 1_000;

/** Marks of own changes kept; their events come in the same turn, if this session follows the object. */
const mostOwn = 64;

export interface SessionDoor {
  /**
   * The message of an event, the same bytes for every session; undefined when this client takes no such message.
   * `isOwn`: the client has this change from an answer already, and only its position is to move. [SUB12]
   */
  encode(event: ObjectEvent, isOwn: boolean): Message | undefined;
  tokenAboutToExpire(): void;
  /** The token has run out: answer nothing until `replacePrincipal`. */
  tokenExpired(): void;
  /** The grace is over, the key was revoked or the identity disconnected: drop the connection. */
  drop(): void;
}

export class Session {
  readonly outbox: Outbox;
  readonly subscriptions: Map<Sid, Subscription> = new Map();
  /** Marks of removals and messages whose events this session is spared. */
  readonly #own: Set<string> = new Set();
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

  /**
   * The client has heard of its own removal of an item, or its own message, in the answer: the event that follows is
   * not told. The mark is the object's sid and the event id, or the message's sid. [SUB12]
   */
  noteOwn(mark: string): void {
    if (this.subscriptions.size === 0) return;
    this.#own.add(mark);
    if (this.#own.size > mostOwn) for (const oldest of this.#own.keys()) return void this.#own.delete(oldest);
  }

  /** An event of an object that this session follows. */
  receive(event: ObjectEvent): void {
    const subscription = this.subscriptions.get(event.object);
    if (subscription === undefined) return;
    if (subscription.state === 'recovering') {
      this.#hold(subscription, event);
      return;
    }
    if (event.id <= subscription.position && event.type !== 'messagePublished') return;
    subscription.position = event.id;
    this.#deliver(event);
  }

  /** The read state is `position`; what was held and is newer follows. */
  becomeLive({ object, held }: Recovering, position: number): void {
    this.subscriptions.set(object, { state: 'live', object, position });
    if (held !== undefined) for (const event of held.values()) this.receive(event);
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

  #hold(subscription: Recovering, event: ObjectEvent): void {
    if (event.type === 'messagePublished') {
      // It would be lost; there is no state that it could be ahead of. Whose stream this is was not looked up yet.
      if (event.service === this.#principal.service) this.#deliver(event);
      return;
    }
    if (subscription.isOverfull) return;
    const held = (subscription.held ??= new Map<ItemKey | undefined, ObjectEvent>());
    // Nothing of its items matters any more.
    if (event.type === 'removed') held.clear();
    const key = event.item?.key;
    held.delete(key);
    held.set(key, event);
    if (held.size <= mostHeld) return;
    held.clear();
    subscription.isOverfull = true;
  }

  #deliver(event: ObjectEvent): void {
    // A removal ends the subscription: nothing can follow under this sid.
    if (event.type === 'removed') this.subscriptions.delete(event.object);
    const message = this.#door.encode(event, this.#isOwn(event));
    if (message !== undefined) this.outbox.push(message, event);
  }

  #isOwn(event: ObjectEvent): boolean {
    if (this.#own.size === 0) return false;
    const { type, object, id, item } = event;
    if (type === 'messagePublished') return this.#own.delete(`${item?.key}`);
    return type === 'itemRemoved' && this.#own.delete(`${object} ${id}`);
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
