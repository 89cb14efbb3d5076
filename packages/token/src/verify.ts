/**
 * Judges an Access Token: who is it, and what does it open? Synchronous, and about as fast as one HMAC, since every
 * connection passes here. It keeps nothing: revoking a key or suspending an account shows at the next call.
 * The rules run in the order of SPEC TOK7; the first that fails decides the code.
 */

import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { errorOf, identityProblem, limits, SyncError } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import { hasSidForm, isObject } from './options.ts';
import { isAlgorithm, sign } from './signature.ts';
import type { Algorithm } from './signature.ts';

/** Seconds by which the clock of a backend may run ahead of ours. The end of a token has no such leeway. */
const leewaySeconds = 30;

export interface SigningKey {
  readonly secret: string;
  /** Sid of the account that owns the key. */
  readonly account: string;
  readonly accountSuspended?: boolean | undefined;
}

export interface VerifyOptions {
  /** The key in force under this sid. Unknown, revoked and deleted keys are all undefined. */
  findKey(keySid: string): SigningKey | undefined;
  /** The service under this sid, whoever owns it; or, without a sid, the default service of the account. */
  findService(sid: string | undefined, account: string): { readonly sid: string; readonly account: string } | undefined;
  /** The clock, in milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** A token that names another region is refused. Left out or empty: regions are not judged. */
  readonly region?: string | undefined;
}

export interface VerifiedToken {
  /** Sid of the account, taken from the key. */
  readonly account: string;
  /** Sid of the key that signed. */
  readonly key: string;
  readonly identity: string;
  /** Sid of the service. */
  readonly service: string;
  /** Undefined when the token names none. */
  readonly endpoint: string | undefined;
  /** Milliseconds of Unix time. From this moment on the token is worth nothing. */
  readonly expiresAt: number;
}

/** Throws a SyncError whose code and message say what is wrong with the token. [TOK7] to [TOK15] */
export function verifyAccessToken(token: unknown, options: VerifyOptions): VerifiedToken {
  const { header, claims, signed, signature } = parse(token);
  const algorithm = checkHeader(header);
  const { iss, key } = checkIssuer(claims, options);
  checkSignature(algorithm, key.secret, signed, signature);
  const exp = checkTime(claims, (options.now ?? Date.now)() / 1000);
  const grants = checkGrants(claims['grants']);
  const service = checkService(header, grants.service, key.account, options);
  return {
    account: key.account,
    key: iss,
    identity: grants.identity,
    service,
    endpoint: grants.endpoint,
    expiresAt: exp * 1000,
  };
}

type JsonObject = Record<string, unknown>;

function refuse(code: ErrorCode, why: string): never {
  throw new SyncError(code, `${errorOf(code).message}: ${why}`);
}

/** [TOK8] */
function parse(token: unknown): { header: JsonObject; claims: JsonObject; signed: string; signature: Buffer } {
  if (typeof token !== 'string') refuse(20101, 'it is not text');
  // Units are bytes here: whatever is not ASCII falls to the base64url check.
  if (token.length > limits.tokenBytes) refuse(20101, `it is longer than ${limits.tokenBytes} bytes`);
  const [first = '', second = '', third = '', ...more] = token.split('.', 4);
  if (first === '' || second === '' || third === '' || more.length > 0) {
    refuse(20101, 'it must be three parts joined by dots');
  }
  const header = parseObject('header', first);
  const claims = parseObject('payload', second);
  const signature = decode('signature', third);
  return { header, claims, signed: token.slice(0, token.length - third.length - 1), signature };
}

function parseObject(part: string, text: string): JsonObject {
  const bytes = decode(part, text);
  if (!isUtf8(bytes)) refuse(20101, `its ${part} is not UTF-8`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    refuse(20101, `its ${part} is not JSON`);
  }
  return isObject(value) ? value : refuse(20101, `its ${part} is not a JSON object`);
}

function decode(part: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  // Node's decoder is lenient. Encoding again finds padding, blanks, another alphabet and spare bits at once.
  if (bytes.toString('base64url') !== text) refuse(20101, `its ${part} is not strict base64url`);
  return bytes;
}

/** [TOK9] */
function checkHeader(header: JsonObject): Algorithm {
  const { alg, typ, cty, crit } = header;
  if (!isAlgorithm(alg)) refuse(20102, 'alg must be HS256, HS384 or HS512');
  if (typ !== undefined && typ !== 'JWT') refuse(20102, 'typ must be JWT');
  if (cty !== 'twilio-fpa;v=1') refuse(20102, 'cty must be twilio-fpa;v=1');
  if (crit !== undefined) refuse(20102, 'crit is not supported');
  return alg;
}

/** One refusal for every case, so that nobody can try out which keys exist. [TOK10] */
function checkIssuer(claims: JsonObject, options: VerifyOptions): { iss: string; key: SigningKey } {
  const { iss, sub } = claims;
  if (hasSidForm(iss, 'SK')) {
    const key = options.findKey(iss);
    // With an empty secret anybody could sign.
    if (key && key.secret !== '' && !key.accountSuspended && sub === key.account) return { iss, key };
  }
  return refuse(20103, 'iss must be an API key in force, and sub the active account that owns it');
}

/** [TOK11] */
function checkSignature(algorithm: Algorithm, secret: string, signed: string, signature: Buffer): void {
  const expected = sign(algorithm, secret, signed);
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    refuse(20107, 'it was signed with another secret, or altered');
  }
}

/** Returns `exp`. [TOK12] */
function checkTime(claims: JsonObject, nowSeconds: number): number {
  const { exp, nbf } = claims;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) refuse(20104, 'exp is missing or not a number');
  if (exp <= nowSeconds) refuse(20104, 'exp has passed');
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > nowSeconds + leewaySeconds)) {
    refuse(20105, 'nbf lies ahead or is not a number');
  }
  if (exp > nowSeconds + limits.tokenLifeSeconds + leewaySeconds) {
    refuse(20157, 'exp lies more than 24 hours ahead; mint with a ttl of at most 86400 seconds');
  }
  return exp;
}

/** [TOK13] */
function checkGrants(grants: unknown): { identity: string; service: string | undefined; endpoint: string | undefined } {
  if (!isObject(grants)) refuse(20106, 'grants is missing or not an object');
  const { identity, data_sync: sync } = grants;
  if (identity === undefined) refuse(20106, 'grants.identity is missing; give the token an identity when minting');
  if (typeof identity !== 'string') refuse(20106, 'grants.identity is not text');
  const problem = identityProblem(identity);
  if (problem) refuse(20106, `grants.${problem}`);
  if (!isObject(sync)) refuse(20106, 'grants.data_sync is missing or not an object; add a SyncGrant when minting');
  const { service_sid: service, endpoint_id: endpoint } = sync;
  if (endpoint !== undefined && !isEndpointId(endpoint)) {
    refuse(20106, 'grants.data_sync.endpoint_id is not text of at most 256 characters');
  }
  if (service !== undefined && typeof service !== 'string') {
    refuse(20106, 'grants.data_sync.service_sid is not text');
  }
  return { identity, service: service || undefined, endpoint: endpoint || undefined };
}

function isEndpointId(value: unknown): value is string {
  // An empty one counts as none; otherwise the rule of identities holds.
  return typeof value === 'string' && (value === '' || identityProblem(value) === undefined);
}

/** [TOK14] */
function checkService(header: JsonObject, named: string | undefined, account: string, options: VerifyOptions): string {
  if (options.region && header['twr'] !== undefined && header['twr'] !== options.region) {
    refuse(20102, 'twr names another region');
  }
  const service = options.findService(named === 'default' ? undefined : named, account);
  if (!service) refuse(54050, 'grants.data_sync.service_sid names no service');
  if (service.account !== account) refuse(54056, 'grants.data_sync.service_sid names a service of another account');
  return service.sid;
}
