/** The port to durable state. Engines know rows and no rules; the rules of `core/` run inside their transactions. */

import type { Command } from '../core/command.ts';
import type { ObjectEvent, Refusal } from '../core/change.ts';
import type { AccountRow, KeyRow, ObjectRef, ObjectRow, ServiceRow, Sid } from '../core/object.ts';

/** What became of one accepted command. */
export interface Accepted {
  readonly object: ObjectRow | undefined;
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
  | { readonly gone: false; readonly position: number; readonly events: readonly ObjectEvent[] };

export interface Directory {
  readonly account: AccountRow | undefined;
  readonly services: readonly ServiceRow[];
  readonly keys: readonly KeyRow[];
}

export type Query =
  | { readonly query: 'document'; readonly ref: ObjectRef }
  /** `after` null: from now on, nothing was missed. Expired objects are gone. */
  | { readonly query: 'changes'; readonly service: Sid; readonly object: Sid; readonly after: number | null }
  /** Objects that have run out, the earliest first. */
  | { readonly query: 'due'; readonly limit: number }
  | { readonly query: 'directory' };

type AnswerTo<Q extends Query> = Q extends { query: 'document' }
  ? StoredDocument | undefined
  : Q extends { query: 'changes' }
    ? Changes
    : Q extends { query: 'due' }
      ? readonly Sid[]
      : Q extends { query: 'directory' }
        ? Directory
        : never;

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
