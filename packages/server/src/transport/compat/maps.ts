/** The map resource of the compatible wire. */

import { isNew } from '../../core/object.ts';
import { answerRead, answerWritten, refOf, valueIn, withBody } from './call.ts';
import type { Call, Route } from './call.ts';
import { answerItem, getItem, inputOf, pageOfItems, removeItem, updateItem } from './items.ts';
import { createObject, getObject, removeObject, updateObject } from './objects.ts';
import { firstPage } from './pages.ts';
import { collectionBody, itemBody } from './resources.ts';

export const mapRoutes: readonly Route[] = [
  { method: 'POST', path: ['Maps'], run: createObject('map') },
  { method: 'GET', path: ['Maps', '*'], run: getMap },
  { method: 'POST', path: ['Maps', '*'], run: updateObject('map') },
  { method: 'DELETE', path: ['Maps', '*'], run: removeObject('map') },
  { method: 'GET', path: ['Maps', '*', 'Items'], run: pageOfItems('map') },
  { method: 'POST', path: ['Maps', '*', 'Items'], run: addItem },
  { method: 'GET', path: ['Maps', '*', 'Items', '*'], run: getItem('map') },
  { method: 'PUT', path: ['Maps', '*', 'Items', '*'], run: putItem },
  { method: 'POST', path: ['Maps', '*', 'Items', '*'], run: updateItem('map') },
  { method: 'DELETE', path: ['Maps', '*', 'Items', '*'], run: removeItem('map') },
];

/** With `Include=items` together with the first of its items, as a start. [MAP22] */
function getMap(call: Call, id: string): void {
  if (call.request.parameter('Include') !== 'items') {
    getObject('map')(call, id, '');
    return;
  }
  answerRead(call, call.engine.items.page(refOf(call, 'map', id), firstPage), ({ object, items }) =>
    collectionBody(
      object,
      call.publicUrl,
      items.map(({ row, data }) => itemBody(object, row, call.publicUrl, data)),
    ),
  );
}

function addItem(call: Call, id: string): void {
  withBody(call, (members) => {
    const key = valueIn(members, 'key');
    call.engine.items.add(call.principal, refOf(call, 'map', id), key, inputOf(members), (written) =>
      answerItem(call, written, 201),
    );
  });
}

/** 201 for a key that was free, 200 for one that was taken: clients tell additions from updates by it. [MAP20] */
function putItem(call: Call, id: string, key: string): void {
  withBody(call, (members) => {
    const condition = call.request.header('if-match');
    const input = { ...inputOf(members), ifMatch: condition === '-1' ? null : condition };
    call.engine.items.put(call.principal, refOf(call, 'map', id), key, input, (written) =>
      answerWritten(call, written, ({ object, item: { row } }) => ({
        status: isNew(row) ? 201 : 200,
        body: itemBody(object, row, call.publicUrl),
      })),
    );
  });
}
