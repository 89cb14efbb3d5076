/** The port to durable state. Engines know rows and no rules; the rules of `core/` run inside their transactions. */

import type { Command, DueCommand } from '../core/command.ts';
import type { ObjectEvent, Refusal } from '../core/change.ts';
import type { AccountRow, ItemKey, KeyRow, ObjectRef, ObjectRow, ServiceRow, Sid, StoredItem } from '../core/object.ts';

/** What became of one accepted command. */
export interface Accepted {
  readonly object: ObjectRow | undefined;
  /** The item written. Of a removal what it was, with the removal's id and time. */
  readonly item: StoredItem | undefined;
  readonly events: readonly ObjectEvent[];
}

export type Outcome = Accepted | Refusal;

/** A commit that certainly changed nothing: the same batch may be tried again. */
export class NotApplied extends Error {
  override readonly name = 'NotApplied';
}

/** A commit of which nobody knows whether it was applied. Its writers must not be told that it failed. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** Storage that cannot be opened; the message is one clear line for the operator. */
export class StorageRefused extends Error {
  override readonly name = 'StorageRefused';
}

export interface StoredDocument {
  readonly row: ObjectRow;
  /** Compact JSON text. */
  readonly data: string;
}

/** Where an object stands, and what a reader at `after` has missed: the latest event of each item, in order. */
export type Changes =
  | { readonly gone: true }
  | {
      readonly gone: false;
      /** Up to where the reader has everything once it has these events. */
      readonly position: number;
      readonly events: readonly ObjectEvent[];
      /** More is to come: ask again from `position`. */
      readonly interrupted: boolean;
      /** Removals of that time are not known any more, or the position is of another history. */
      readonly trimmed: boolean;
    };

/** How much one answer may hold. One item or event is always given. */
export interface Most {
  readonly count: number;
  /** Of data, in UTF-8. */
  readonly bytes: number;
}

export interface FoundItem {
  readonly object: ObjectRow;
  /** Undefined when there is none under that key. */
  readonly item: StoredItem | undefined;
}

export interface ItemPage {
  readonly object: ObjectRow;
  readonly items: readonly StoredItem[];
  /** Whether there are items before and after these, in the order asked for. */
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

export interface PageQuery {
  readonly query: 'items';
  readonly ref: ObjectRef;
  readonly order: 'asc' | 'desc';
  /** Where the page starts; the item need not exist. Undefined: at the end with which the order begins. */
  readonly from: { readonly key: ItemKey; readonly inclusive: boolean } | undefined;
  readonly most: Most;
}

/** How long the markers of removed items are kept, so that readers who were away can be told of the removals. */
export interface MarkerLimits {
  /** For each object. */
  readonly count: number;
  readonly ageMs: number;
}

export const defaultMarkerLimits: MarkerLimits = { count: 10_000, ageMs: 7 * 24 * 3_600_000 };

/** What one answer about changes holds at most, unless the reader says otherwise. */
export const defaultMost: Most = { count: 1_000, bytes: 1_048_576 };

export interface Directory {
  readonly account: AccountRow | undefined;
  readonly services: readonly ServiceRow[];
  readonly keys: readonly KeyRow[];
}

export type Query =
  | { readonly query: 'document'; readonly ref: ObjectRef }
  /** An object of any kind, without a document's data. */
  | { readonly query: 'object'; readonly ref: ObjectRef }
  /** Undefined when the list or map is missing. */
  | { readonly query: 'item'; readonly ref: ObjectRef; readonly key: ItemKey }
  | PageQuery
  /** `after` null: from now on, nothing was missed. Expired objects are gone. */
  | {
      readonly query: 'changes';
      readonly service: Sid;
      readonly object: Sid;
      readonly after: number | null;
      readonly most?: Most;
    }
  /** Commands for what is due: what has run out, the earliest first, objects before items; then some of what is left. */
  | { readonly query: 'due'; readonly limit: number }
  | { readonly query: 'directory' };

interface Answers {
  readonly document: StoredDocument | undefined;
  readonly object: ObjectRow | undefined;
  readonly item: FoundItem | undefined;
  readonly items: ItemPage | undefined;
  readonly changes: Changes;
  readonly due: readonly DueCommand[];
  readonly directory: Directory;
}

type AnswerTo<Q extends Query> = Answers[Q['query']];

export type AnswersTo<Q extends readonly Query[]> = { readonly [I in keyof Q]: AnswerTo<Q[I]> };

export interface Storage {
  /** Random, made with the data: positions of another epoch mean nothing here. */
  readonly epoch: string;
  /** How many commits may be under way at once; a caller keeps one per lane. */
  readonly lanes: number;
  /**
   * Decides the commands in order, each alone, and makes the accepted ones durable together. Time is taken once.
   * Resolves after the changes are safe on disk. Rejects only as a whole, with NotApplied or OutcomeUnknown.
   */
  commit(lane: number, batch: readonly Command[]): Promise<readonly Outcome[]>;
  /** All answers come from one snapshot. */
  read<const Q extends readonly Query[]>(queries: Q): Promise<AnswersTo<Q>>;
  /** Waits for the commit under way. Later calls reject. */
  close(): Promise<void>;
}
