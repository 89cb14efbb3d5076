/** Lists, maps and streams of several clients, opened and subscribed, and what applications are told of them. */

import { nextEvent, until } from './deadline.ts';
import type { Emitter } from './deadline.ts';

/** The opened object once its subscription stands: it hears of everything from here on. Not for one open already. */
export async function live<T extends Emitter>(opening: Promise<T>): Promise<T> {
  const object = await opening;
  await nextEvent<string>(object, '_subscriptionStateChanged', (state) => state === 'established');
  return object;
}

/** Of lists by index, of maps by key, in every version of the SDK. */
export interface Item {
  readonly index?: number;
  readonly key?: string;
  readonly data?: unknown;
  readonly value?: unknown;
}

/** What an application is told of one change of an item: what happened, to which, its data then, and who did it. */
export type ItemChange = readonly [
  what: 'added' | 'updated' | 'removed',
  key: unknown,
  data: unknown,
  by: 'me' | 'other',
];

interface ItemEvent {
  readonly item: Item;
  readonly isLocal: boolean;
}

interface RemovalEvent {
  readonly index?: number;
  readonly key?: string;
  readonly isLocal: boolean;
  readonly previousItemData: unknown;
}

/** Every change of items from now on, in order. Of a removal the data is the last one. */
export function itemChanges(collection: Emitter): ItemChange[] {
  const changes: ItemChange[] = [];
  const keep = (what: 'added' | 'updated', { item, isLocal }: ItemEvent): void => {
    // Items are live: the SDK changes them later.
    changes.push([what, keyOf(item), structuredClone(item.data), isLocal ? 'me' : 'other']);
  };
  collection.on('itemAdded', (event: ItemEvent) => keep('added', event));
  collection.on('itemUpdated', (event: ItemEvent) => keep('updated', event));
  collection.on('itemRemoved', (event: RemovalEvent) => {
    changes.push(['removed', keyOf(event), event.previousItemData, event.isLocal ? 'me' : 'other']);
  });
  return changes;
}

export function keyOf({ index, key }: { readonly index?: number; readonly key?: string }): number | string {
  return index ?? key!;
}

/** Resolves when that many changes were told. */
export function counted(told: readonly unknown[], count: number, ms?: number): Promise<void> {
  return until(
    () => `${count} are told; they are ${JSON.stringify(told).slice(0, 400)}`,
    () => told.length >= count,
    ms,
  );
}

/** What the SDK's pages have in common. */
export interface Page {
  readonly items: readonly Item[];
  readonly hasNextPage: boolean;
  readonly hasPrevPage: boolean;
  nextPage(): Promise<Page>;
  prevPage(): Promise<Page>;
}

/** What lists and maps have in common. */
export interface Collection extends Emitter {
  readonly sid: string;
  getItems(options: object): Promise<Page>;
  remove(key: number | string): Promise<void>;
}

/** Every item from this page on, page by page. */
export async function walk(first: Promise<Page> | Page): Promise<readonly Item[]> {
  let page = await first;
  const items = [...page.items];
  while (page.hasNextPage) {
    page = await page.nextPage();
    items.push(...page.items);
  }
  return items;
}

/** All that a list or map holds, as pairs of index or key and data. */
export async function contentsOf(collection: Collection): Promise<[unknown, unknown][]> {
  const items = await walk(collection.getItems({ pageSize: 100 }));
  return items.map((item) => [keyOf(item), item.data]);
}

/** What items of data are under which index or key, as the changes that an application was told leave it. */
export function viewOf(changes: readonly ItemChange[]): Map<unknown, unknown> {
  const view = new Map<unknown, unknown>();
  for (const [what, key, data] of changes) {
    if (what === 'removed') view.delete(key);
    else view.set(key, data);
  }
  return view;
}
