/** Tokens for tests: a good one, and any part of it replaced. Signs by hand, so that it shares no code with what it tests. */

import { createHmac } from 'node:crypto';
import type { VerifyOptions } from '../src/verify.ts';

export const account: string = `AC${'1'.repeat(32)}`;
export const otherAccount: string = `AC${'9'.repeat(32)}`;
export const key: string = `SK${'2'.repeat(32)}`;
export const suspendedKey: string = `SK${'5'.repeat(32)}`;
export const emptyKey: string = `SK${'6'.repeat(32)}`;
export const service: string = `IS${'3'.repeat(32)}`;
export const defaultService: string = `IS${'4'.repeat(32)}`;
export const foreignService: string = `IS${'8'.repeat(32)}`;
export const secret: string = 'not-a-secret-only-a-test-value-0123';
/** Unix seconds. */
export const now: number = 1_800_000_000;

export const world: VerifyOptions = {
  now: () => now * 1000,
  findKey: (sid) => keys.get(sid),
  findService: (sid) => services.get(sid ?? defaultService),
};

const keys = new Map([
  [key, { secret, account }],
  [suspendedKey, { secret, account, accountSuspended: true }],
  [emptyKey, { secret: '', account }],
]);
const services = new Map([
  [service, { sid: service, account }],
  [defaultService, { sid: defaultService, account }],
  [foreignService, { sid: foreignService, account: otherAccount }],
]);

export const goodHeader: object = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' };
export const goodGrants: object = { identity: 'alice', data_sync: { service_sid: service } };
export const goodClaims: object = {
  jti: `${key}-${now}`,
  iss: key,
  sub: account,
  iat: now,
  exp: now + 3600,
  grants: goodGrants,
};

export interface Forged {
  /** Members to replace; undefined removes one. Text or bytes take the place of the whole part before encoding. */
  readonly header?: object | string | Buffer;
  readonly claims?: object | string | Buffer;
  readonly grants?: unknown;
  readonly sync?: unknown;
  readonly secret?: string;
  readonly digest?: string;
}

/** A token with the given faults, and correctly signed unless the secret or digest is one of them. */
export function forge(faults: Forged = {}): string {
  const header = part(goodHeader, faults.header);
  const grants = 'sync' in faults ? { ...goodGrants, data_sync: faults.sync } : faults.grants;
  const claims = part('sync' in faults || 'grants' in faults ? { ...goodClaims, grants } : goodClaims, faults.claims);
  return sealed(`${header}.${claims}`, faults);
}

/** Signs any two parts as they are. */
export function sealed(parts: string, faults: Pick<Forged, 'secret' | 'digest'> = {}): string {
  const mac = createHmac(faults.digest ?? 'sha256', faults.secret ?? secret).update(parts);
  return `${parts}.${mac.digest('base64url')}`;
}

export function base64url(content: string | Buffer): string {
  return Buffer.from(content).toString('base64url');
}

function part(good: object, fault: Forged['header']): string {
  if (typeof fault === 'string' || Buffer.isBuffer(fault)) return base64url(fault);
  return base64url(JSON.stringify({ ...good, ...fault }));
}

/** Every character of base64url. */
export const alphabet: readonly string[] = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');

/** Calls a method as JavaScript without types may. */
export function untypedCall(object: object, method: string, ...args: unknown[]): unknown {
  return Reflect.apply(Reflect.get(object, method), object, args);
}

/** The parts of a token, decoded. */
export function decoded(jwt: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = jwt.split('.');
  return { header: parsed(header), claims: parsed(claims) };
}

function parsed(text: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}
