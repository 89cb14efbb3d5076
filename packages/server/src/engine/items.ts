/** The verbs of items of lists and maps. */

import type { Refusal } from '../core/change.ts';
import type { ItemCommand } from '../core/command.ts';
import { missing } from '../core/existence.ts';
import type { ItemKey, ObjectRef, ObjectRow, StoredItem } from '../core/object.ts';
import type { Principal } from '../core/principal.ts';
import type { ItemPage, PageQuery, Storage } from '../storage/storage.ts';
import { dataRefusal, keyRefusal, requiredDataRefusal, ttlRefusal } from './input.ts';
import type { WriteQueue } from './write-queue.ts';

/** What a door hands in; each member still as it came from outside. */
export interface ItemInput {
  /** JSON text as sent; undefined when absent. */
  readonly data?: string | undefined;
  readonly ttl?: unknown;
  /** Of the list or map. */
  readonly collectionTtl?: unknown;
}

/** An item with its object after a write. Of a removal what it was, with the removal's id and time. */
export interface ItemWritten {
  readonly object: ObjectRow;
  readonly item: StoredItem;
}

/** `unknown`: the write may have happened; drop the connection rather than answer. [WRI4] */
export type ItemAnswer = (written: ItemWritten | Refusal | 'unknown') => void;

export type { ItemPage };

/** Which items a page is to show, and how many at most. */
export type PageInput = Pick<PageQuery, 'order' | 'from' | 'most'>;

/** Within a page the bytes of data together, unless one item alone has more. */
export const pageBytes = 262_144;

export class Items {
  readonly #storage: Storage;
  readonly #writes: WriteQueue;

  constructor(storage: Storage, writes: WriteQueue) {
    this.#storage = storage;
    this.#writes = writes;
  }

  /** Appends to a list. */
  push(principal: Principal, ref: ObjectRef, input: ItemInput, answer: ItemAnswer): void {
    const { data = '' } = input;
    const problem = requiredDataRefusal(ref.kind, input.data) ?? ttlsRefusal(input);
    if (problem === undefined) this.#submit({ type: 'pushItem', ...common(principal, ref, input), data }, answer);
    else answer(problem);
  }

  /** Makes an item of a map, and never replaces one. */
  add(principal: Principal, ref: ObjectRef, key: unknown, input: ItemInput, answer: ItemAnswer): void {
    const { data = '' } = input;
    const problem = keyRefusal(key) ?? requiredDataRefusal(ref.kind, input.data) ?? ttlsRefusal(input);
    if (problem === undefined) {
      this.#submit({ type: 'addItem', ...common(principal, ref, input), key: key as string, data }, answer);
    } else answer(problem);
  }

  /** Makes or replaces an item of a map. `ifMatch` null: the key must be free. */
  put(
    principal: Principal,
    ref: ObjectRef,
    key: string,
    input: ItemInput & { readonly ifMatch?: string | null | undefined },
    answer: ItemAnswer,
  ): void {
    const { data = '', ifMatch } = input;
    const problem = keyRefusal(key) ?? requiredDataRefusal(ref.kind, input.data) ?? ttlsRefusal(input);
    if (problem === undefined) {
      this.#submit({ type: 'putItem', ...common(principal, ref, input), key, data, ifMatch }, answer);
    } else answer(problem);
  }

  update(
    principal: Principal,
    ref: ObjectRef,
    key: ItemKey,
    input: ItemInput & { readonly ifMatch?: string | undefined },
    answer: ItemAnswer,
  ): void {
    const { data, ifMatch } = input;
    const problem = dataRefusal(ref.kind, data) ?? ttlsRefusal(input);
    if (problem === undefined) {
      this.#submit({ type: 'updateItem', ...common(principal, ref, input), key, data, ifMatch }, answer);
    } else answer(problem);
  }

  remove(principal: Principal, ref: ObjectRef, key: ItemKey, ifMatch: string | undefined, answer: ItemAnswer): void {
    this.#submit({ type: 'removeItem', ref, key, ifMatch, by: principal.identity }, answer);
  }

  async get(ref: ObjectRef, key: ItemKey): Promise<ItemWritten | Refusal> {
    const [found] = await this.#storage.read([{ query: 'item', ref, key }]);
    if (found === undefined) return missing(ref);
    const { object, item } = found;
    return item === undefined ? { refused: ref.kind === 'list' ? 54151 : 54201 } : { object, item };
  }

  async page(ref: ObjectRef, page: PageInput): Promise<ItemPage | Refusal> {
    const [found] = await this.#storage.read([{ query: 'items', ref, ...page }]);
    return found ?? missing(ref);
  }

  #submit(command: ItemCommand, answer: ItemAnswer): void {
    this.#writes.submit(command, (settled) => {
      if (settled === 'unknown' || 'refused' in settled) answer(settled);
      // An accepted write of an item always tells both.
      else if (settled.object !== undefined && settled.item !== undefined) {
        answer({ object: settled.object, item: settled.item });
      } else answer('unknown');
    });
  }
}

function ttlsRefusal({ ttl, collectionTtl }: ItemInput): Refusal | undefined {
  return ttlRefusal(ttl) ?? ttlRefusal(collectionTtl);
}

function common(
  principal: Principal,
  ref: ObjectRef,
  { ttl, collectionTtl }: ItemInput,
): Pick<ItemCommand & { type: 'pushItem' }, 'ref' | 'ttl' | 'collectionTtl' | 'by'> {
  return {
    ref,
    ttl: ttl as number | undefined,
    collectionTtl: collectionTtl as number | undefined,
    by: principal.identity,
  };
}
