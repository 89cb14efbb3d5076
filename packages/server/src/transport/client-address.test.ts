import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { clientAddresses, networkOf } from './client-address.ts';

function addressOf(trusted: readonly string[], peer: string | undefined, forwarded?: string): string | undefined {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddresses(trusted).of({ socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage);
}

test('[CON14] without trusted proxies the peer is the client, whatever it writes', () => {
  assert.equal(addressOf([], '203.0.113.7'), '203.0.113.7');
  assert.equal(addressOf([], '203.0.113.7', '198.51.100.1'), '203.0.113.7');
  assert.equal(addressOf([], '127.0.0.1', '198.51.100.1'), '127.0.0.1');
  assert.equal(addressOf([], undefined), undefined);
});

test('[CON14] a forwarded address counts as far as trusted proxies wrote it', () => {
  const trusted = ['10.0.0.0/8', '203.0.113.7'];
  assert.equal(addressOf(trusted, '10.1.2.3', '198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf(trusted, '10.1.2.3', '198.51.100.1, 203.0.113.7, 10.9.9.9'), '198.51.100.1');
  assert.equal(addressOf(trusted, '10.1.2.3', '192.0.2.66, 198.51.100.1'), '198.51.100.1', 'the first was made up');
  assert.equal(addressOf(trusted, '11.1.2.3', '198.51.100.1'), '11.1.2.3', 'a peer that is not trusted');
  assert.equal(addressOf(trusted, '10.1.2.3'), '10.1.2.3');
});

test('[CON14] names stand for networks, and an IPv4 address may come in IPv6 form', () => {
  assert.equal(addressOf(['loopback'], '127.0.0.1', '198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf(['loopback'], '::1', '2001:db8::1'), '2001:db8::1');
  assert.equal(addressOf(['loopback'], '::ffff:127.0.0.1', '::ffff:198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf(['uniquelocal', 'linklocal'], '192.168.1.1', '169.254.1.1, fd00::1'), '169.254.1.1');
  assert.equal(addressOf(['loopback'], '::ffff:192.0.2.1', '198.51.100.1'), '192.0.2.1');
  assert.deepEqual(
    [clientAddresses(['loopback']).trusts('127.8.9.1'), clientAddresses([]).trusts('127.0.0.1')],
    [true, false],
  );
});

test('[CON14] what is no address names nobody', () => {
  for (const odd of ['', 'unknown', '<b>', '198.51.100.1:4711', 'x'.repeat(10_000), ',,,', '_hidden']) {
    assert.equal(addressOf(['loopback'], '127.0.0.1', odd), '127.0.0.1', odd.slice(0, 20));
  }
});

test('[CON15] an IPv6 address counts by its first 64 bits, an IPv4 address by itself', () => {
  const networks = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:192.0.2.1': '192.0.2.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:DB8:1:2::': '2001:db8:1:2::/64',
    '2001:db8:1:2::9': '2001:db8:1:2::/64',
    '2001:0db8:0001:0002:ffff:ffff:ffff:ffff': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '2001:db8:0:0:1::': '2001:db8:0:0::/64',
    '2001:db8::1:0:0:0:1': '2001:db8:0:1::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
    '::1': '0:0:0:0::/64',
    '::': '0:0:0:0::/64',
    '64:ff9b::192.0.2.1': '64:ff9b:0:0::/64',
  };
  for (const [address, network] of Object.entries(networks)) assert.equal(networkOf(address), network, address);
});
