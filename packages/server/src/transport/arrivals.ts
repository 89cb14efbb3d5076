/**
 * How fast new connections of one address are let in. Whoever comes too fast is told when to come back: each gets a
 * place of its own in a queue that moves at the rate, so that a storm comes back spread and each gets in. [BND7]
 */

import { Rate } from '../core/rate.ts';

/** So many seconds' worth may come at once: the users of one office after a power cut. */
const burstMs = 10_000;
/** The first place in the queue is not now: what was let in meanwhile makes room for those who come a little early. */
const firstMs = 1000;
/** Nobody is sent away for longer; who has no place by then asks again. */
const longestMs = 60_000;
/** Places are that much uncertain, so that no pattern of arrivals lasts. */
const jitterMs = 250;
/** Addresses that are remembered. Beyond that the one that was seen first is forgotten, and begins anew. */
const mostAddresses = 65_536;

interface Arriving {
  readonly rate: Rate;
  /** The last place given away. */
  lastPlaceAt: number;
}

export class Arrivals {
  readonly #perSecond: number;
  readonly #random: () => number;
  readonly #most: number;
  readonly #known: Map<string, Arriving> = new Map();

  /** `perSecond`: Infinity for no limit. `random`: from 0 to below 1. */
  constructor(perSecond: number, random: () => number, most: number = mostAddresses) {
    this.#perSecond = perSecond;
    this.#random = random;
    this.#most = most;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** 0: welcome. Else the milliseconds after which to come back. `now` in ticks. */
  arrive(network: string, now: number): number {
    if (this.#perSecond === Infinity) return 0;
    let arriving = this.#known.get(network);
    if (arriving === undefined) {
      this.#forget(now);
      arriving = { rate: new Rate(this.#perSecond, burstMs), lastPlaceAt: 0 };
      this.#known.set(network, arriving);
    }
    return arriving.rate.take(now) === 0 ? 0 : this.#place(arriving, now);
  }

  #place(arriving: Arriving, now: number): number {
    const at = Math.max(arriving.lastPlaceAt, now + firstMs) + 1000 / this.#perSecond;
    arriving.lastPlaceAt = Math.min(at, now + longestMs);
    const random = this.#random();
    const waitMs = at - now;
    return Math.round(waitMs < longestMs ? waitMs + random * jitterMs : (longestMs * (1 + random)) / 2);
  }

  /** Makes room for one. Two looked at for one that comes keep the table small, and each look cheap. */
  #forget(now: number): void {
    for (let i = 0; i < 2; i++) {
      const [oldest] = this.#known;
      if (oldest === undefined) return;
      const [network, arriving] = oldest;
      this.#known.delete(network);
      const isIdle = arriving.rate.isFull(now) && arriving.lastPlaceAt <= now;
      if (!isIdle && this.#known.size < this.#most - 1) this.#known.set(network, arriving);
    }
  }
}
