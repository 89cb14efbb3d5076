/**
 * One lasting identity for one browser, without a login and without a store: a signed cookie holds it. The signature
 * keeps visitors from taking each other's identity; it does not hide it.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IdentityContext } from './identity-source.ts';
import { checkOptionNames } from './options.ts';
import { randomText } from './random-name.ts';

export interface AnonymousVisitorOptions {
  /** Signs the cookies; at least 32 random characters. A new secret makes every visitor a new one. */
  readonly secret: string;
  /** @default 'tallystick_visitor' */
  readonly cookieName?: string | undefined;
  /** How long a browser may stay away and still be known, in seconds. @default 2592000, 30 days */
  readonly maxAgeSeconds?: number | undefined;
  /** Whether the cookie is `Secure`. Left out: as the request came. Say true behind a proxy that ends TLS. */
  readonly secure?: boolean | undefined;
  /** The clock, in milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** Itself an identity source for `tokenEndpoint`; `identify` is the same for backends of any other kind. */
export interface AnonymousVisitor {
  (request: Request, context: IdentityContext): string;
  /**
   * Who sent this `Cookie` header? When `setCookie` is there, send it as a `Set-Cookie` header with the answer.
   * `secure` says whether the request came over https. @default false
   */
  identify(
    cookieHeader: string | null | undefined,
    request?: { readonly secure?: boolean | undefined },
  ): { readonly identity: string; readonly setCookie: string | undefined };
}

/** Throws a TypeError that names a wrong option. [TOK21] */
export function anonymousVisitor(options: AnonymousVisitorOptions): AnonymousVisitor {
  const { secret, cookieName, maxAgeSeconds, secure, now } = checked(options);

  const identify: AnonymousVisitor['identify'] = (cookieHeader, request) => {
    const nowSeconds = Math.floor(now() / 1000);
    const known = cookiesNamed(cookieName, cookieHeader ?? '')
      .map((value) => unseal(secret, value))
      .find((cookie) => cookie !== undefined && nowSeconds < cookie.issuedAt + maxAgeSeconds);
    // Renewed in the second half of its life, so that a returning browser is not forgotten.
    if (known && nowSeconds < known.issuedAt + maxAgeSeconds / 2) {
      return { identity: known.identity, setCookie: undefined };
    }
    const identity = known?.identity ?? `visitor-${randomText()}`;
    const attributes = `Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Lax`;
    const end = (secure ?? request?.secure) ? '; Secure' : '';
    return { identity, setCookie: `${cookieName}=${seal(secret, identity, nowSeconds)}; ${attributes}${end}` };
  };

  const source = (request: Request, context: IdentityContext): string => {
    const overTls = new URL(request.url).protocol === 'https:';
    const { identity, setCookie } = identify(request.headers.get('cookie'), { secure: overTls });
    if (setCookie) context.headers.append('Set-Cookie', setCookie);
    return identity;
  };
  return Object.assign(source, { identify });
}

function checked(options: AnonymousVisitorOptions) {
  checkOptionNames('anonymousVisitor', options, ['secret', 'cookieName', 'maxAgeSeconds', 'secure', 'now']);
  const { secret, cookieName = 'tallystick_visitor', maxAgeSeconds = 2_592_000, secure, now = Date.now } = options;
  if (typeof secret !== 'string' || secret.length < 32) {
    throw new TypeError('secret must be text of at least 32 characters, random and the same on every server');
  }
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName)) throw new TypeError('cookieName is no possible name of a cookie');
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 1) {
    throw new TypeError('maxAgeSeconds must be a whole number of seconds above 0');
  }
  return { secret, cookieName, maxAgeSeconds, secure, now };
}

/** Browsers may send several cookies of one name, for instance of a parent domain. */
function cookiesNamed(name: string, header: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

function seal(secret: string, identity: string, issuedAt: number): string {
  return `${identity}.${issuedAt}.${macOf(secret, `${identity}.${issuedAt}`).toString('base64url')}`;
}

function unseal(secret: string, value: string): { identity: string; issuedAt: number } | undefined {
  const [, identity = '', issuedAt = '', mac = ''] = /^([\w-]+)\.(\d{1,12})\.([\w-]{43})$/.exec(value) ?? [];
  const given = Buffer.from(mac, 'base64url');
  const expected = macOf(secret, `${identity}.${issuedAt}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return { identity, issuedAt: Number(issuedAt) };
}

function macOf(secret: string, text: string): Buffer {
  // The prefix holds a colon, which no JWT does: the same secret may sign tokens, and neither passes for the other.
  return createHmac('sha256', secret).update(`tallystick:visitor:${text}`).digest();
}
