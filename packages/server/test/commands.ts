/** Short ways to say commands, references and outcomes in the tests of core and storage. */

import assert from 'node:assert/strict';
import { sidPrefixes } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type {
  AddItem,
  CreateObject,
  ExpireItem,
  ExpireObject,
  Purge,
  PublishMessage,
  PushItem,
  PutItem,
  PutKey,
  PutService,
  RemoveItem,
  RemoveObject,
  Trim,
  UpdateDocument,
  UpdateItem,
  UpdateObject,
} from '../src/core/command.ts';
import type { ItemKey, ObjectKind, ObjectRef, Sid } from '../src/core/object.ts';
import type { Accepted, MarkerLimits, Outcome } from '../src/storage/storage.ts';

export const account: Sid = `AC${'a'.repeat(32)}`;
export const service: Sid = `IS${'1'.repeat(32)}`;
export const otherService: Sid = `IS${'2'.repeat(32)}`;
/** Never made. */
export const missingService: Sid = `IS${'3'.repeat(32)}`;

/** Few and short, so that tests come to the bounds. */
export const markerLimits: MarkerLimits = { count: 3, ageMs: 60_000 };

/** The sid of the test's `n`th object of a kind. */
export function sidOf(kind: ObjectKind, n: number): Sid {
  return sidPrefixes[kind] + n.toString(16).padStart(32, '0');
}

export function refOf(kind: ObjectKind, n: number, of: Sid = service): ObjectRef {
  return { service: of, kind, by: 'sid', value: sidOf(kind, n) };
}

export function namedRef(kind: ObjectKind, name: string, of: Sid = service): ObjectRef {
  return { service: of, kind, by: 'name', value: name };
}

/** A list, map or stream. */
export function make(kind: Exclude<ObjectKind, 'document'>, n: number, more: Partial<CreateObject> = {}): CreateObject {
  return create(n, { kind, sid: sidOf(kind, n), data: undefined, ...more });
}

const write = { ttl: undefined, collectionTtl: undefined, by: 'ann' } as const;

export function push(ref: ObjectRef, more: Partial<PushItem> = {}): PushItem {
  return { type: 'pushItem', ref, data: '{}', ...write, ...more };
}

export function put(ref: ObjectRef, key: string, more: Partial<PutItem> = {}): PutItem {
  return { type: 'putItem', ref, key, data: '{}', ifMatch: undefined, ...write, ...more };
}

export function add(ref: ObjectRef, key: string, more: Partial<AddItem> = {}): AddItem {
  return { type: 'addItem', ref, key, data: '{}', ...write, ...more };
}

export function updateItem(ref: ObjectRef, key: ItemKey, more: Partial<UpdateItem> = {}): UpdateItem {
  return { type: 'updateItem', ref, key, data: undefined, ifMatch: undefined, ...write, by: 'ben', ...more };
}

export function removeItem(ref: ObjectRef, key: ItemKey, ifMatch?: string): RemoveItem {
  return { type: 'removeItem', ref, key, ifMatch, by: 'cem' };
}

export function setTtl(ref: ObjectRef, ttl: number): UpdateObject {
  return { type: 'updateObject', ref, ttl, by: 'ben' };
}

export function publish(ref: ObjectRef, n: number, data = '{}'): PublishMessage {
  return { type: 'publishMessage', ref, sid: sidPrefixes.message + n.toString(16).padStart(32, '0'), data, by: 'ann' };
}

export function expireItem(object: Sid, key: ItemKey): ExpireItem {
  return { type: 'expireItem', object, key };
}

export function purge(object: Sid, limit: number): Purge {
  return { type: 'purge', object, limit };
}

export function trim(object: Sid, upTo: number): Trim {
  return { type: 'trim', object, upTo };
}

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

export function create(n: number, more: Partial<CreateObject> = {}): CreateObject {
  return {
    type: 'createObject',
    service,
    kind: 'document',
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

export function remove(ref: ObjectRef): RemoveObject {
  return { type: 'removeObject', ref, by: 'cem' };
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
