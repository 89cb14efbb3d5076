/** What the event of an object must look like, of every kind. Throws an Error for what is not so. */

import assert from 'node:assert/strict';
import { checkItemUrl, isoDate } from './resource-check.ts';

type Fields = Readonly<Record<string, unknown>>;

const prefixes: Readonly<Record<string, string>> = { document: 'ET', list: 'ES', map: 'MP', stream: 'TO' };
const itemChanges = ['item_added', 'item_updated', 'item_removed'];

export function checkObjectEvent(type: string, event: Fields): void {
  const [, kind, change] = /^(document|list|map|stream)_(.+)$/.exec(type) ?? [];
  if (kind === undefined || change === undefined) assert.fail(`no event is called ${type}`);
  assert.match(event[`${kind}_sid`] as string, new RegExp(`^${prefixes[kind]}[0-9a-f]{32}$`));
  if (event['date_created'] !== undefined) assert.match(event['date_created'] as string, isoDate);
  if (change === 'removed') {
    if (kind === 'document') assert.ok(Number.isInteger(event['id']), 'id of an event');
    return;
  }
  if (type === 'stream_message_published') {
    assert.match(event['message_sid'] as string, /^TZ[0-9a-f]{32}$/);
    checkObject(event['message_data'], 'message_data');
    return;
  }
  assert.ok(Number.isInteger(event['id']), 'id of an event');
  assert.match(event['date_created'] as string, isoDate);
  // Moves the position of a writer that is spared the event of its own removal.
  if (/^(list|map)_cursor$/.test(type)) return;
  if (type === 'document_updated') {
    checkObject(event['document_data'], 'document_data');
    assert.equal(typeof event['document_revision'], 'string', 'document_revision');
    return;
  }
  assert.ok((kind === 'list' || kind === 'map') && itemChanges.includes(change), `no event is called ${type}`);
  checkItemEvent(kind, change, event);
}

function checkItemEvent(kind: 'list' | 'map', change: string, event: Fields): void {
  const key = event[kind === 'list' ? 'item_index' : 'item_key'];
  assert.equal(typeof key, kind === 'list' ? 'number' : 'string', 'index or key of an event');
  checkObject(event['item_data'], 'item_data');
  if (change === 'item_removed') return;
  assert.equal(typeof event['item_revision'], 'string', 'item_revision');
  checkItemUrl(event['item_url'], key);
  if (event['date_expires'] !== null) assert.match(event['date_expires'] as string, isoDate);
}

function checkObject(value: unknown, what: string): void {
  assert.ok(typeof value === 'object' && value !== null, what);
}
