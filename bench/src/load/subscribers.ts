/**
 * The load of `fanout`: one publisher a topic keeps one event unsettled, and an event is settled when every subscriber
 * got it and the server accepted it. The next of a topic is published only then, so a slow server is never excused from
 * a delivery, and every delivery is held to be the one event that is due: lost, doubled or misordered ends the run.
 */

import type { Credentials } from '../credentials.ts';
import { Latencies, serveGenerator } from '../generator.ts';
import type { Generator, Mark as Progress } from '../generator.ts';
import type { Mark } from '../texts.ts';
import { CompatDoor } from './compat-door.ts';
import type { Door } from './door.ts';
import { each } from './each.ts';
import { RawDoor } from './raw-door.ts';
import { SocketIoDoor } from './socket-io-door.ts';

export interface SubscribersPlan {
  readonly door: 'compat' | 'raw' | 'socket.io';
  readonly url: string;
  readonly credentials: Credentials;
  readonly subscribers: number;
  readonly topics: number;
}

interface Topic {
  publish(mark: Mark): void;
  /** The event under way. */
  n: number;
  /** Subscribers that have not got it. */
  missing: number;
  accepted: boolean;
  since: number;
}

const connectsAtOnce = 50;
/** Without any event settled for so long, one is lost. */
const stallMs = 10_000;

class Subscribers implements Generator<SubscribersPlan> {
  readonly #latencies = new Latencies();
  readonly #topics: Topic[] = [];
  /** The number each subscriber got last, by topic and subscriber. */
  #got: Int32Array = new Int32Array();
  #subscribers = 0;
  #delivered = 0;
  #inFlight = 0;
  #running = false;
  #settled = Promise.withResolvers<void>();
  #stall: NodeJS.Timeout | undefined;

  async open(plan: SubscribersPlan): Promise<void> {
    const door = doorOf(plan);
    this.#subscribers = plan.subscribers;
    this.#got = new Int32Array(plan.topics * plan.subscribers);
    await door.prepare(plan.topics);
    await each(plan.subscribers, connectsAtOnce, (index) =>
      door.subscribe(index, (mark) => this.#deliveredTo(index, mark)),
    );
    for (let topic = 0; topic < plan.topics; topic++) {
      const publish = await door.publisher(topic, () => this.#accepted(topic));
      this.#topics.push({ publish, n: 0, missing: 0, accepted: true, since: 0 });
    }
  }

  run(inFlight: number): void {
    this.#running = true;
    this.#settled = Promise.withResolvers<void>();
    this.#stall = setTimeout(() => this.#stalled(), stallMs);
    for (let topic = 0; topic < inFlight; topic++) this.#publish(topic);
  }

  mark(): Progress {
    return this.#latencies.mark(this.#delivered);
  }

  settle(): Promise<void> {
    this.#running = false;
    return this.#settled.promise;
  }

  #topic(topic: number): Topic {
    const found = this.#topics[topic];
    if (found === undefined) throw new RangeError(`an event of topic ${topic}, which nobody published`);
    return found;
  }

  #publish(index: number): void {
    const topic = this.#topic(index);
    topic.n++;
    topic.missing = this.#subscribers;
    topic.accepted = false;
    topic.since = performance.now();
    this.#inFlight++;
    topic.publish({ topic: index, n: topic.n });
  }

  #deliveredTo(subscriber: number, mark: Mark): void {
    const topic = this.#topic(mark.topic);
    const at = mark.topic * this.#subscribers + subscriber;
    const before = this.#got[at] ?? 0;
    if (mark.n !== before + 1 || mark.n !== topic.n) {
      throw new Error(`subscriber ${subscriber} got ${mark.n} of topic ${mark.topic} after ${before}`);
    }
    this.#got[at] = mark.n;
    this.#delivered++;
    if (--topic.missing > 0) return;
    this.#latencies.record(performance.now() - topic.since);
    this.#next(mark.topic);
  }

  #accepted(index: number): void {
    this.#topic(index).accepted = true;
    this.#next(index);
  }

  #next(index: number): void {
    const topic = this.#topic(index);
    if (topic.missing > 0 || !topic.accepted) return;
    this.#inFlight--;
    this.#stall?.refresh();
    if (this.#running) return this.#publish(index);
    if (this.#inFlight > 0) return;
    clearTimeout(this.#stall);
    this.#settled.resolve();
  }

  #stalled(): void {
    const open = this.#topics.flatMap(({ n, missing, accepted }, topic) =>
      missing > 0 || !accepted ? [`${n} of topic ${topic} (${missing} missing, accepted: ${accepted})`] : [],
    );
    throw new Error(`no event settled for ${stallMs / 1000} s: ${open.join(', ')}`);
  }
}

function doorOf({ door, url, credentials }: SubscribersPlan): Door {
  const address = new URL(url);
  if (door === 'compat') return new CompatDoor(address, credentials);
  return door === 'raw' ? new RawDoor(address) : new SocketIoDoor(address);
}

serveGenerator(new Subscribers());
