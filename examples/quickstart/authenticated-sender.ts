/**
 * Who is asking? The most critical decision of a token backend, and the one place to change for an app of your own. These
 * are the guide's four ways; IDENTITY chooses one. None takes the identity from query or body.
 */

import { createHash } from 'node:crypto';
import { anonymousVisitor, loggedInSession, oidcBearer, randomName } from '@tallystick/token';
import type { IdentitySource } from '@tallystick/token';
import type { Request } from 'express';
import type { QuickstartSettings } from './settings.ts';

/** For `identify` of `@tallystick/token`, which asks it and sends the refusals. `secret`: any that only this backend has. */
export function authenticatedSenderOf({ identity, oidc }: QuickstartSettings, secret: string): IdentitySource {
  switch (identity) {
    // One browser, one random identity, kept in a signed cookie. Not a login.
    case 'anonymous':
      return anonymousVisitor({ secret: derived('visitors', secret) });

    // The id of the user who has logged in, from the session that login.ts made.
    case 'login':
      return loggedInSession({ userOf: (_request, { native }) => (native as Request).session.userId });

    // The user whom an OpenID Connect provider vouches for, by an access token for this backend.
    case 'oidc':
      return oidcBearer({ issuer: oidc.issuer ?? '', audience: oidc.audience, name: oidc.name });

    // A new name for every token, for demonstrations.
    case 'random':
      return randomName();
  }
}

/** Not the secret itself: what signs tokens should sign nothing else. */
function derived(purpose: string, secret: string): string {
  return createHash('sha256').update(`${purpose}\n${secret}`).digest('hex');
}
