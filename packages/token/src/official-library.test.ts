/** The official library, unmodified, in the versions where its minting changed. Slow to import: nothing else is here. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SyncError } from '@tallystick/protocol';
import { account, decoded, defaultService, key, secret, service, world } from '../test/forge.ts';
import { AccessToken } from './access-token.ts';
import { SyncGrant } from './grants.ts';
import type { Grant } from './grants.ts';
import { verifyAccessToken } from './verify.ts';

interface OfficialToken {
  identity: unknown;
  addGrant(grant: unknown): void;
  toJwt(algorithm?: string): string;
}
type OfficialGrant = new (options?: object) => Grant;
interface Official {
  new (account: string, key: string, secret: string, options?: object): OfficialToken;
  readonly SyncGrant: OfficialGrant;
  readonly VideoGrant: OfficialGrant;
  readonly ChatGrant: OfficialGrant;
  readonly VoiceGrant: OfficialGrant;
  readonly TaskRouterGrant: OfficialGrant;
  readonly PlaybackGrant: OfficialGrant;
}

// As the guide does it. The library has no ES module, and its types would slow every type check.
const require = createRequire(import.meta.url);
const v3: Official = require('twilio-3').jwt.AccessToken;
const v4: Official = require('twilio-4').jwt.AccessToken;
const v6: Official = require('twilio').jwt.AccessToken;
const versions: [string, Official][] = [
  ['3.84.1', v3],
  ['4.0.0', v4],
  ['6.2.0', v6],
];

// The library reads the real clock, so the verifier must too.
const today = { ...world, now: Date.now };

for (const [version, Official] of versions) {
  for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
    test(`[TOK24] a token of ${version} in ${algorithm} is accepted`, () => {
      const token = new Official(account, key, secret, { identity: 'alice', ttl: 600 });
      token.addGrant(new Official.SyncGrant({ serviceSid: service, endpointId: 'app:alice:phone' }));
      const verified = verifyAccessToken(token.toJwt(algorithm), today);
      const { expiresAt, ...who } = verified;
      assert.deepEqual(who, { account, key, identity: 'alice', service, endpoint: 'app:alice:phone' });
      assert.ok(Math.abs(expiresAt - Date.now() - 600_000) < 60_000);
    });
  }

  test(`[TOK24] ${version} with the identity assigned afterwards, no algorithm and no service`, () => {
    const token = new Official(account, key, secret, { identity: 'first' });
    token.identity = 'alice';
    token.addGrant(new Official.SyncGrant());
    const verified = verifyAccessToken(token.toJwt(), today);
    assert.equal(verified.identity, 'alice');
    assert.equal(verified.service, defaultService);
  });

  test(`[TOK24] [TOK1] our token says what the one of ${version} says`, () => {
    const options = { identity: 'alice', ttl: 600, nbf: 5 };
    const theirs = new Official(account, key, secret, options);
    theirs.addGrant(new Official.SyncGrant({ serviceSid: service }));
    const expected = decoded(theirs.toJwt('HS384'));
    const minting = Number(expected.claims['iat']) * 1000;
    const ours = new AccessToken(account, key, secret, { ...options, now: () => minting });
    ours.addGrant(new SyncGrant({ serviceSid: service }));
    assert.deepEqual(decoded(ours.toJwt('HS384')), expected);
  });

  test(`[TOK2] [TOK24] six grants of ${version} are carried by our token, and our grant by theirs`, () => {
    const grants = sixGrants(Official);
    const theirs = new Official(account, key, secret, { identity: 'alice' });
    const ours = new AccessToken(account, key, secret, { identity: 'alice' });
    for (const grant of grants) {
      theirs.addGrant(grant);
      ours.addGrant(grant);
    }
    theirs.addGrant(new SyncGrant({ serviceSid: service }));
    ours.addGrant(new Official.SyncGrant({ serviceSid: service }));
    const expected = decoded(theirs.toJwt()).claims['grants'];
    assert.equal(Object.keys(Object(expected)).length, 8);
    assert.deepEqual(decoded(ours.toJwt()).claims['grants'], expected);
    assert.equal(verifyAccessToken(theirs.toJwt(), today).service, service);
    assert.equal(verifyAccessToken(ours.toJwt(), today).service, service);
  });
}

function sixGrants(Official: Official): Grant[] {
  return [
    new Official.VideoGrant({ room: 'lobby' }),
    new Official.ChatGrant({ serviceSid: 'IS1', endpointId: 'e', deploymentRoleSid: 'RL1', pushCredentialSid: 'CR1' }),
    new Official.VoiceGrant({
      incomingAllow: true,
      outgoingApplicationSid: 'AP1',
      outgoingApplicationParams: { a: 'b' },
      pushCredentialSid: 'CR1',
      endpointId: 'e',
    }),
    new Official.TaskRouterGrant({ workspaceSid: 'WS1', workerSid: 'WK1', role: 'worker' }),
    new Official.PlaybackGrant({ grant: { requestCredentials: null, playbackUrl: 'https://example.com' } }),
    { key: 'rtc', toPayload: () => ({ configuration_profile_sid: 'VS1' }) },
  ];
}

test('[TOK24] 3.84.1 as in the guide: three arguments, then the identity', () => {
  const token = new v3(account, key, secret);
  token.addGrant(new v3.SyncGrant({ serviceSid: service }));
  token.identity = 'alice';
  assert.equal(verifyAccessToken(token.toJwt(), today).identity, 'alice');
});

test('[TOK24] [TOK13] 3.84.1 without an identity is refused in words that name it', () => {
  const token = new v3(account, key, secret);
  token.addGrant(new v3.SyncGrant({ serviceSid: service }));
  assert.throws(
    () => verifyAccessToken(token.toJwt(), today),
    (error: unknown) => error instanceof SyncError && error.code === 20106 && /identity is missing/.test(error.message),
  );
});

test('[TOK24] [TOK12] the likeliest mistakes of a backend with the official library', () => {
  const codeOf = (options: object): unknown => {
    const token = new v6(account, key, secret, { identity: 'alice', ...options });
    token.addGrant(new v6.SyncGrant({ serviceSid: service }));
    try {
      return verifyAccessToken(token.toJwt(), today).identity;
    } catch (error) {
      return error instanceof SyncError ? error.code : error;
    }
  };
  assert.equal(codeOf({ identity: 42 }), '42');
  assert.equal(codeOf({ identity: 1.5 }), 20106);
  assert.equal(codeOf({ identity: { id: 1 } }), 20106);
  assert.equal(codeOf({ ttl: -5 }), 20104);
  assert.equal(codeOf({ ttl: 90_000 }), 20157);
  assert.equal(codeOf({ region: 'au1' }), 'alice');
});
