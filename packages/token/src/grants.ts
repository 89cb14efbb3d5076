/**
 * What a token opens. Each product finds its own member in the token and passes over the others; ours is `data_sync`.
 * Grants of other products are carried, never read.
 */

import { identityProblem } from '@tallystick/protocol';
import { checkOptionNames, hasSidForm, isObject } from './options.ts';

/** The shape that grants have in helper libraries: the product's name in the token, and what stands under it. */
export interface Grant {
  readonly key: string;
  toPayload(): unknown;
}

/** Grants as they stand in the token: one member a product. */
export type PlainGrants = Readonly<Record<string, object>>;

export interface SyncGrantOptions {
  /** `IS` and 32 hex digits, or `default`. Left out or empty: the account's default service. */
  readonly serviceSid?: string | undefined;
  /** Tells the devices of one identity apart, up to 256 characters. Left out or empty: the server gives one. */
  readonly endpointId?: string | undefined;
}

/** Opens one Sync service. Throws a TypeError that names a wrong option. [TOK2] [TOK5] */
export class SyncGrant implements Grant {
  readonly key = 'data_sync';
  readonly serviceSid: string | undefined;
  readonly endpointId: string | undefined;

  constructor(options: SyncGrantOptions = {}) {
    checkOptionNames('SyncGrant', options, ['serviceSid', 'endpointId']);
    this.serviceSid = checkServiceSid(options.serviceSid);
    this.endpointId = checkEndpointId(options.endpointId);
  }

  toPayload(): { service_sid?: string; endpoint_id?: string } {
    return {
      ...(this.serviceSid && { service_sid: this.serviceSid }),
      ...(this.endpointId && { endpoint_id: this.endpointId }),
    };
  }
}

/** Returns the grant if it has one of the two shapes, else throws a TypeError. */
export function checkGrant(grant: Grant | PlainGrants): Grant | PlainGrants {
  if (!isObject(grant)) throw new TypeError('a grant must be an object, such as new SyncGrant({ serviceSid })');
  for (const [product, payload] of grantEntries(grant)) {
    if (product === 'identity') throw new TypeError(`a grant must not be called 'identity'; set token.identity`);
    if (!isLibraryGrant(grant) && !isObject(payload)) {
      throw new TypeError(`grant '${product}' must be an object; for Sync pass new SyncGrant({ serviceSid })`);
    }
  }
  return grant;
}

/** The members that a grant gives to the token. */
export function grantEntries(grant: Grant | PlainGrants): [product: string, payload: unknown][] {
  return isLibraryGrant(grant) ? [[grant.key, grant.toPayload()]] : Object.entries(grant);
}

function isLibraryGrant(grant: Grant | PlainGrants): grant is Grant {
  return typeof grant.key === 'string' && typeof grant.toPayload === 'function';
}

function checkServiceSid(serviceSid: string | undefined): string | undefined {
  if (serviceSid === undefined || serviceSid === '') return undefined;
  if (serviceSid === 'default' || hasSidForm(serviceSid, 'IS')) return serviceSid;
  throw new TypeError(`serviceSid must be IS and 32 hex digits, or 'default'`);
}

function checkEndpointId(endpointId: string | undefined): string | undefined {
  if (endpointId === undefined || endpointId === '') return undefined;
  if (typeof endpointId !== 'string') throw new TypeError('endpointId must be text');
  if (identityProblem(endpointId)) {
    throw new TypeError('endpointId must be at most 256 characters, without U+0000 or half of a surrogate pair');
  }
  return endpointId;
}
