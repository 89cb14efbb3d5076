/** What a resource is asked, and the ways of answering that all resources share. */

import { isSid } from '@tallystick/protocol';
import type { Refusal } from '../../core/change.ts';
import { membersOf } from '../../core/json.ts';
import type { Members } from '../../core/json.ts';
import type { ObjectKind, ObjectRef } from '../../core/object.ts';
import type { Principal } from '../../core/principal.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Request } from './request.ts';
import { errorAnswer } from './resources.ts';
import type { Answer } from './resources.ts';

export interface Call {
  readonly engine: Engine;
  readonly principal: Principal;
  readonly publicUrl: string;
  readonly request: Request;
  /** 'unknown': the outcome is not known and the connection must be dropped. [WRI4] */
  readonly answer: (answer: Answer | 'unknown') => void;
}

/** `id` is the object's sid or unique name, `item` its item's index or key; '' where the path has none. */
export type Handler = (call: Call, id: string, item: string) => void;

/** What can be done at a path, `*` for a part that varies. */
export interface Route {
  readonly method: string;
  readonly path: readonly string[];
  readonly run: Handler;
}

/** A text of sid form is only ever a sid. */
export function refOf(call: Call, kind: ObjectKind, id: string): ObjectRef {
  return { service: call.principal.service, kind, by: isSid(id) ? 'sid' : 'name', value: id };
}

/** Answers for a body that is not a JSON object, and hands the members of any other on. */
export function withBody(call: Call, run: (members: Members) => void): void {
  const { body } = call.request;
  const members = body === undefined ? undefined : membersOf(body);
  if (members === undefined) call.answer(errorAnswer({ refused: 54008 }));
  else run(members);
}

/** The value of a member; undefined when it is absent. */
export function valueIn(members: Members, name: string): unknown {
  const text = members.get(name);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Answers with what a read finds. */
export function answerRead<Found extends object>(
  call: Call,
  reading: Promise<Found | Refusal>,
  bodyOf: (found: Found) => string,
): void {
  reading.then(
    (found) => call.answer('refused' in found ? errorAnswer(found) : { status: 200, body: bodyOf(found) }),
    () => call.answer(errorAnswer({ refused: 20500 })),
  );
}

/** What became of a write, as an answer. */
export function answerWritten<Written extends object>(
  call: Call,
  written: Written | Refusal | 'unknown',
  answerOf: (written: Written) => Answer,
): void {
  if (written === 'unknown') call.answer('unknown');
  else call.answer('refused' in written ? errorAnswer(written) : answerOf(written));
}
