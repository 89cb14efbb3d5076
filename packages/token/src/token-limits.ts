/** How often a token may be asked for: by one session, from one address, and in all. */

import { networkOf, peerAddress } from './client-address.ts';
import type { IdentityContext } from './identity-source.ts';
import { KeyedRate } from './keyed-rate.ts';
import type { Rate } from './keyed-rate.ts';
import { checkOptionNames, isObject } from './options.ts';

export type { Rate } from './keyed-rate.ts';

/** Text that names the session or the address, or undefined when the request has none. */
export type NameOf = (request: Request, context: IdentityContext) => string | undefined;

/** Each limit is a number a minute with bursts of twice as many, or both numbers. 0: no limit. */
export interface TokenLimitsOptions {
  /** @default 10 a minute, 20 in a burst */
  readonly perSession?: number | Rate | undefined;
  /**
   * More generous, because an office or a mobile network has many people behind one address: 1,000 of them can open their
   * page at once. IPv6 addresses count by their /64. @default 600 a minute, 1200 in a burst
   */
  readonly perAddress?: number | Rate | undefined;
  /** From everybody together. For `randomName`, where each request makes an identity. @default 0 */
  readonly total?: number | Rate | undefined;
  /**
   * Where a request comes from. Behind a proxy that Express does not trust, say which header your proxy writes; without
   * a word all count as the proxy. @default the peer's address, `ip` under Express
   */
  readonly addressOf?: NameOf | undefined;
  /** What counts as a session, from a cookie that was verified. @default the identity, once it is known */
  readonly sessionOf?: NameOf | undefined;
}

/** For `tokenEndpoint` and `identify`. Their own: `tokenLimits`; or anything else with these two, over a shared store. */
export interface TokenLimits {
  /** Counts a request before anybody decides who it is from. Whole seconds to wait, 0: go ahead. */
  count(request: Request, context: IdentityContext): Promise<number>;
  /** Counts a request of this identity. Whole seconds to wait, 0: go ahead. */
  countIdentity(identity: string): Promise<number>;
}

const defaults = { perSession: 10, perAddress: 600, total: 0 };

/**
 * Counts in memory, at most 10,000 sessions and as many addresses at a time. Throws a TypeError that names a wrong
 * option. [TOK27]
 */
export function tokenLimits(options: TokenLimitsOptions = {}): TokenLimits {
  checkOptionNames('tokenLimits', options, ['perSession', 'perAddress', 'total', 'addressOf', 'sessionOf']);
  const { addressOf, sessionOf } = options;
  checkNaming('addressOf', addressOf);
  checkNaming('sessionOf', sessionOf);
  const session = limitOf('perSession', options.perSession);
  const address = limitOf('perAddress', options.perAddress);
  const total = limitOf('total', options.total);

  return {
    // In this order, so that what one address or session is refused takes nothing from the others.
    count: async (request, context) => {
      if (address) {
        const from = addressOf ? addressOf(request, context) : peerAddress(context.native);
        // All without an address are one: a limit that can be evaded by having none is none.
        const wait = await address.count(networkOf(from ?? ''));
        if (wait > 0) return wait;
      }
      const named = sessionOf?.(request, context);
      const wait = (named !== undefined && (await session?.count(named))) || 0;
      return wait > 0 ? wait : ((await total?.count('')) ?? 0);
    },
    countIdentity: async (identity) => (sessionOf ? 0 : ((await session?.count(identity)) ?? 0)),
  };
}

/** Refuses the mere options in place of what is made of them. */
export function checkLimits(limits: unknown): void {
  if (limits === undefined || (isObject(limits) && typeof limits['count'] === 'function')) return;
  throw new TypeError('limits must be what tokenLimits({ … }) returns');
}

function limitOf(name: keyof typeof defaults, given: number | Rate | undefined): KeyedRate | undefined {
  const rate = given === undefined ? defaults[name] : given;
  const { perMinute, burst } = typeof rate === 'number' ? { perMinute: rate, burst: rate * 2 } : { ...rate };
  if (!isCount(perMinute) || !isCount(burst) || burst < perMinute) {
    throw new TypeError(
      `${name} must be a whole number a minute, or { perMinute, burst } with a burst at least as high`,
    );
  }
  return perMinute === 0 ? undefined : new KeyedRate({ perMinute, burst });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function checkNaming(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw new TypeError(`${option} must be a function of the request`);
}
