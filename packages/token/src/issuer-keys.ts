/**
 * The keys that an identity provider publishes. They are found by the issuer's name, fetched when a token needs them, and
 * fetched again when they are old or a token names one that is not there, so that keys change without a restart.
 */

import type { JWTVerifyGetKey, RemoteJWKSet } from 'jose';
import { IdentityUnavailable } from './identity-source.ts';
import { isObject } from './options.ts';

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Undefined: as the issuer's configuration document says. */
  readonly jwksUri: string | undefined;
  /** For how long a fetched key counts, whatever the provider has done with it since. */
  readonly keyMaxAgeSeconds: number;
  /** For each answer of the provider. */
  readonly timeoutSeconds: number;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
}

/** Tokens with invented key names cause one fetch in this time. */
const cooldownSeconds = 10;
/** A provider that failed is left alone for so long, and clients are told to wait as long. */
const pauseSeconds = 5;
/** Key sets have a few kilobytes. */
const mostBytes = 512 * 1024;

/** https, or http to this machine, for development. */
export function isProviderUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const here = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && here)) && username === '' && password === '';
}

/**
 * Finds the key that a token names. Throws a JOSEError when the token is at fault, and IdentityUnavailable when the
 * provider is. [TOK26]
 */
export function issuerKeys(options: IssuerKeysOptions): JWTVerifyGetKey {
  let pausedUntil = 0;
  const paused = (): boolean => {
    const left = pausedUntil - options.now();
    // A clock set back must not make the pause longer.
    return left > 0 && left <= pauseSeconds * 1000;
  };
  const fetchFromProvider: typeof globalThis.fetch = async (url, init) => {
    if (paused()) throw new Error('it failed a moment ago and is left alone');
    return bounded(await options.fetch(url, init));
  };
  // One search for all who wait for it.
  let search: Promise<RemoteJWKSet> | undefined;

  return async (header, token) => {
    const { errors } = await import('jose');
    const mine = (search ??= remoteKeys(options, fetchFromProvider));
    let keys: RemoteJWKSet | undefined;
    try {
      keys = await mine;
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (!paused()) pausedUntil = options.now() + pauseSeconds * 1000;
      // The keys may have moved. Those at hand still serve the tokens that they fit.
      if (search === mine && !keys?.fresh) search = undefined;
      throw new IdentityUnavailable(`the keys of ${options.issuer} cannot be had`, {
        cause: error,
        retryAfterSeconds: pauseSeconds,
      });
    }
  };
}

async function remoteKeys(options: IssuerKeysOptions, fetch: typeof globalThis.fetch): Promise<RemoteJWKSet> {
  const { createRemoteJWKSet, customFetch } = await import('jose');
  const { keyMaxAgeSeconds, timeoutSeconds } = options;
  const timeoutDuration = Math.ceil(timeoutSeconds * 1000);
  const uri = options.jwksUri ?? (await discover(options.issuer, fetch, timeoutDuration));
  return createRemoteJWKSet(new URL(uri), {
    timeoutDuration,
    cacheMaxAge: keyMaxAgeSeconds * 1000,
    cooldownDuration: Math.min(cooldownSeconds, keyMaxAgeSeconds) * 1000,
    [customFetch]: fetch,
  });
}

/** OpenID Connect Discovery: where the issuer says its keys are. */
async function discover(issuer: string, fetch: typeof globalThis.fetch, timeout: number): Promise<string> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
  });
  const document: unknown = await response.json();
  if (!isObject(document) || document['issuer'] !== issuer) {
    throw new Error('its configuration document names another issuer; give the issuer exactly as it is written there');
  }
  const { jwks_uri: uri } = document;
  if (typeof uri !== 'string' || !isProviderUrl(uri))
    throw new Error('its configuration document has no safe jwks_uri');
  return uri;
}

/** The same answer, read to its end, unless it is a failure or larger than anything expected. */
async function bounded(response: Response): Promise<Response> {
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`it answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error(`its answer is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200 });
}
