/** From a token to a principal. What a client says of itself counts for nothing. */

import { verifyAccessToken } from '@tallystick/token';
import type { Instant, ServiceRow, Sid } from './core/object.ts';
import type { Principal } from './core/principal.ts';

/** Where keys and services are looked up; a revoked key is not found. */
export interface CredentialSource {
  key(sid: Sid): { readonly secret: string; readonly account: Sid } | undefined;
  /** Undefined: the default service. */
  service(sid: Sid | undefined): ServiceRow | undefined;
}

export type Authenticate = (token: unknown) => Principal;

/** Throws SyncError with the code of the first failing rule. */
export function createAuthenticate(source: CredentialSource, now: () => Instant): Authenticate {
  return (token) => {
    const verified = verifyAccessToken(token, {
      now,
      findKey: (sid) => source.key(sid),
      findService: (sid) => source.service(sid),
    });
    return {
      account: verified.account,
      key: verified.key,
      identity: verified.identity,
      service: verified.service,
      expiresAt: verified.expiresAt,
    };
  };
}
