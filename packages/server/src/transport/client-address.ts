/**
 * Whose connection it is: the address of the client, also behind proxies. `X-Forwarded-For` is believed only as far as
 * it was written by a proxy that is trusted; anybody can send that header.
 */

import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6, SocketAddress } from 'node:net';
import { all, compile } from '@fastify/proxy-addr';

export interface ClientAddresses {
  /** Whether this is the address of a trusted proxy. */
  trusts(address: string): boolean;
  /** Of the nearest hop that is not trusted. Undefined when the peer is gone already. */
  of(request: IncomingMessage): string | undefined;
}

/** `trusted`: addresses, networks such as `10.0.0.0/8`, and the names loopback, linklocal and uniquelocal. */
export function clientAddresses(trusted: readonly string[]): ClientAddresses {
  const trusts = trusted.length === 0 ? () => false : compile([...trusted]);
  return {
    trusts: (address) => trusts(address, 0),
    of(request) {
      const peer = request.socket.remoteAddress;
      if (peer === undefined) return undefined;
      const nearest = all(request, trusts).at(-1);
      // A proxy may hand on what a client wrote there; what is no address names nobody.
      return plain(nearest !== undefined && isIP(nearest) !== 0 ? nearest : peer);
    },
  };
}

const mapped = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** An IPv4 address in its IPv6 form is that IPv4 address. */
function plain(address: string): string {
  return address.replace(mapped, '');
}

/** What limits for one address count by: one client can take any address of its IPv6 network of 64 bits. */
export function networkOf(address: string): string {
  const text = plain(address);
  if (!isIPv6(text)) return text;
  const [withoutZone = ''] = text.split('%');
  const { address: shortest } = new SocketAddress({ address: withoutZone, family: 'ipv6' });
  const [head = '', tail] = shortest.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
