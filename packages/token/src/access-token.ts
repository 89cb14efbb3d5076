/** Makes Access Tokens, in the backend of an application. Not for browsers: whoever has the secret can be anybody. */

import { limits } from '@tallystick/protocol';
import { checkGrant, grantEntries, SyncGrant } from './grants.ts';
import type { Grant, PlainGrants } from './grants.ts';
import { identityText } from './identity.ts';
import { checkOptionNames, hasSidForm } from './options.ts';
import { isAlgorithm, sign } from './signature.ts';
import type { Algorithm } from './signature.ts';

export interface AccessTokenOptions {
  /** Who the client is: 1 to 256 characters, or a whole number other than 0. May be set later, see `identity`. */
  readonly identity?: string | number | undefined;
  /** Seconds to live, 1 to 86400. @default 3600 */
  readonly ttl?: number | undefined;
  /** Not valid before this Unix time, in seconds. */
  readonly nbf?: number | undefined;
  /** Region name for the header, such as `au1`. Left out or empty: none. */
  readonly region?: string | undefined;
  /** The clock, in milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/**
 * One signed statement: this identity may use these products until then. Throws a TypeError that names the wrong
 * argument or option and the fix, and never holds the secret. [TOK1] to [TOK6]
 */
export class AccessToken {
  static readonly SyncGrant: typeof SyncGrant = SyncGrant;

  readonly accountSid: string;
  readonly keySid: string;
  // Private by the language, so that printing or serialising the token object shows nothing of it.
  readonly #secret: string;
  readonly #ttl: number;
  readonly #nbf: number | undefined;
  readonly #region: string | undefined;
  readonly #now: () => number;
  readonly #grants: (Grant | PlainGrants)[] = [];
  #identity: string | undefined;

  constructor(accountSid: string, keySid: string, secret: string, options: AccessTokenOptions = {}) {
    checkOptionNames('AccessToken', options, ['identity', 'ttl', 'nbf', 'region', 'now']);
    if (!hasSidForm(accountSid, 'AC')) throw new TypeError('accountSid must be AC and 32 hex digits');
    if (!hasSidForm(keySid, 'SK')) {
      throw new TypeError('keySid must be SK and 32 hex digits: an API key, never the account');
    }
    if (typeof secret !== 'string' || secret === '') {
      throw new TypeError('secret is missing; pass the secret of the API key as text');
    }
    this.accountSid = accountSid;
    this.keySid = keySid;
    this.#secret = secret;
    this.#ttl = checkTtl(options.ttl);
    this.#nbf = checkNbf(options.nbf);
    this.#region = checkRegion(options.region);
    this.#now = checkClock(options.now);
    this.identity = options.identity;
  }

  /** As text. Undefined or empty until it is known; `toJwt` refuses that, everything else is refused when it is set. */
  get identity(): string | undefined {
    return this.#identity;
  }

  set identity(value: string | number | null | undefined) {
    this.#identity = identityText(value);
  }

  /** Adds a product. A second grant of the same product replaces the first. [TOK2] */
  addGrant(grant: Grant | PlainGrants): void {
    this.#grants.push(checkGrant(grant));
  }

  /** The signed token in compact form, valid from this moment. */
  toJwt(algorithm: Algorithm = 'HS256'): string {
    if (!isAlgorithm(algorithm)) throw new TypeError('algorithm must be HS256, HS384 or HS512');
    if (!this.#identity) {
      throw new TypeError('identity is missing; pass it in the options, or set token.identity, before toJwt()');
    }
    const header = {
      alg: algorithm,
      typ: 'JWT',
      cty: 'twilio-fpa;v=1',
      ...(this.#region && { twr: this.#region }),
    };
    const signed = `${encode(header)}.${encode(this.#claims(this.#identity))}`;
    const jwt = `${signed}.${sign(algorithm, this.#secret, signed).toString('base64url')}`;
    if (jwt.length > limits.tokenBytes) {
      throw new TypeError(
        `the grants make the token longer than ${limits.tokenBytes} bytes; give it fewer or smaller ones`,
      );
    }
    return jwt;
  }

  #claims(identity: string): object {
    const iat = Math.floor(this.#now() / 1000);
    const exp = iat + this.#ttl;
    if (this.#nbf !== undefined && this.#nbf >= exp) {
      throw new TypeError('nbf lies beyond the end of the token; give Unix time in seconds, not milliseconds');
    }
    return {
      jti: `${this.keySid}-${iat}`,
      iss: this.keySid,
      sub: this.accountSid,
      iat,
      exp,
      ...(this.#nbf !== undefined && { nbf: this.#nbf }),
      // Identity comes last: no grant can take its place.
      grants: Object.fromEntries([...this.#grants.flatMap(grantEntries), ['identity', identity]]),
    };
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function checkTtl(ttl: number | undefined): number {
  if (ttl === undefined) return 3600;
  if (typeof ttl !== 'number') throw new TypeError('ttl must be a number of seconds; turn text into one: Number(text)');
  if (Number.isInteger(ttl) && ttl >= 1 && ttl <= limits.tokenLifeSeconds) return ttl;
  throw new TypeError(`ttl must be a whole number of seconds from 1 to ${limits.tokenLifeSeconds} (24 hours)`);
}

function checkNbf(nbf: number | undefined): number | undefined {
  if (nbf === undefined || (Number.isSafeInteger(nbf) && nbf >= 0)) return nbf;
  throw new TypeError('nbf must be a Unix time: a whole number of seconds, not text');
}

function checkRegion(region: string | undefined): string | undefined {
  if (region === undefined || typeof region === 'string') return region;
  throw new TypeError('region must be text');
}

function checkClock(now: (() => number) | undefined): () => number {
  if (now === undefined) return Date.now;
  if (typeof now === 'function') return now;
  throw new TypeError('now must be a function that returns milliseconds');
}
