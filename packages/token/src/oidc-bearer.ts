/**
 * The identity of a user whom an OpenID provider vouches for: a bearer token of that provider, verified against the keys
 * it publishes, without a session and without asking the provider at each request.
 */

import type { errors as JoseErrors, JWTVerifyResult } from 'jose';
import type { IdentitySource } from './identity-source.ts';
import { isProviderUrl, issuerKeys } from './issuer-keys.ts';
import { checkOptionNames, checkPlainName } from './options.ts';
import { refusal } from './refusal.ts';

export interface OidcBearerOptions {
  /** The provider, exactly as it writes itself into `iss`, such as `https://accounts.example.com`. */
  readonly issuer: string;
  /** Who the tokens must be meant for: the name of this backend at the provider. One of several is enough. */
  readonly audience: string | readonly string[];
  /** Signatures with public keys only. @default ['RS256', 'PS256', 'ES256', 'EdDSA'] */
  readonly algorithms?: readonly string[] | undefined;
  /** Where the keys are. Left out: as the issuer's `.well-known/openid-configuration` says. */
  readonly jwksUri?: string | undefined;
  /**
   * First part of the identity: `google` makes `google:1234` of subject 1234. 1 to 64 characters of A-Z a-z 0-9 . _ - and
   * another one for each issuer. @default host, port and path of the issuer, joined by `-`
   */
  readonly name?: string | undefined;
  /** How far the provider's clock may be off, in seconds, 0 to 300. @default 5 */
  readonly clockToleranceSeconds?: number | undefined;
  /** For how long a fetched key counts: after this a key that the provider withdrew is refused. @default 600 */
  readonly keyMaxAgeSeconds?: number | undefined;
  /** How long the provider may take for each answer, in seconds, up to 60. @default 5 */
  readonly timeoutSeconds?: number | undefined;
  /** May this user come in? Anything but true is 403. Gets the verified claims. Left out: all may. */
  readonly allowed?: ((claims: Readonly<Record<string, unknown>>) => boolean | Promise<boolean>) | undefined;
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock that tokens are judged by, in milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined;
}

const optionNames =
  'issuer audience algorithms jwksUri name clockToleranceSeconds keyMaxAgeSeconds timeoutSeconds allowed fetch now';
const publicKeyAlgorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** Node takes no longer headers either, unless told to. */
const mostCharacters = 16_384;
/** Access tokens and ID tokens. Other kinds of the same issuer, such as logout tokens, name themselves here. */
const types = ['jwt', 'at+jwt', 'application/at+jwt'];

/**
 * Returns an identity source for `Authorization: Bearer`. Without an acceptable token 401 with `WWW-Authenticate`; when
 * `allowed` says no 403; while the provider's keys cannot be had 503. Throws a TypeError that names a wrong option. [TOK26]
 */
export function oidcBearer(options: OidcBearerOptions): IdentitySource {
  const settings = checked(options);
  const { issuer, audience, algorithms, name, clockToleranceSeconds, allowed, now } = settings;
  const keys = issuerKeys(settings);

  return async (request) => {
    const token = bearerToken(request.headers.get('authorization'));
    if (token === undefined) return refusal(401, 'Not logged in', { 'WWW-Authenticate': 'Bearer' });
    if (token === null) return refused('there must be one, in base64url');

    const { errors, jwtVerify } = await import('jose');
    let verified: JWTVerifyResult;
    try {
      verified = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
      });
    } catch (error) {
      if (error instanceof errors.JOSEError) return refused(complaintOf(error));
      throw error;
    }
    const { typ = 'JWT' } = verified.protectedHeader;
    if (!types.includes(typ.toLowerCase())) return refused('it is another kind of token');
    const { sub } = verified.payload;
    if (typeof sub !== 'string' || sub === '') return refused('its sub is not text');
    const may: unknown = allowed ? await allowed(verified.payload) : true;
    if (may !== true) return refusal(403, 'This user may not come in');
    return `${name}:${sub}`;
  };
}

/** Undefined when the request brings no bearer token, null when it is not exactly one acceptable piece of text. */
function bearerToken(authorization: string | null): string | null | undefined {
  if (authorization === null || !/^bearer(?: |$)/i.test(authorization)) return undefined;
  if (authorization.length > mostCharacters) return null;
  return /^bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1] ?? null;
}

/** Nothing of the token is in these words, and only who holds a genuine one hears about its claims. */
function refused(complaint: string): Response {
  const message = `The bearer token was not accepted: ${complaint}`;
  const challenge = `Bearer error="invalid_token", error_description="${message}"`;
  return refusal(401, message, { 'WWW-Authenticate': challenge });
}

const complaints: Readonly<Record<string, string>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'its alg is not one of those agreed on',
  ERR_JWKS_NO_MATCHING_KEY: 'its key is not one that the issuer publishes',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which key of the issuer signed it',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature does not fit',
  ERR_JWT_EXPIRED: 'it has expired',
};

const claimComplaints: Readonly<Record<string, string>> = {
  iss: 'it is from another issuer',
  aud: 'it is meant for another audience',
  exp: 'its exp is missing or no number',
  nbf: 'it is not valid yet',
  sub: 'its sub is missing',
};

function complaintOf(error: JoseErrors.JOSEError): string {
  const claim = 'claim' in error ? claimComplaints[String(error.claim)] : undefined;
  return complaints[error.code] ?? claim ?? 'it is no signed JWT';
}

function checked(options: OidcBearerOptions) {
  checkOptionNames('oidcBearer', options, optionNames.split(' '));
  const { issuer, jwksUri, allowed, fetch = globalThis.fetch, now = Date.now } = options;
  if (typeof issuer !== 'string' || !isProviderUrl(issuer) || /[?#]/.test(issuer)) {
    throw new TypeError('issuer must be the https address of the provider, as in the iss of its tokens');
  }
  if (jwksUri !== undefined && !isProviderUrl(jwksUri)) throw new TypeError('jwksUri must be an https address');
  for (const [option, value] of Object.entries({ allowed, fetch, now })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${option} must be a function`);
  }
  const name =
    options.name ??
    issuer
      .replace(/^\w+:\/\//, '')
      .replace(/\W*$/, '')
      .replaceAll(/[^A-Za-z0-9._]+/g, '-');
  checkPlainName('name', name);
  return {
    issuer,
    jwksUri,
    allowed,
    fetch,
    now,
    name,
    audience: listOf('audience', options.audience),
    algorithms: algorithmsOf(options.algorithms),
    clockToleranceSeconds: secondsOf('clockToleranceSeconds', options.clockToleranceSeconds ?? 5, 0, 300),
    keyMaxAgeSeconds: secondsOf('keyMaxAgeSeconds', options.keyMaxAgeSeconds ?? 600, 1, 86_400),
    timeoutSeconds: secondsOf('timeoutSeconds', options.timeoutSeconds ?? 5, 0.001, 60),
  };
}

function listOf(option: string, given: unknown): string[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const texts = list.filter((each) => typeof each === 'string' && each !== '') as string[];
  if (texts.length === 0 || texts.length < list.length)
    throw new TypeError(`${option} must be text, or a list of texts`);
  return texts;
}

function algorithmsOf(given: readonly string[] = defaultAlgorithms): string[] {
  const list = listOf('algorithms', given);
  // HS256 takes any bytes for a secret. With a published key as that secret, anybody could sign.
  if (list.every((each) => publicKeyAlgorithms.includes(each))) return list;
  throw new TypeError(`algorithms must be signatures with public keys: ${publicKeyAlgorithms.join(', ')}`);
}

function secondsOf(option: string, given: unknown, least: number, most: number): number {
  if (typeof given === 'number' && given >= least && given <= most) return given;
  throw new TypeError(`${option} must be a number of seconds from ${least} to ${most}`);
}
