/** The credentials that the services of these tests run with, and tokens made of them. */

import { AccessToken, SyncGrant } from '@tallystick/token';
import type { Credentials } from '../../src/config.ts';

export const credentials: Credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'the-auth-token-of-the-account',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'the-secret-of-the-api-key',
  serviceSid: `IS${'3'.repeat(32)}`,
};

export function tokenOf(identity: string): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = credentials;
  const token = new AccessToken(accountSid, apiKey, apiSecret, { identity });
  token.addGrant(new SyncGrant({ serviceSid }));
  return token.toJwt();
}
