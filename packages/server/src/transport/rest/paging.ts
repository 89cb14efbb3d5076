/**
 * Lists of the REST API, page by page. A token points behind or before a row, not at a number, so that what comes and
 * goes between two pages neither repeats nor skips a row. [RST9]
 */

import { SyncError } from '@tallystick/protocol';
import type { Answer } from './call.ts';
import type { Parameters } from './parameters.ts';

/** What is listed. */
export interface Collection {
  /** Of the envelope's member that holds the rows. */
  readonly key: string;
  /** Absolute, with sids. */
  readonly url: string;
  /** Of the store; a token of another one is none. */
  readonly epoch: string;
}

/** One listed thing: its place in the order, unique and growing as text, and its JSON text. */
export interface Row {
  readonly at: string;
  readonly body: string;
}

export interface PageRequest {
  readonly size: number;
  /** Counted by the client; chooses nothing. */
  readonly page: number;
  /** Undefined: from the beginning. */
  readonly from: { readonly side: 'after' | 'before'; readonly at: string } | undefined;
  /** As sent, for the page's own url. */
  readonly token: string | undefined;
}

const defaultSize = 50;
/** The official library asks for as many rows as its program wants in all; they come in several pages then. */
const largestAsked = 1000;
const largestServed = 100;

/** Throws SyncError 54454 and 54453 for size and token, 20001 for the page. */
export function pageRequestOf(query: Parameters, collection: Collection): PageRequest {
  const size = wholeNumber(query.get('PageSize')) ?? defaultSize;
  if (!(size >= 1 && size <= largestAsked)) throw new SyncError(54454);
  const page = wholeNumber(query.get('Page')) ?? 0;
  if (Number.isNaN(page)) throw new SyncError(20001, 'Page is not a whole number from 0 on');
  const token = query.get('PageToken');
  const from = token === undefined ? undefined : placeOf(token, collection);
  return { size: Math.min(size, largestServed), page, from, token };
}

/** The page asked for of all rows, which are sorted by their place. */
export function pageAnswer(sorted: readonly Row[], request: PageRequest, collection: Collection): Answer {
  const { size, page, from } = request;
  let start = 0;
  let end = size;
  if (from?.side === 'after') {
    const next = sorted.findIndex(({ at }) => at > from.at);
    start = next < 0 ? sorted.length : next;
    end = start + size;
  } else if (from?.side === 'before') {
    const next = sorted.findIndex(({ at }) => at >= from.at);
    end = next < 0 ? sorted.length : next;
    start = Math.max(0, end - size);
  }
  const rows = sorted.slice(start, end);
  const urlOf = (number: number, token?: string): string =>
    `${collection.url}?PageSize=${size}&Page=${number}${token === undefined ? '' : `&PageToken=${encodeURIComponent(token)}`}`;
  const [first, last] = [rows[0], rows.at(-1)];
  const hasMore = end < sorted.length && last !== undefined;
  const hasLess = start > 0 && first !== undefined;
  const meta = {
    key: collection.key,
    page,
    page_size: size,
    first_page_url: urlOf(0),
    previous_page_url: hasLess ? urlOf(Math.max(0, page - 1), tokenOf('before', first.at, collection)) : null,
    url: urlOf(page, request.token),
    next_page_url: hasMore ? urlOf(page + 1, tokenOf('after', last.at, collection)) : null,
  };
  const bodies = rows.map(({ body }) => body).join(',');
  return { status: 200, body: `{"${collection.key}":[${bodies}],"meta":${JSON.stringify(meta)}}` };
}

/** Undefined when absent, NaN for what is none. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN;
}

function tokenOf(side: 'after' | 'before', at: string, { url, epoch }: Collection): string {
  return Buffer.from(JSON.stringify([side, at, pathOf(url), epoch])).toString('base64url');
}

function placeOf(token: string, { url, epoch }: Collection): PageRequest['from'] {
  try {
    const told: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(told) && told.length === 4 && told[2] === pathOf(url) && told[3] === epoch) {
      const [side, at]: readonly unknown[] = told;
      if ((side === 'after' || side === 'before') && typeof at === 'string') return { side, at };
    }
  } catch {
    // Said below.
  }
  throw new SyncError(54453);
}

/** So that a token outlives a change of the public origin. */
function pathOf(url: string): string {
  return new URL(url).pathname;
}
