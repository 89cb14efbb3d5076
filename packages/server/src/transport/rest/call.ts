/** What a resource is asked and what it answers. Refusals are thrown as SyncError; the door makes the error body. */

import { errorOf, SyncError } from '@tallystick/protocol';
import type { Refusal } from '../../core/change.ts';
import type { Principal } from '../../core/principal.ts';
import type { ServiceRow } from '../../core/object.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Parameters } from './parameters.ts';

export interface Call {
  readonly engine: Engine;
  /** Where clients reach the service; the base of every `url`. */
  readonly origin: string;
  /** The parts of the path that stand for `*`, decoded. */
  readonly ids: readonly string[];
  readonly query: Parameters;
  /** Of the body. */
  readonly form: Parameters;
  /** As sent. */
  readonly ifMatch: string | undefined;
}

export interface Answer {
  readonly status: 200 | 201 | 204;
  /** JSON text, or '' for none. */
  readonly body: string;
  /** Told as ETag. */
  readonly revision?: string;
}

/** 'unknown': nobody knows whether the write was applied, so the connection ends without an answer. [WRI4] */
export type Handler = (call: Call) => Answer | Promise<Answer | 'unknown'>;

/** A path, `*` for a part that varies, and what can be done there. */
export interface Resource {
  readonly path: readonly string[];
  readonly methods: { readonly GET?: Handler; readonly POST?: Handler; readonly DELETE?: Handler };
}

/** The service that the path names by sid or the word `default`. Throws SyncError 54050. */
export function serviceOf({ engine, ids }: Call): ServiceRow {
  const [id = ''] = ids;
  const row = engine.directory.service(id === 'default' ? undefined : id);
  if (row === undefined) throw new SyncError(54050);
  return row;
}

/** Who writes here: not a user, but the back end. [RST6] */
export function systemOf({ sid, account }: ServiceRow): Principal {
  return { account, key: account, identity: 'system', service: sid, expiresAt: Infinity };
}

export function errorFor({ refused, detail }: Refusal): SyncError {
  return new SyncError(refused, detail === undefined ? undefined : `${errorOf(refused).message}: ${detail}`);
}

/** UTC in whole seconds. */
export function dateOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
