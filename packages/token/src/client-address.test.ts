import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { networkOf, peerAddress } from './client-address.ts';

for (const [address, network] of [
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['0:0:0:0:0:FFFF:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['::ffff:0:203.0.113.7', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
  ['tenant-7', 'tenant-7'],
  ['10.0.0.1:8080', '10.0.0.1:8080'],
] as const) {
  test(`[TOK27] '${address}' counts as '${network}'`, () => assert.equal(networkOf(address), network));
}

test('[TOK27] addresses of one /64 count as one, however they are written, and others do not', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  // From 2000:: on, away from the forms that hold an IPv4 address.
  const groups = fc.tuple(fc.integer({ min: 0x2000, max: 0x3fff }), group, group, group, group, group, group, group);
  const written = (each: readonly number[]): string => each.map((part) => part.toString(16)).join(':');
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const neighbour = [...one.slice(0, 4), ...other.slice(4)];
      assert.equal(networkOf(written(one)), networkOf(new URL(`http://[${written(neighbour)}]`).hostname.slice(1, -1)));
      const same = one.slice(0, 4).every((part, index) => part === other[index]);
      assert.equal(networkOf(written(one)) === networkOf(written(other)), same);
    }),
  );
});

test('[TOK27] the peer is what Express says, else what the socket says', () => {
  assert.equal(peerAddress({ socket: { remoteAddress: '10.0.0.1' } }), '10.0.0.1');
  assert.equal(peerAddress({ ip: '203.0.113.7', socket: { remoteAddress: '10.0.0.1' } }), '203.0.113.7');
  assert.equal(peerAddress({ ip: undefined, socket: {} }), undefined);
  for (const native of [undefined, null, 'request', {}, { ip: '203.0.113.7' }]) {
    assert.throws(() => peerAddress(native), { name: 'TypeError', message: /tokenLimits needs addressOf here/ });
  }
});
