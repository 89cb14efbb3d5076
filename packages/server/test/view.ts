/** A view of a store with one service pair and the given rows, for tests of single decisions. */

import type { AccountRow, KeyRow, MarkerRow, ObjectRow, StoredItem } from '../src/core/object.ts';
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
    item: () => undefined,
    marker: () => undefined,
    purge: () => undefined,
    oldMarkers: () => [],
  };
}

export function viewOfAccount(account: AccountRow | undefined, ...keys: readonly KeyRow[]): View {
  return { ...viewOf(), account: () => account, key: (sid) => keys.find((key) => key.sid === sid) };
}

/** A list or map with items and markers. */
export function viewOfItems(object: ObjectRow, items: readonly StoredItem[], markers: readonly MarkerRow[] = []): View {
  return {
    ...viewOf(object),
    item: (sid, key) => items.find(({ row }) => row.object === sid && row.key === key),
    marker: (sid, key) => markers.find((row) => row.object === sid && row.key === key),
  };
}
