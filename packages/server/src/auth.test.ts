import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncError } from '@tallystick/protocol';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { account, keySid, otherService, service } from '../test/commands.ts';
import { createAuthenticate } from './auth.ts';
import type { CredentialSource } from './auth.ts';
import type { Principal } from './core/principal.ts';

const now = 1_800_000_000_000;
const secret = 'a secret of the key';

test('[CON2] a principal is what the token, its key and its service say, and nothing else', () => {
  assert.deepEqual(authenticate(source(), 'ann'), {
    account,
    key: keySid(1),
    identity: 'ann',
    service,
    expiresAt: now + 60_000,
  });
  assert.equal(authenticate(source(), 'ann', otherService).service, otherService);
});

test('[ACC3] keys are looked up anew for every token: a revoked one is unknown from that moment', () => {
  const keys = source();
  authenticate(keys, 'ann');
  const revoked = { ...keys, key: () => undefined };
  assert.throws(() => authenticate(revoked, 'ann'), hasCode(20103));
});

test("[CON2] a service that is not there, or another account's, is refused by its own code", () => {
  assert.throws(() => authenticate({ ...source(), service: () => undefined }, 'ann'), hasCode(54050));
  const foreign = { sid: service, account: `AC${'b'.repeat(32)}`, uniqueName: null, createdAt: now };
  assert.throws(() => authenticate({ ...source(), service: () => foreign }, 'ann'), hasCode(54056));
});

test('[TLC5] the clock of the server decides what has expired', () => {
  assert.throws(() => authenticate(source(), 'ann', undefined, now + 60_000), hasCode(20104));
  assert.equal(authenticate(source(), 'ann', undefined, now + 59_999).identity, 'ann');
});

function authenticate(from: CredentialSource, identity: string, of?: string, at = now): Principal {
  const token = new AccessToken(account, keySid(1), secret, { identity, ttl: 60, now: () => now });
  token.addGrant(new SyncGrant({ serviceSid: of }));
  return createAuthenticate(from, () => at)(token.toJwt());
}

function source(): CredentialSource {
  return {
    key: (sid) => (sid === keySid(1) ? { secret, account } : undefined),
    service: (sid = service) => ({ sid, account, uniqueName: null, createdAt: now }),
  };
}

function hasCode(code: number): (error: unknown) => boolean {
  return (error) => error instanceof SyncError && error.code === code;
}
