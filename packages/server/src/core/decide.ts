/** The rules in one place: what a command must see, and what follows from what it sees. Pure. */

import { probe, putAccount, putKey, putService, revokeKey } from './administration.ts';
import type { Change, Refusal } from './change.ts';
import type { Command, Need } from './command.ts';
import { createDocument, removal, removeDocument, updateDocument } from './document.ts';
import { isAlive } from './object.ts';
import type { Instant, ObjectRef } from './object.ts';
import type { View } from './view.ts';

export function needs(command: Command): readonly Need[] {
  switch (command.type) {
    case 'createDocument': {
      const always: readonly Need[] = [
        { need: 'service', sid: command.service },
        { need: 'object', sid: command.sid },
      ];
      if (command.uniqueName === null) return always;
      return [...always, { need: 'name', service: command.service, kind: 'document', name: command.uniqueName }];
    }
    case 'updateDocument':
    case 'removeDocument':
      return [needOf(command.ref)];
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
    case 'createDocument':
      return createDocument(command, view, now);
    case 'updateDocument':
      return updateDocument(command, view, now);
    case 'removeDocument':
      return removeDocument(command, view, now);
    case 'expireObject': {
      const row = view.object(command.sid);
      if (row === undefined || isAlive(row, now)) return { put: [], drop: [], events: [], object: row };
      return removal(row, 'system', now);
    }
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

function needOf(ref: ObjectRef): Need {
  return ref.by === 'sid'
    ? { need: 'object', sid: ref.value }
    : { need: 'name', service: ref.service, kind: ref.kind, name: ref.value };
}
