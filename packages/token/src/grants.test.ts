import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { account, decoded, key, secret, service, untypedCall, world } from '../test/forge.ts';
import { AccessToken } from './access-token.ts';
import { SyncGrant } from './grants.ts';
import { verifyAccessToken } from './verify.ts';

function tokenOf(...grants: object[]): AccessToken {
  const token = new AccessToken(account, key, secret, { identity: 'alice', now: world.now });
  for (const grant of grants) untypedCall(token, 'addGrant', grant);
  return token;
}

function grantsOf(...grants: object[]): unknown {
  return decoded(tokenOf(...grants).toJwt()).claims['grants'];
}

test('[TOK2] the Sync grant: both members optional, empty ones left out', () => {
  assert.deepEqual(new SyncGrant().toPayload(), {});
  assert.deepEqual(new SyncGrant({ serviceSid: undefined, endpointId: '' }).toPayload(), {});
  assert.deepEqual(new SyncGrant({ serviceSid: '' }).toPayload(), {});
  assert.deepEqual(new SyncGrant({ serviceSid: service, endpointId: 'app:alice:phone' }).toPayload(), {
    service_sid: service,
    endpoint_id: 'app:alice:phone',
  });
  assert.deepEqual(new SyncGrant({ serviceSid: 'default' }).toPayload(), { service_sid: 'default' });
  assert.equal(AccessToken.SyncGrant, SyncGrant);
});

test('[TOK2] of two Sync grants the last stays', () => {
  assert.deepEqual(grantsOf(new SyncGrant({ serviceSid: service }), new SyncGrant({ serviceSid: 'default' })), {
    identity: 'alice',
    data_sync: { service_sid: 'default' },
  });
});

test('[TOK2] grants of other products are carried as they are, in both shapes', () => {
  const token = tokenOf(
    { key: 'video', toPayload: () => ({ room: 'lobby' }) },
    { voice: { incoming: { allow: true }, outgoing: { application_sid: 'AP1', params: { a: ['b'] } } } },
    { chat: { service_sid: 'IS1' }, task_router: { role: 'worker' } },
    new SyncGrant({ serviceSid: service }),
  );
  const jwt = token.toJwt();
  assert.deepEqual(decoded(jwt).claims['grants'], {
    identity: 'alice',
    video: { room: 'lobby' },
    voice: { incoming: { allow: true }, outgoing: { application_sid: 'AP1', params: { a: ['b'] } } },
    chat: { service_sid: 'IS1' },
    task_router: { role: 'worker' },
    data_sync: { service_sid: service },
  });
  assert.equal(verifyAccessToken(jwt, world).service, service);
});

test('[TOK2] no grant can take the place of the identity', () => {
  const expected = { name: 'TypeError', message: /must not be called 'identity'/ };
  assert.throws(() => tokenOf({ identity: { admin: true } }), expected);
  assert.throws(() => tokenOf({ key: 'identity', toPayload: () => 'admin' }), expected);
  const turncoat = { key: 'video', toPayload: () => 'admin' };
  const token = tokenOf(turncoat);
  turncoat.key = 'identity';
  assert.deepEqual(decoded(token.toJwt()).claims['grants'], { identity: 'alice' });
});

for (const wrong of [undefined, null, 'data_sync', SyncGrant, [], { serviceSid: service }, { video: null }]) {
  test(`[TOK5] ${inspect(wrong, { breakLength: Infinity })} is no grant`, () => {
    const token = tokenOf();
    assert.throws(() => untypedCall(token, 'addGrant', wrong), { name: 'TypeError', message: /grant/ });
  });
}

for (const [options, message] of [
  [{ service_sid: service }, /SyncGrant has no option 'service_sid'; its options are serviceSid, endpointId/],
  [{ serviceSid: 'my-service' }, /serviceSid must be IS and 32 hex digits, or 'default'/],
  [{ serviceSid: account }, /serviceSid/],
  [{ serviceSid: null }, /serviceSid/],
  [{ endpointId: 7 }, /endpointId must be text/],
  [{ endpointId: 'a'.repeat(257) }, /endpointId must be at most 256/],
  [{ endpointId: '\udc00' }, /endpointId/],
  [null, /options of SyncGrant/],
  [service, /options of SyncGrant/],
] as const) {
  test(`[TOK5] SyncGrant refuses ${inspect(options).slice(0, 60)}`, () => {
    assert.throws(() => Reflect.construct(SyncGrant, [options]), { name: 'TypeError', message });
  });
}
