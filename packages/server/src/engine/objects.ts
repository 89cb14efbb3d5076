/** The verbs of lists, maps and streams as wholes, and publishing to a stream. */

import { sidPrefixes } from '@tallystick/protocol';
import type { Refusal } from '../core/change.ts';
import type { CreateObject, UpdateObject } from '../core/command.ts';
import { missing } from '../core/existence.ts';
import type { ObjectKind, ObjectRef, ObjectRow, Sid } from '../core/object.ts';
import type { Principal } from '../core/principal.ts';
import type { Ids } from '../platform.ts';
import type { Storage } from '../storage/storage.ts';
import { nameRefusal, requiredDataRefusal, ttlRefusal } from './input.ts';
import type { WriteQueue } from './write-queue.ts';

/** `unknown`: the write may have happened; drop the connection rather than answer. [WRI4] */
export type Made = ObjectRow | Refusal | 'unknown';
export type Removed = 'removed' | Refusal | 'unknown';
export type Written = Made | Removed;

/** What a door hands in; each member still as it came from outside. */
export interface ObjectInput {
  readonly uniqueName?: unknown;
  readonly ttl?: unknown;
}

/** A message that was told, or why not. */
type Published = { readonly sid: Sid } | Refusal | 'unknown';

export class Objects {
  readonly #storage: Storage;
  readonly #writes: WriteQueue;
  readonly #ids: Ids;

  constructor(storage: Storage, writes: WriteQueue, ids: Ids) {
    this.#storage = storage;
    this.#writes = writes;
    this.#ids = ids;
  }

  create(
    principal: Principal,
    kind: Exclude<ObjectKind, 'document'>,
    input: ObjectInput,
    answer: (made: Made) => void,
  ): void {
    const problem = nameRefusal(input.uniqueName) ?? ttlRefusal(input.ttl);
    if (problem !== undefined) {
      answer(problem);
      return;
    }
    const command: CreateObject = {
      type: 'createObject',
      service: principal.service,
      kind,
      sid: sidPrefixes[kind] + this.#ids.secret(16),
      uniqueName: (input.uniqueName ?? null) as string | null,
      data: undefined,
      ttl: (input.ttl ?? 0) as number,
      by: principal.identity,
    };
    this.#submit(command, answer);
  }

  /** Without a document's data. */
  async get(ref: ObjectRef): Promise<ObjectRow | Refusal> {
    const [found] = await this.#storage.read([{ query: 'object', ref }]);
    return found ?? missing(ref);
  }

  /** The ttl is all that can be changed. */
  update(principal: Principal, ref: ObjectRef, ttl: unknown, answer: (made: Made) => void): void {
    const problem = ttl === undefined ? { refused: 54010 as const } : ttlRefusal(ttl);
    if (problem === undefined) {
      this.#submit({ type: 'updateObject', ref, ttl: ttl as number, by: principal.identity }, answer);
    } else answer(problem);
  }

  remove(principal: Principal, ref: ObjectRef, answer: (removed: Removed) => void): void {
    this.#writes.submit({ type: 'removeObject', ref, by: principal.identity }, (settled) =>
      answer(settled === 'unknown' || 'refused' in settled ? settled : 'removed'),
    );
  }

  /** `data` is JSON text as sent; undefined when absent. */
  publish(
    principal: Principal,
    ref: ObjectRef,
    data: string | undefined,
    answer: (published: Published) => void,
  ): void {
    const problem = requiredDataRefusal('stream', data);
    if (data === undefined || problem !== undefined) {
      answer(problem ?? { refused: 54251 });
      return;
    }
    const sid = sidPrefixes.message + this.#ids.secret(16);
    this.#writes.submit({ type: 'publishMessage', ref, sid, data, by: principal.identity }, (settled) =>
      answer(settled === 'unknown' || 'refused' in settled ? settled : { sid }),
    );
  }

  #submit(command: CreateObject | UpdateObject, answer: (made: Made) => void): void {
    this.#writes.submit(command, (settled) =>
      // What is accepted here always tells the object.
      answer(settled === 'unknown' || 'refused' in settled ? settled : (settled.object ?? 'unknown')),
    );
  }
}
