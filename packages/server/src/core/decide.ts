/** The rules in one place: what a command must see, and what follows from what it sees. Pure. */

import { probe, putAccount, putKey, putService, revokeKey } from './administration.ts';
import { nothing } from './change.ts';
import type { Change, Refusal } from './change.ts';
import { clearanceRows, purge, trim } from './clearance.ts';
import type { Command, CreateObject, ExpireObject, Need, ObjectNeed } from './command.ts';
import { updateDocument } from './document.ts';
import { createObject, removal, removeObject, updateObject } from './existence.ts';
import { addItem, expireItem, pushItem, putItem, removeItem, updateItem } from './item.ts';
import { isAlive } from './object.ts';
import type { Instant, ObjectRef } from './object.ts';
import { publishMessage } from './stream.ts';
import type { View } from './view.ts';

export function needs(command: Command): readonly Need[] {
  switch (command.type) {
    case 'createObject':
      return needsOfCreation(command);
    case 'updateDocument':
    case 'updateObject':
    case 'removeObject':
    case 'pushItem':
    case 'publishMessage':
      return [needOf(command.ref)];
    case 'putItem':
    case 'addItem':
    case 'updateItem':
    case 'removeItem':
      return [{ need: 'item', of: needOf(command.ref), key: command.key }];
    case 'expireItem':
      return [{ need: 'item', of: { need: 'object', sid: command.object }, key: command.key }];
    case 'purge':
      return [{ need: 'purge', object: command.object, limit: command.limit }];
    case 'trim':
      return [{ need: 'oldMarkers', object: command.object, upTo: command.upTo, limit: clearanceRows }];
    case 'expireObject':
      return [{ need: 'object', sid: command.sid }];
    case 'probe':
    case 'putAccount':
      return [{ need: 'account' }];
    case 'putService':
      return [{ need: 'service', sid: command.sid }];
    case 'putKey':
    case 'revokeKey':
      return [{ need: 'key', sid: command.sid }];
  }
}

export function decide(command: Command, view: View, now: Instant): Change | Refusal {
  switch (command.type) {
    case 'createObject':
      return createObject(command, view, now);
    case 'updateDocument':
      return updateDocument(command, view, now);
    case 'updateObject':
      return updateObject(command, view, now);
    case 'removeObject':
      return removeObject(command, view, now);
    case 'pushItem':
      return pushItem(command, view, now);
    case 'putItem':
      return putItem(command, view, now);
    case 'addItem':
      return addItem(command, view, now);
    case 'updateItem':
      return updateItem(command, view, now);
    case 'removeItem':
      return removeItem(command, view, now);
    case 'publishMessage':
      return publishMessage(command, view, now);
    case 'expireObject':
      return expireObject(command, view, now);
    case 'expireItem':
      return expireItem(command.object, command.key, view, now);
    case 'purge':
      return purge(command, view);
    case 'trim':
      return trim(command, view);
    case 'probe':
      return probe(view);
    case 'putAccount':
      return putAccount(command, view, now);
    case 'putService':
      return putService(command, view, now);
    case 'putKey':
      return putKey(command, view, now);
    case 'revokeKey':
      return revokeKey(command, view, now);
  }
}

function needsOfCreation({ service, kind, sid, uniqueName }: CreateObject): readonly Need[] {
  const found: Need[] = [
    { need: 'service', sid: service },
    { need: 'object', sid },
  ];
  if (kind === 'list' || kind === 'map') found.push({ need: 'purge', object: sid, limit: 0 });
  if (uniqueName !== null) found.push({ need: 'name', service, kind, name: uniqueName });
  return found;
}

function expireObject(command: ExpireObject, view: View, now: Instant): Change {
  const row = view.object(command.sid);
  if (row === undefined || isAlive(row, now)) return { ...nothing, object: row };
  return removal(row, 'system', now);
}

function needOf(ref: ObjectRef): ObjectNeed {
  return ref.by === 'sid'
    ? { need: 'object', sid: ref.value }
    : { need: 'name', service: ref.service, kind: ref.kind, name: ref.value };
}
