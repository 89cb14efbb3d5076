/** How the word of an identity source is taken: after the limits, with care, and its failures without their reasons. */

import { identityText } from './identity.ts';
import { IdentityUnavailable } from './identity-source.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import { refusal } from './refusal.ts';
import type { TokenLimits } from './token-limits.ts';

/** The identity, or the refusal to send. Throws what the source throws, and a TypeError for an impossible identity. */
export async function whoAsks(
  source: IdentitySource,
  request: Request,
  context: IdentityContext,
  limits: TokenLimits | undefined,
): Promise<string | Response> {
  const wait = (await limits?.count(request, context)) ?? 0;
  if (wait > 0) return tooMany(wait);
  const who = await source(request, context);
  if (who instanceof Response) return who;
  if (who === null || who === undefined) return refusal(401, 'Not logged in', context.headers);
  const identity = identityText(who);
  if (identity === undefined) throw new TypeError('identity is empty; give null for a user who is not logged in');
  const waitToo = (await limits?.countIdentity(identity)) ?? 0;
  return waitToo > 0 ? tooMany(waitToo) : identity;
}

/** The answer to a failure. It holds no reason; `onError` is told. [TOK18] [TOK26] */
export function failed(error: unknown, onError: ((error: unknown) => void) | undefined): Response {
  onError?.(error);
  if (!(error instanceof IdentityUnavailable)) {
    return refusal(500, 'The token endpoint failed; its onError option is told why');
  }
  const seconds = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  return refusal(503, 'Who is asking cannot be decided at the moment', { 'Retry-After': seconds });
}

/** [TOK27] */
function tooMany(waitSeconds: number): Response {
  return refusal(429, 'Too many requests', { 'Retry-After': String(waitSeconds) });
}
