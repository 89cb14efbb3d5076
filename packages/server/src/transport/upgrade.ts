/** Which upgrade requests ask for the socket, by what they say; whether there is room is another matter. */

import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';

export interface UpgradeRules {
  readonly path: string;
  /** Infinity: no limit. */
  readonly maxUrlBytes: number;
  /** Web pages that may connect, by their origins; undefined: all of them. */
  readonly allowedOrigins: readonly string[] | undefined;
}

/** Undefined when there is nothing against it. */
export function refusalOf(request: IncomingMessage, rules: UpgradeRules): Refusal | undefined {
  const { url = '' } = request;
  if (url.length > rules.maxUrlBytes) return { reason: 'url', code: 20414 };
  const [pathname, query = ''] = url.split('?');
  if (pathname !== rules.path) return { reason: 'path', code: 20404 };
  // Addresses end up in logs of proxies; a token there is refused before anybody gets used to it. [CON12]
  if (new URLSearchParams(query).has('token')) {
    return { reason: 'token', code: 20001, detail: 'A token does not belong in the address' };
  }
  // Only browsers send it, and they always do: what is no page cannot be misused by one. [CON16]
  const { origin } = request.headers;
  const isAllowed = origin === undefined || (rules.allowedOrigins?.includes(origin) ?? true);
  return isAllowed ? undefined : { reason: 'origin', code: 20403, detail: 'Pages of this origin may not connect' };
}
