/** Short ways to say commands, references and outcomes in the tests of core and storage. */

import assert from 'node:assert/strict';
import type { ErrorCode } from '@tallystick/protocol';
import type {
  CreateDocument,
  ExpireObject,
  PutKey,
  PutService,
  RemoveDocument,
  UpdateDocument,
} from '../src/core/command.ts';
import type { ObjectRef, Sid } from '../src/core/object.ts';
import type { Accepted, Outcome } from '../src/storage/storage.ts';

export const account: Sid = `AC${'a'.repeat(32)}`;
export const service: Sid = `IS${'1'.repeat(32)}`;
export const otherService: Sid = `IS${'2'.repeat(32)}`;
/** Never made. */
export const missingService: Sid = `IS${'3'.repeat(32)}`;

/** The sid of the test's `n`th document. */
export function documentSid(n: number): Sid {
  return `ET${n.toString(16).padStart(32, '0')}`;
}

export function keySid(n: number): Sid {
  return `SK${n.toString(16).padStart(32, '0')}`;
}

export function bySid(n: number, of: Sid = service): ObjectRef {
  return { service: of, kind: 'document', by: 'sid', value: documentSid(n) };
}

export function byName(name: string, of: Sid = service): ObjectRef {
  return { service: of, kind: 'document', by: 'name', value: name };
}

export function create(n: number, more: Partial<CreateDocument> = {}): CreateDocument {
  return {
    type: 'createDocument',
    service,
    sid: documentSid(n),
    uniqueName: null,
    data: '{}',
    ttl: 0,
    by: 'ann',
    ...more,
  };
}

export function update(ref: ObjectRef, more: Partial<UpdateDocument> = {}): UpdateDocument {
  return { type: 'updateDocument', ref, data: undefined, ttl: undefined, ifMatch: undefined, by: 'ben', ...more };
}

export function remove(ref: ObjectRef): RemoveDocument {
  return { type: 'removeDocument', ref, by: 'cem' };
}

export function expire(n: number): ExpireObject {
  return { type: 'expireObject', sid: documentSid(n) };
}

export function putService(sid: Sid, uniqueName: string | null = null): PutService {
  return { type: 'putService', sid, account, uniqueName };
}

export function putKey(n: number, secret: string): PutKey {
  return { type: 'putKey', sid: keySid(n), account, name: null, secret };
}

/** The outcome of a command that must have been accepted. */
export function accepted(outcome: Outcome | undefined): Accepted {
  assert.ok(outcome !== undefined && !('refused' in outcome), `refused: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The code of a refusal; undefined for an accepted command. */
export function refusal(outcome: Outcome | undefined): ErrorCode | undefined {
  assert.ok(outcome !== undefined, 'there is no outcome');
  return 'refused' in outcome ? outcome.refused : undefined;
}
