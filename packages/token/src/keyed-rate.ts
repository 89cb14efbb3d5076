/**
 * One limit for many keys: each may do so much a minute, and more in a burst now and then. It counts in this process's
 * memory: several processes behind one address allow several times as much.
 */

import { createHash } from 'node:crypto';

export interface Rate {
  readonly perMinute: number;
  /** How many may come at once: `perMinute`, and the rest at most once in ten minutes. */
  readonly burst: number;
}

const minuteSeconds = 60;
const burstSeconds = 600;
/**
 * Beyond this many the key that was silent for longest is forgotten and may begin anew. At about 1 KB a key in a burst,
 * that is 10 MB.
 */
const mostKeys = 10_000;

export class KeyedRate {
  readonly #limiters: ReturnType<typeof limitersOf>;
  // In the order of their last requests. Digests, because a key may be a session id.
  readonly #keys = new Set<string>();

  constructor(rate: Rate) {
    this.#limiters = limitersOf(rate);
  }

  /** Counts one request of this key. Whole seconds to wait, at least 1, or 0: go ahead. */
  async count(key: string): Promise<number> {
    const digest = createHash('sha256').update(key).digest('base64url');
    const { all, bursty, Refused } = await this.#limiters;
    this.#keys.delete(digest);
    this.#keys.add(digest);
    for (const oldest of this.#keys) {
      if (this.#keys.size <= mostKeys) break;
      this.#keys.delete(oldest);
      await Promise.all(all.map((limiter) => limiter.delete(oldest)));
    }
    try {
      await bursty.consume(digest);
      return 0;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      return Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
    }
  }
}

async function limitersOf({ perMinute, burst }: Rate) {
  // Loaded here: who imports this package to verify tokens, such as the service itself, starts 40 ms sooner without.
  const { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } = await import('rate-limiter-flexible');
  const steady = new RateLimiterMemory({ points: perMinute, duration: minuteSeconds });
  const extra = new RateLimiterMemory({ points: burst - perMinute, duration: burstSeconds });
  return { all: [steady, extra], bursty: new BurstyRateLimiter(steady, extra), Refused: RateLimiterRes };
}
