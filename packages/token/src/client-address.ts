/** Where a request comes from, as far as counting goes. */

import { isIPv6 } from 'node:net';
import { isObject } from './options.ts';

/**
 * The peer's address as Node knows it, or as Express does, which heeds its `trust proxy` setting. Undefined when the
 * platform names none, such as behind a Unix socket. Throws a TypeError when it passed no request of Node's kind.
 */
export function peerAddress(native: unknown): string | undefined {
  if (!isObject(native) || !isObject(native['socket'])) {
    throw new TypeError('tokenLimits needs addressOf here, or perAddress: 0; this platform passes no request of Node');
  }
  const { ip, socket } = native;
  if (typeof ip === 'string') return ip;
  const { remoteAddress } = socket;
  return typeof remoteAddress === 'string' ? remoteAddress : undefined;
}

/**
 * What counts as one place: an IPv4 address, or the /64 of an IPv6 address, since one household or machine has a whole /64
 * to choose from. Text that is no address counts as it is. [TOK27]
 */
export function networkOf(address: string): string {
  const [unzoned = ''] = address.split('%', 1);
  if (!isIPv6(unzoned)) return address;
  const groups = groupsOf(unzoned);
  const [high = 0, low = 0] = groups.slice(6);
  // IPv4 as a dual-stack socket writes it.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [, start = address, ...bytes] = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address) ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number);
  const hex = bytes.length === 0 ? address : `${start}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const [before = [], after] = hex.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
}
