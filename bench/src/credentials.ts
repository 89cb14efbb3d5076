/** Made up for one run of the server under test; the load generators mint their tokens with them. */

import { randomBytes } from 'node:crypto';
import { AccessToken, SyncGrant } from '@tallystick/token';

export interface Credentials {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly serviceSid: string;
}

/** Longer than any run, so that no token is renewed in a measured window. */
const tokenSeconds = 3600;

export function newCredentials(): Credentials {
  const random = (): string => randomBytes(16).toString('hex');
  return {
    accountSid: `AC${random()}`,
    authToken: random(),
    apiKey: `SK${random()}`,
    apiSecret: random(),
    serviceSid: `IS${random()}`,
  };
}

export function mintToken(credentials: Credentials, identity: string): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = credentials;
  const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl: tokenSeconds });
  token.addGrant(new SyncGrant({ serviceSid }));
  return token.toJwt();
}
