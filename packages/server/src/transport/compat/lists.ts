/** The list resource of the compatible wire. */

import type { Call, Route } from './call.ts';
import { answerItem, getItem, inputOf, pageOfItems, removeItem, updateItem } from './items.ts';
import { refOf, withBody } from './call.ts';
import { createObject, getObject, removeObject, updateObject } from './objects.ts';

export const listRoutes: readonly Route[] = [
  { method: 'POST', path: ['Lists'], run: createObject('list') },
  { method: 'GET', path: ['Lists', '*'], run: getObject('list') },
  { method: 'POST', path: ['Lists', '*'], run: updateObject('list') },
  { method: 'DELETE', path: ['Lists', '*'], run: removeObject('list') },
  { method: 'GET', path: ['Lists', '*', 'Items'], run: pageOfItems('list') },
  { method: 'POST', path: ['Lists', '*', 'Items'], run: pushItem },
  { method: 'GET', path: ['Lists', '*', 'Items', '*'], run: getItem('list') },
  { method: 'POST', path: ['Lists', '*', 'Items', '*'], run: updateItem('list') },
  { method: 'DELETE', path: ['Lists', '*', 'Items', '*'], run: removeItem('list') },
];

function pushItem(call: Call, id: string): void {
  withBody(call, (members) =>
    call.engine.items.push(call.principal, refOf(call, 'list', id), inputOf(members), (written) =>
      answerItem(call, written, 201),
    ),
  );
}
