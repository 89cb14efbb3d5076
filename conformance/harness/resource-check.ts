/** What the body of every successful answer must look like. Throws an Error for what is not so. */

import assert from 'node:assert/strict';

type Fields = Readonly<Record<string, unknown>>;

export const isoDate: RegExp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const collections: Readonly<Record<string, string>> = { ET: 'Documents', ES: 'Lists', MP: 'Maps', TO: 'Streams' };
const origin = 'https?://[^/]+/v3/Services/IS[0-9a-f]{32}';

/** An object, an item, a page of items, or the receipt of a stream message. */
export function checkResource(body: Fields): void {
  if (body['items'] !== undefined && body['meta'] !== undefined) checkPage(body);
  else if (body['index'] !== undefined || body['key'] !== undefined) checkItem(body);
  else if (String(body['sid']).startsWith('TZ')) assert.match(body['sid'] as string, /^TZ[0-9a-f]{32}$/);
  else checkObject(body);
}

function checkObject(body: Fields): void {
  const sid = body['sid'] as string;
  assert.match(sid, /^(ET|ES|MP|TO)[0-9a-f]{32}$/);
  const collection = collections[sid.slice(0, 2)]!;
  assert.match(body['url'] as string, new RegExp(`^${origin}/${collection}/${sid}$`));
  if (body['date_expires'] !== null) assert.match(body['date_expires'] as string, isoDate);
  if (body['unique_name'] !== null) assert.equal(typeof body['unique_name'], 'string', 'unique_name');
  const links = body['links'] as Fields | undefined;
  if (collection === 'Streams') {
    assert.match(links?.['messages'] as string, new RegExp(`^${origin}/Streams/${sid}/Messages$`));
    return;
  }
  if (collection !== 'Documents') {
    assert.match(links?.['items'] as string, new RegExp(`^${origin}/${collection}/${sid}/Items$`));
  }
  checkVersion(body);
  if (body['items'] !== undefined) for (const item of body['items'] as readonly Fields[]) checkReadItem(item);
}

function checkVersion(body: Fields): void {
  assert.equal(typeof body['revision'], 'string', 'revision');
  assert.ok(Number.isInteger(body['last_event_id']), 'last_event_id');
  assert.match(body['date_updated'] as string, isoDate);
}

function checkItem(item: Fields): void {
  checkVersion(item);
  if (item['date_expires'] !== null) assert.match(item['date_expires'] as string, isoDate);
  checkItemUrl(item['url'], item['index'] ?? item['key']);
}

function checkReadItem(item: Fields): void {
  checkItem(item);
  assert.ok(typeof item['data'] === 'object' && item['data'] !== null, 'data of a read item');
}

/** The key of a list item is a number, and in an address every key is encoded. */
export function checkItemUrl(url: unknown, key: unknown): void {
  assert.ok(typeof key === 'string' || Number.isInteger(key), 'index or key of an item');
  const collection = typeof key === 'string' ? 'Maps/MP' : 'Lists/ES';
  const form = new RegExp(`^${origin}/${collection}[0-9a-f]{32}/Items/([^/?#]+)$`);
  const encoded = form.exec(url as string)?.[1];
  assert.ok(encoded !== undefined, `url ${String(url)}`);
  assert.equal(decodeURIComponent(encoded), String(key), 'the key in the url');
}

function checkPage(body: Fields): void {
  const meta = body['meta'] as Fields;
  for (const name of ['previous_token', 'next_token']) {
    assert.ok(meta[name] === null || typeof meta[name] === 'string', name);
  }
  for (const item of body['items'] as readonly Fields[]) checkReadItem(item);
}
