/** The document resource of the compatible wire. */

import type { Members } from '../../core/json.ts';
import type { DocumentInput, Made } from '../../engine/engine.ts';
import { answerRead, answerWritten, refOf, valueIn, withBody } from './call.ts';
import type { Call, Route } from './call.ts';
import { documentBody } from './resources.ts';
import { removeObject } from './objects.ts';

export const documentRoutes: readonly Route[] = [
  { method: 'POST', path: ['Documents'], run: createDocument },
  { method: 'GET', path: ['Documents', '*'], run: getDocument },
  { method: 'POST', path: ['Documents', '*'], run: updateDocument },
  { method: 'DELETE', path: ['Documents', '*'], run: removeObject('document') },
];

function createDocument(call: Call): void {
  withBody(call, (members) =>
    call.engine.createDocument(call.principal, inputOf(members), (written) => answerDocument(call, written, 201)),
  );
}

function getDocument(call: Call, id: string): void {
  const reading = call.engine.getDocument(refOf(call, 'document', id));
  answerRead(call, reading, ({ row, data }) => documentBody(row, call.publicUrl, data));
}

function updateDocument(call: Call, id: string): void {
  withBody(call, (members) => {
    const input = { ...inputOf(members), ifMatch: call.request.header('if-match') };
    const ref = refOf(call, 'document', id);
    call.engine.updateDocument(call.principal, ref, input, (written) => answerDocument(call, written, 200));
  });
}

function inputOf(members: Members): DocumentInput {
  return {
    uniqueName: valueIn(members, 'unique_name'),
    data: members.get('data'),
    ttl: valueIn(members, 'ttl'),
  };
}

function answerDocument(call: Call, written: Made, status: number): void {
  answerWritten(call, written, (row) => ({ status, body: documentBody(row, call.publicUrl) }));
}
