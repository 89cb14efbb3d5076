/**
 * Pages of items on the compatible wire. A token points at an item's place, not at a number, so that what comes and
 * goes between two pages neither repeats nor skips an item. [LST22]
 */

import type { Refusal } from '../../core/change.ts';
import type { ItemKey } from '../../core/object.ts';
import { itemKeyOf } from '../../engine/input.ts';
import { pageBytes } from '../../engine/items.ts';
import type { ItemPage, PageInput } from '../../engine/items.ts';
import type { Request } from './request.ts';
import { itemBody } from './resources.ts';

type Order = PageInput['order'];

/** What is read, and how the page is made of it. */
export interface PageRequest extends PageInput {
  /** `one`: the item at `from` and no other. `backward`: read against the order asked for, from its end. */
  readonly manner: 'forward' | 'backward' | 'one';
  /** Items of a page, which following pages keep to. */
  readonly size: number;
}

const defaultSize = 50;
const largestSize = 100;

export const firstPage: PageRequest = {
  order: 'asc',
  from: undefined,
  most: { count: defaultSize, bytes: pageBytes },
  manner: 'forward',
  size: defaultSize,
};

/** Items that have run out are never shown, so `HideExpired` chooses nothing. */
export function pageRequestOf(request: Request, kind: 'list' | 'map'): PageRequest | Refusal {
  const one = request.parameter(kind === 'list' ? 'Index' : 'Key');
  if (one !== undefined) {
    const key = itemKeyOf(kind, one);
    if (typeof key === 'object') return key;
    return { ...firstPage, from: { key, inclusive: true }, most: { count: 1, bytes: pageBytes }, manner: 'one' };
  }
  const token = request.parameter('PageToken');
  if (token !== undefined) return requestIn(token, kind) ?? { refused: 54453 };

  const size = sizeOf(request.parameter('PageSize'));
  if (size === undefined) return { refused: 54454 };
  const order = request.parameter('Order') ?? 'asc';
  if (order !== 'asc' && order !== 'desc') return { refused: 20001, detail: 'Order is asc or desc' };
  const bounds = request.parameter('Bounds') ?? 'inclusive';
  if (bounds !== 'inclusive' && bounds !== 'exclusive') {
    return { refused: 20001, detail: 'Bounds is inclusive or exclusive' };
  }
  const from = request.parameter('From') ?? '';
  if (from === '') return forward(order, size, undefined);
  const key = itemKeyOf(kind, from);
  return typeof key === 'object' ? key : forward(order, size, { key, inclusive: bounds === 'inclusive' });
}

/** `items` and `meta`. A token is there exactly when there are items on its side of the page, in the order asked for. */
export function pageBody(page: ItemPage, request: PageRequest, publicUrl: string): string {
  const { object } = page;
  const { manner, from } = request;
  const found = manner === 'backward' ? page.items.toReversed() : page.items;
  const items = manner === 'one' ? found.filter(({ row }) => row.key === from?.key) : found;
  const bodies = items.map(({ row, data }) => itemBody(object, row, publicUrl, data));
  const { previous, next } = tokensOf(page, request);
  const meta = `{"previous_token":${JSON.stringify(previous)},"next_token":${JSON.stringify(next)}}`;
  return `{"items":[${bodies.join(',')}],"meta":${meta}}`;
}

function tokensOf(
  { items, hasBefore, hasAfter }: ItemPage,
  { order: read, from, manner, size }: PageRequest,
): { readonly previous: string | null; readonly next: string | null } {
  if (manner === 'one') return { previous: null, next: null };
  const order = manner === 'forward' ? read : opposite(read);
  // Where what was read begins and ends; an empty page lies at the place from which it was read.
  const [first, last] = [items[0], items.at(-1)];
  const start = first === undefined ? from && { ...from, inclusive: !from.inclusive } : after(first.row.key);
  const end = last === undefined ? from : after(last.row.key);
  const before = hasBefore && start !== undefined ? tokenOf(order, size, start, manner === 'forward') : null;
  const beyond = hasAfter && end !== undefined ? tokenOf(order, size, end, manner === 'backward') : null;
  return manner === 'forward' ? { previous: before, next: beyond } : { previous: beyond, next: before };
}

type Place = NonNullable<PageInput['from']>;

function after(key: ItemKey): Place {
  return { key, inclusive: false };
}

function opposite(order: Order): Order {
  return order === 'asc' ? 'desc' : 'asc';
}

/** A page that starts with an item its reader may have already holds another one, or the reader would stand still. */
function forward(order: Order, size: number, from: Place | undefined): PageRequest {
  const count = from?.inclusive === true ? Math.max(size, 2) : size;
  return { order, from, most: { count, bytes: pageBytes }, manner: 'forward', size };
}

/** Clients ask for more than a page may hold; they are given what it holds. */
function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return defaultSize;
  if (!/^\d+$/.test(text) || Number(text) === 0) return undefined;
  return Math.min(Number(text), largestSize);
}

function tokenOf(order: Order, size: number, { key, inclusive }: Place, isBackward: boolean): string {
  return Buffer.from(JSON.stringify([order, size, key, inclusive, isBackward])).toString('base64url');
}

function requestIn(token: string, kind: 'list' | 'map'): PageRequest | undefined {
  let told: unknown;
  try {
    told = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(told) || told.length !== 5) return undefined;
  const [order, size, place, inclusive, isBackward] = told as readonly unknown[];
  if (order !== 'asc' && order !== 'desc') return undefined;
  if (typeof size !== 'number' || sizeOf(String(size)) !== size) return undefined;
  if (typeof inclusive !== 'boolean' || typeof isBackward !== 'boolean') return undefined;
  if (typeof place !== (kind === 'list' ? 'number' : 'string')) return undefined;
  const key = itemKeyOf(kind, String(place));
  if (typeof key === 'object') return undefined;
  const most = { count: size, bytes: pageBytes };
  return {
    order: isBackward ? opposite(order) : order,
    from: { key, inclusive },
    most,
    manner: isBackward ? 'backward' : 'forward',
    size,
  };
}
