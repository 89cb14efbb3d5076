/** One page of items out of a run of them, bounded by number and bytes. */

import type { StoredItem } from '../core/object.ts';
import type { Most } from './storage.ts';

/** Takes from a run of living items in order; looks one further to know whether there are more. */
export function takePage(
  run: Iterable<StoredItem>,
  most: Most,
): { readonly items: readonly StoredItem[]; readonly hasAfter: boolean } {
  const items: StoredItem[] = [];
  let bytes = 0;
  for (const item of run) {
    bytes += Buffer.byteLength(item.data);
    if (items.length > 0 && (items.length >= most.count || bytes > most.bytes)) return { items, hasAfter: true };
    items.push(item);
  }
  return { items, hasAfter: false };
}
