/** When a connection hears that its token is about to run out. Pure. [TLC1] */

import type { Instant } from '../core/object.ts';

const noticeMs = 240_000;

/** How long after its end a token may still be replaced on the standing connection. [TLC4] */
export const graceMs = 1_000;

/** The moments of the notices for a token given now, in order; a moment that has come is due at once. */
export function noticesOf(given: 'init' | 'update', now: Instant, expiresAt: Instant): readonly Instant[] {
  const left = expiresAt - now;
  // A client renews on each notice: after an update the next must be later than now, or short tokens would loop.
  if (given === 'update') return [expiresAt - Math.min(noticeMs, left / 2)];
  return left < noticeMs ? [now, now + left / 2] : [expiresAt - noticeMs];
}
