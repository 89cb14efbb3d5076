/** The message stream resource of the compatible wire. */

import { answerWritten, refOf, withBody } from './call.ts';
import type { Call, Route } from './call.ts';
import { createObject, getObject, removeObject, updateObject } from './objects.ts';

export const streamRoutes: readonly Route[] = [
  { method: 'POST', path: ['Streams'], run: createObject('stream') },
  { method: 'GET', path: ['Streams', '*'], run: getObject('stream') },
  { method: 'POST', path: ['Streams', '*'], run: updateObject('stream') },
  { method: 'DELETE', path: ['Streams', '*'], run: removeObject('stream') },
  { method: 'POST', path: ['Streams', '*', 'Messages'], run: publishMessage },
];

function publishMessage(call: Call, id: string): void {
  withBody(call, (members) =>
    call.engine.objects.publish(call.principal, refOf(call, 'stream', id), members.get('data'), (published) =>
      answerWritten(call, published, ({ sid }) => ({ status: 201, body: `{"sid":"${sid}"}`, own: sid })),
    ),
  );
}
