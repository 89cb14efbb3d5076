/** The document resource of the compatible wire. */

import { membersOf } from '../../core/json.ts';
import type { ObjectRef } from '../../core/object.ts';
import { isSid } from '@tallystick/protocol';
import type { Principal } from '../../core/principal.ts';
import type { DocumentInput, Engine, Written } from '../../engine/engine.ts';
import type { Request } from './request.ts';
import { documentBody, errorAnswer } from './resources.ts';
import type { Answer } from './resources.ts';

export interface Call {
  readonly engine: Engine;
  readonly principal: Principal;
  readonly publicUrl: string;
  readonly request: Request;
  /** 'unknown': the outcome is not known and the connection must be dropped. [WRI4] */
  readonly answer: (answer: Answer | 'unknown') => void;
}

export function createDocument(call: Call): void {
  const input = inputOf(call.request.body);
  if (input === undefined) call.answer(errorAnswer({ refused: 54008 }));
  else call.engine.createDocument(call.principal, input, (written) => call.answer(answerOf(call, written, 201)));
}

export function getDocument(call: Call, id: string): void {
  const found = call.engine.getDocument(refOf(call, id));
  found.then(
    (document) =>
      call.answer(
        'refused' in document
          ? errorAnswer(document)
          : { status: 200, body: documentBody(document.row, call.publicUrl, document.data) },
      ),
    () => call.answer(errorAnswer({ refused: 20500 })),
  );
}

export function updateDocument(call: Call, id: string): void {
  const input = inputOf(call.request.body);
  if (input === undefined) {
    call.answer(errorAnswer({ refused: 54008 }));
    return;
  }
  const ifMatch = call.request.header('if-match');
  call.engine.updateDocument(call.principal, refOf(call, id), { ...input, ifMatch }, (written) =>
    call.answer(answerOf(call, written, 200)),
  );
}

export function removeDocument(call: Call, id: string): void {
  call.engine.removeDocument(call.principal, refOf(call, id), (written) => call.answer(answerOf(call, written, 204)));
}

/** A text of sid form is only ever a sid. */
function refOf(call: Call, id: string): ObjectRef {
  return { service: call.principal.service, kind: 'document', by: isSid(id) ? 'sid' : 'name', value: id };
}

function inputOf(body: string | undefined): DocumentInput | undefined {
  const members = body === undefined ? undefined : membersOf(body);
  if (members === undefined) return undefined;
  return { uniqueName: parsed(members.get('unique_name')), data: members.get('data'), ttl: parsed(members.get('ttl')) };
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

function answerOf(call: Call, written: Written, status: number): Answer | 'unknown' {
  if (written === 'unknown') return 'unknown';
  if (written === 'removed') return { status, body: '' };
  if ('refused' in written) return errorAnswer(written);
  return { status, body: documentBody(written, call.publicUrl) };
}
