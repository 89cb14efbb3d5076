/** What oidcBearer is told; what it does with tokens is in `../test/oidc-bearer.test.ts`, with a provider. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oidcBearer } from './oidc-bearer.ts';

const good = { issuer: 'https://id.example', audience: 'board' };

for (const [what, options, message] of [
  ['no issuer', { issuer: undefined }, /issuer must be the https address/],
  ['an issuer over plain http', { issuer: 'http://id.example' }, /issuer/],
  ['an issuer that only begins like this machine', { issuer: 'http://127.0.0.1.evil.example' }, /issuer/],
  ['an issuer that only looks like this machine', { issuer: 'http://localhost@evil.example' }, /issuer/],
  ['an issuer with a query', { issuer: 'https://id.example/?a=b' }, /issuer/],
  ['an issuer with a password', { issuer: 'https://user:pass@id.example' }, /issuer/],
  ['an issuer without a scheme', { issuer: 'id.example' }, /issuer/],
  ['no audience', { audience: undefined }, /audience must be text, or a list of texts/],
  ['an empty audience', { audience: '' }, /audience/],
  ['an empty list of audiences', { audience: [] }, /audience/],
  ['an audience that is no text', { audience: ['a', 7] }, /audience/],
  ['a symmetric algorithm', { algorithms: ['RS256', 'HS256'] }, /algorithms must be signatures with public keys/],
  ['no signature', { algorithms: ['none'] }, /algorithms/],
  ['an algorithm in lower case', { algorithms: ['rs256'] }, /algorithms/],
  ['an inherited name for an algorithm', { algorithms: ['constructor'] }, /algorithms/],
  ['no algorithms', { algorithms: [] }, /algorithms/],
  ['keys over plain http', { jwksUri: 'http://id.example/keys' }, /jwksUri must be an https address/],
  ['a name with a colon', { name: 'a:b' }, /name must be 1 to 64/],
  ['an issuer too long for a name', { issuer: `https://id.example/${'a'.repeat(64)}` }, /name must be 1 to 64/],
  ['a tolerance below 0', { clockToleranceSeconds: -1 }, /clockToleranceSeconds must be a number of seconds/],
  ['a tolerance beyond 5 minutes', { clockToleranceSeconds: 301 }, /clockToleranceSeconds/],
  ['a tolerance as text', { clockToleranceSeconds: '5 minutes' }, /clockToleranceSeconds/],
  ['keys that are never kept', { keyMaxAgeSeconds: 0 }, /keyMaxAgeSeconds/],
  ['keys that are kept for ever', { keyMaxAgeSeconds: Infinity }, /keyMaxAgeSeconds/],
  ['no patience', { timeoutSeconds: 0 }, /timeoutSeconds/],
  ['a list for allowed', { allowed: ['alice'] }, /allowed must be a function/],
  ['a fetch that is no function', { fetch: 'https://proxy.example' }, /fetch must be a function/],
  ['a clock that is no function', { now: 5 }, /now must be a function/],
  ['an unknown option', { clientId: 'board' }, /oidcBearer has no option 'clientId'/],
] as const) {
  test(`[TOK26] [TOK5] ${what} is a TypeError`, () => {
    assert.throws(() => Reflect.apply(oidcBearer, undefined, [{ ...good, ...options }]), {
      name: 'TypeError',
      message,
    });
  });
}

test('[TOK26] a provider on this machine needs no https, and making a source asks nobody', () => {
  const fetch = () => assert.fail('asked');
  for (const issuer of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:3000/realms/a', good.issuer]) {
    assert.equal(typeof oidcBearer({ ...good, issuer, fetch }), 'function');
  }
});
