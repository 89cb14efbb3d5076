/** The account, keys and services of the suite, and tokens of every kind, good and bad. */

import { AccessToken } from '@tallystick/token';
import type { Credentials } from '@tallystick/server';
import LibraryToken from 'twilio/lib/jwt/AccessToken.js';

export const credentials: Credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'a'.repeat(32),
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 's'.repeat(32),
  serviceSid: `IS${'3'.repeat(32)}`,
};

export interface TokenOptions {
  /** Seconds. @default 3600 */
  readonly ttl?: number;
  readonly secret?: string;
  readonly serviceSid?: string;
}

/** Made by the library that existing backends use. */
export function libraryToken(identity: string, options: TokenOptions = {}): string {
  const { ttl = 3600, secret = credentials.apiSecret, serviceSid = credentials.serviceSid } = options;
  const token = new LibraryToken(credentials.accountSid, credentials.apiKey, secret, { identity, ttl });
  token.addGrant(new LibraryToken.SyncGrant({ serviceSid }));
  return token.toJwt();
}

/** Made by our own library. */
export function ownToken(identity: string, options: TokenOptions & { readonly now?: () => number } = {}): string {
  const { ttl = 3600, secret = credentials.apiSecret, serviceSid = credentials.serviceSid, now } = options;
  const token = new AccessToken(credentials.accountSid, credentials.apiKey, secret, { identity, ttl, now });
  token.addGrant(new AccessToken.SyncGrant({ serviceSid }));
  return token.toJwt();
}

/** Ended an hour ago. */
export function expiredToken(identity: string): string {
  return ownToken(identity, { now: () => Date.now() - 7_200_000 });
}

export function tokenWithoutGrant(identity: string): string {
  return new AccessToken(credentials.accountSid, credentials.apiKey, credentials.apiSecret, { identity }).toJwt();
}
