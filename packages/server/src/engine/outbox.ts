/**
 * What waits for one client. While the socket takes it, everything goes out once per turn of the event loop. When the
 * client does not read, only the latest event of each document and item stays, in bounded space; beyond that it is
 * cut. [BND1] Messages of streams are never replaced. [BND19]
 */

import type { ObjectEvent } from '../core/change.ts';
import type { Link, Message } from './message.ts';
import type { Tally } from './tally.ts';

/** Unsent bytes in the socket from which on messages wait here, where they can still be replaced. */
const highWater = 65_536;

export class Outbox {
  readonly #link: Link;
  readonly #bound: number;
  readonly #flusher: Flusher;
  readonly #onOverflow: () => void;
  #waiting: (Message | undefined)[] = [];
  /** Where in `#waiting` the last event of a subject stands; made only once the client has stopped reading. */
  #latest: Map<Subject, number> | undefined;
  /** Places of replaced messages in `#waiting`. */
  #gaps = 0;
  #bytes = 0;
  #held = false;
  readonly #onSent: (() => void)[] = [];
  #closed = false;
  /** Whether the flusher has this outbox on its list. */
  scheduled = false;

  /** `bound` in bytes. Infinity: no limit. */
  constructor(link: Link, bound: number, flusher: Flusher, onOverflow: () => void) {
    this.#link = link;
    this.#bound = bound;
    this.#flusher = flusher;
    this.#onOverflow = onOverflow;
  }

  /** `event`: what the message tells live, if it does; a later event of the same document or item may replace it. */
  push(message: Message, event?: Told): void {
    if (this.#closed) return;
    if (event !== undefined) {
      this.#flusher.tally.eventsOut++;
      if (this.#isStuck) this.#replaceFor(event);
    }
    this.#waiting.push(message);
    this.#bytes += message.bytes.length;
    // Much may come in one turn: a client that reads is not cut for it.
    if (this.#bytes > this.#bound) this.flush();
    if (this.#bytes > this.#bound) {
      this.#onOverflow();
      return;
    }
    this.#flusher.schedule(this);
  }

  /** Keeps everything back until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#flusher.schedule(this);
  }

  /** Sends what the socket takes. Called by the flusher, and when the socket has drained. */
  flush(): void {
    if (this.#closed || this.#isStuck) return;
    if (this.#waiting.length > 0) this.#send();
    if (!this.#isStuck) this.#tellSent();
  }

  /** Bytes that may be pushed before the client is cut. */
  get room(): number {
    return this.#bound - this.#bytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the socket has taken all that waits, or when the client is gone. */
  whenSent(): Promise<void> {
    if (this.#closed || (this.#waiting.length === 0 && !this.#isStuck)) return Promise.resolve();
    return new Promise((resolve) => this.#onSent.push(resolve));
  }

  /** Nothing is sent or kept any more. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#latest = undefined;
    this.#tellSent();
  }

  #send(): void {
    const messages = this.#latest === undefined ? (this.#waiting as Message[]) : this.#waiting.filter(isPresent);
    this.#flusher.tally.bytesOut += this.#bytes;
    this.#waiting = [];
    this.#latest = undefined;
    this.#gaps = 0;
    this.#bytes = 0;
    this.#link.send(messages);
  }

  #tellSent(): void {
    for (const resolve of this.#onSent.splice(0)) resolve();
  }

  /** The client has not read what was sent. */
  get isBackedUp(): boolean {
    return this.#link.buffered > highWater;
  }

  get #isStuck(): boolean {
    return this.#held || this.isBackedUp;
  }

  /** Takes out what the event covers and still waits, and notes where the event will stand. */
  #replaceFor(event: Told): void {
    if (event.type === 'messagePublished') return;
    this.#latest ??= new Map();
    const subject = subjectOf(event);
    this.#takeOut(this.#latest, subject);
    if (event.type === 'removed' && event.kind !== 'document') this.#takeOutItems(this.#latest, event);
    if (this.#gaps > 64 && this.#gaps > this.#waiting.length / 2) this.#compact();
    this.#latest.set(subject, this.#waiting.length);
  }

  #takeOut(latest: Map<Subject, number>, subject: Subject): void {
    const index = latest.get(subject);
    const replaced = index === undefined ? undefined : this.#waiting[index];
    if (index === undefined || replaced === undefined) return;
    this.#waiting[index] = undefined;
    this.#bytes -= replaced.bytes.length;
    this.#flusher.tally.conflations++;
    latest.delete(subject);
    this.#gaps++;
  }

  /** The removal of a list or map covers all that waits of its items. [BND20] */
  #takeOutItems(latest: Map<Subject, number>, { object }: Told): void {
    for (const subject of latest.keys()) if (subject.startsWith(object)) this.#takeOut(latest, subject);
  }

  /** Drops the places of replaced messages, which would otherwise grow with every event. */
  #compact(): void {
    const subjects = new Map([...(this.#latest ?? [])].map(([subject, index]) => [this.#waiting[index], subject]));
    this.#waiting = this.#waiting.filter(isPresent);
    this.#gaps = 0;
    this.#latest = new Map();
    for (const [index, message] of this.#waiting.entries()) {
      const subject = subjects.get(message);
      if (subject !== undefined) this.#latest.set(subject, index);
    }
  }
}

/** What of an event decides whether another covers it. */
export type Told = Pick<ObjectEvent, 'type' | 'kind' | 'object' | 'item'>;

/** An object, or one of its items. Sids are of one length, so none begins another. */
type Subject = string;

/** Keys of lists are numbers and those of maps texts, so those of one object cannot run into each other. */
function subjectOf({ object, item }: Told): Subject {
  return item === undefined ? object : `${object} ${item.key}`;
}

function isPresent(message: Message | undefined): message is Message {
  return message !== undefined;
}

/** Outboxes flushed in one go before other work of the event loop gets its turn. */
const sliceSize = 500;

/** Flushes all outboxes with news once per turn of the event loop: one write per socket however many events. */
export class Flusher {
  readonly tally: Tally;
  readonly #soon: (callback: () => void) => void;
  #dirty: Outbox[] = [];
  #running = false;

  constructor(soon: (callback: () => void) => void, tally: Tally) {
    this.#soon = soon;
    this.tally = tally;
  }

  schedule(outbox: Outbox): void {
    if (outbox.scheduled) return;
    outbox.scheduled = true;
    this.#dirty.push(outbox);
    if (this.#running) return;
    this.#running = true;
    this.#soon(() => this.#run());
  }

  #run(): void {
    const slice = this.#dirty.length > sliceSize ? this.#dirty.splice(0, sliceSize) : this.#dirty;
    if (slice === this.#dirty) this.#dirty = [];
    for (const outbox of slice) {
      outbox.scheduled = false;
      outbox.flush();
    }
    this.#running = this.#dirty.length > 0;
    if (this.#running) this.#soon(() => this.#run());
  }
}
