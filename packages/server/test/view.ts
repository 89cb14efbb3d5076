/** A view of a store with one service pair and the given objects, for tests of single decisions. */

import type { AccountRow, KeyRow, ObjectRow } from '../src/core/object.ts';
import type { View } from '../src/core/view.ts';
import { account, otherService, service } from './commands.ts';

export function viewOf(...objects: readonly ObjectRow[]): View {
  return {
    account: () => undefined,
    service: (sid) =>
      sid === service || sid === otherService ? { sid, account, uniqueName: null, createdAt: 0 } : undefined,
    key: () => undefined,
    object: (sid) => objects.find((row) => row.sid === sid),
    named: (of, kind, name) =>
      objects.find((row) => row.service === of && row.kind === kind && row.uniqueName === name),
  };
}

export function viewOfAccount(account: AccountRow | undefined, ...keys: readonly KeyRow[]): View {
  return { ...viewOf(), account: () => account, key: (sid) => keys.find((key) => key.sid === sid) };
}
