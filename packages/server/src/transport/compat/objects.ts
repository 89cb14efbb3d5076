/** What lists, maps and streams have in common on the compatible wire: being made, found, given a ttl, removed. */

import type { ObjectKind, ObjectRow } from '../../core/object.ts';
import type { Made } from '../../engine/engine.ts';
import { answerRead, answerWritten, refOf, valueIn, withBody } from './call.ts';
import type { Call, Handler } from './call.ts';
import { collectionBody, errorAnswer, streamBody } from './resources.ts';

type Kind = Exclude<ObjectKind, 'document'>;

export function createObject(kind: Kind): Handler {
  return (call) =>
    withBody(call, (members) => {
      const input = { uniqueName: valueIn(members, 'unique_name'), ttl: valueIn(members, 'ttl') };
      call.engine.objects.create(call.principal, kind, input, (written) => answerObject(call, written, 201));
    });
}

export function getObject(kind: Kind): Handler {
  return (call, id) => answerRead(call, call.engine.objects.get(refOf(call, kind, id)), (row) => bodyOf(call, row));
}

export function updateObject(kind: Kind): Handler {
  return (call, id) =>
    withBody(call, (members) =>
      call.engine.objects.update(call.principal, refOf(call, kind, id), valueIn(members, 'ttl'), (written) =>
        answerObject(call, written, 200),
      ),
    );
}

export function removeObject(kind: ObjectKind): Handler {
  return (call, id) =>
    call.engine.objects.remove(call.principal, refOf(call, kind, id), (written) => {
      if (written === 'unknown') call.answer('unknown');
      else call.answer(written === 'removed' ? { status: 204, body: '' } : errorAnswer(written));
    });
}

function answerObject(call: Call, written: Made, status: number): void {
  answerWritten(call, written, (row) => ({ status, body: bodyOf(call, row) }));
}

function bodyOf(call: Call, row: ObjectRow): string {
  return row.kind === 'stream' ? streamBody(row, call.publicUrl) : collectionBody(row, call.publicUrl);
}
