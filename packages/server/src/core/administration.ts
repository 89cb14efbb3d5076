/** The rules of the account, its services and its API keys. */

import { nothing } from './change.ts';
import type { Change, Refusal, Row } from './change.ts';
import type { PutAccount, PutKey, PutService, RevokeKey } from './command.ts';
import type { Instant } from './object.ts';
import type { View } from './view.ts';

/** An installation has one account: a second one is refused. [ACC1] */
export function putAccount(command: PutAccount, view: View, now: Instant): Change | Refusal {
  const before = view.account();
  if (before !== undefined && before.sid !== command.sid) {
    return { refused: 20103, detail: `this data belongs to account ${before.sid}, not ${command.sid}` };
  }
  return put({
    table: 'account',
    row: { sid: command.sid, authToken: command.authToken, createdAt: before?.createdAt ?? now },
  });
}

/** The same row again. */
export function probe(view: View): Change {
  const row = view.account();
  return row === undefined ? nothing : put({ table: 'account', row });
}

export function putService(command: PutService, view: View, now: Instant): Change | Refusal {
  if (view.service(command.sid) !== undefined) return nothing;
  return put({
    table: 'service',
    row: { sid: command.sid, account: command.account, uniqueName: command.uniqueName, createdAt: now },
  });
}

/** The same key again may bring another secret, but a revoked one never comes back. [ACC4] */
export function putKey(command: PutKey, view: View, now: Instant): Change | Refusal {
  const before = view.key(command.sid);
  if (before !== undefined && before.revokedAt !== null) {
    return { refused: 20001, detail: `the key ${command.sid} was revoked; make another` };
  }
  const { sid, account, secret } = command;
  const name = command.name ?? before?.name ?? null;
  return put({
    table: 'key',
    row: { sid, account, name, secret, createdAt: before?.createdAt ?? now, revokedAt: null },
  });
}

export function revokeKey(command: RevokeKey, view: View, now: Instant): Change | Refusal {
  const before = view.key(command.sid);
  if (before === undefined || before.revokedAt !== null) return { refused: 20404, detail: 'no such key is in force' };
  return put({ table: 'key', row: { ...before, secret: '', revokedAt: now } });
}

function put(row: Row): Change {
  return { ...nothing, put: [row] };
}
