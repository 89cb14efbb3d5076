/** Items of lists and maps on the compatible wire, as far as both have the same verbs. */

import type { Members } from '../../core/json.ts';
import type { ItemKey } from '../../core/object.ts';
import { itemKeyOf } from '../../engine/input.ts';
import type { ItemInput, ItemWritten } from '../../engine/items.ts';
import type { Refusal } from '../../core/change.ts';
import { answerRead, answerWritten, refOf, valueIn, withBody } from './call.ts';
import type { Call, Handler } from './call.ts';
import { pageBody, pageRequestOf } from './pages.ts';
import { errorAnswer, itemBody } from './resources.ts';

type Kind = 'list' | 'map';

/** One page, or the one item that `Index` or `Key` names: no page has to be 404 for want of it. */
export function pageOfItems(kind: Kind): Handler {
  return (call, id) => {
    const ref = refOf(call, kind, id);
    const request = pageRequestOf(call.request, kind);
    if ('refused' in request) call.answer(errorAnswer(request));
    else answerRead(call, call.engine.items.page(ref, request), (page) => pageBody(page, request, call.publicUrl));
  };
}

export function getItem(kind: Kind): Handler {
  return withKey(kind, (call, id, key) =>
    answerRead(call, call.engine.items.get(refOf(call, kind, id), key), ({ object, item }) =>
      itemBody(object, item.row, call.publicUrl, item.data),
    ),
  );
}

export function updateItem(kind: Kind): Handler {
  return withKey(kind, (call, id, key) =>
    withBody(call, (members) => {
      const input = { ...inputOf(members), ifMatch: call.request.header('if-match') };
      call.engine.items.update(call.principal, refOf(call, kind, id), key, input, (written) =>
        answerItem(call, written, 200),
      );
    }),
  );
}

/** Answers with a body, unlike the removal of an object: clients read the removal's id and time from it. [LST21] */
export function removeItem(kind: Kind): Handler {
  return withKey(kind, (call, id, key) =>
    call.engine.items.remove(call.principal, refOf(call, kind, id), key, call.request.header('if-match'), (written) =>
      answerWritten(call, written, ({ object, item }) => ({
        status: 200,
        body: itemBody(object, item.row, call.publicUrl),
        own: `${object.sid} ${item.row.eventId}`,
      })),
    ),
  );
}

export function inputOf(members: Members): ItemInput {
  return { data: members.get('data'), ttl: valueIn(members, 'ttl') };
}

/** Without data: the writer has it. */
export function answerItem(call: Call, written: ItemWritten | Refusal | 'unknown', status: number): void {
  answerWritten(call, written, ({ object, item }) => ({ status, body: itemBody(object, item.row, call.publicUrl) }));
}

/** Hands on the index or key that the path names. */
function withKey(kind: Kind, run: (call: Call, id: string, key: ItemKey) => void): Handler {
  return (call, id, text) => {
    const key = itemKeyOf(kind, text);
    if (typeof key === 'object') call.answer(errorAnswer(key));
    else run(call, id, key);
  };
}
