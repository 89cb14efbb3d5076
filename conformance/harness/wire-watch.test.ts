/** The watch must see what it is there for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame } from './frames.ts';
import type { Header } from './frames.ts';
import { WireWatch } from './wire-watch.ts';

const sid = `ET${'1'.repeat(32)}`;
const serverId = `TM${'2'.repeat(32)}`;
const ok = { code: 200, status: 'OK' };
const date = '2026-01-31T12:00:00.000Z';

/** What the watch says of these messages on one connection; `>` from the client, `<` from the server. */
function problemsOf(...messages: readonly (readonly ['>' | '<', Buffer])[]): number {
  const watch = new WireWatch();
  for (const [way, bytes] of messages) {
    watch.observe({ from: way === '<' ? 'server' : 'client', connection: 0, isBinary: true, bytes });
  }
  return watch.problems.length;
}

function notification(payload: Header): Buffer {
  const header = { method: 'notification', id: serverId, message_type: 'twilio.sync.event' };
  return encodeFrame({ ...header, payload_type: 'application/json' }, JSON.stringify(payload));
}

function updated(id: number, more: Header = {}): Buffer {
  const event = { id, document_sid: sid, document_revision: `${id}`, document_data: {}, date_created: date, ...more };
  return notification({ event_type: 'document_updated', event });
}

const establish = encodeFrame(
  { method: 'message', id: 'TM1', http_request: { method: 'POST', path: '/v4/Subscriptions' } },
  JSON.stringify({ action: 'establish', correlation_id: 7, requests: [{ object_sid: sid, last_event_id: 3 }] }),
);
const accepted = encodeFrame({ method: 'reply', id: 'TM1', status: ok });
const established = notification({
  event_type: 'subscription_established',
  correlation_id: 7,
  events: [{ object_sid: sid, object_type: 'document', replay_status: 'completed', last_event_id: 3 }],
});

test('[EVT2] the watch takes what is right', () => {
  assert.equal(
    problemsOf(['>', establish], ['<', accepted], ['<', established], ['<', updated(4)], ['<', updated(5)]),
    0,
  );
});

test('[EVT2] the watch finds events that come again, backwards, or before their subscription', () => {
  const start = [
    ['>', establish],
    ['<', accepted],
    ['<', established],
  ] as const;
  assert.equal(problemsOf(...start, ['<', updated(4)], ['<', updated(4)]), 1);
  assert.equal(problemsOf(...start, ['<', updated(5)], ['<', updated(4)]), 1);
  assert.equal(problemsOf(...start, ['<', updated(3)]), 1);
  assert.equal(problemsOf(['>', establish], ['<', established]), 1);
});

const list = `ES${'3'.repeat(32)}`;

function itemUpdated(id: number, more: Header = {}): Buffer {
  const address = `http://localhost/v3/Services/IS${'4'.repeat(32)}/Lists/${list}/Items/0`;
  const item = { item_index: 0, item_url: address, item_revision: `${id}`, item_data: {}, date_expires: null };
  const event = { id, list_sid: list, date_created: date, ...item, ...more };
  return notification({ event_type: 'list_item_updated', event });
}

test('[EVT2] the watch keeps an eye on items as well, in the order of their list', () => {
  assert.equal(problemsOf(['<', itemUpdated(4)], ['<', itemUpdated(5)], ['<', updated(1)]), 0);
  assert.equal(problemsOf(['<', itemUpdated(4)], ['<', itemUpdated(4)]), 1);
  assert.equal(problemsOf(['<', itemUpdated(5)], ['<', itemUpdated(4)]), 1);
  for (const fault of [
    { item_index: '0' },
    { item_url: '/v3/Lists' },
    { item_url: undefined },
    { item_data: null },
    { item_revision: 4 },
    { date_expires: undefined },
    { list_sid: sid },
  ]) {
    assert.equal(problemsOf(['<', itemUpdated(4, fault)]), 1, JSON.stringify(fault));
  }
});

function answered(code: number, body: Header): Buffer {
  const header = { method: 'reply', id: 'TM1', status: ok, http_status: { code, status: 'OK' } };
  return encodeFrame({ ...header, payload_type: 'application/json' }, JSON.stringify(body));
}

test('[EVT2] the watch knows what objects, items and pages look like', () => {
  const url = `http://localhost/v3/Services/IS${'4'.repeat(32)}/Lists/${list}`;
  const version = { revision: '0', last_event_id: 0, date_updated: date, date_expires: null };
  const object = { sid: list, url, unique_name: null, links: { items: `${url}/Items` }, ...version };
  const item = { index: 0, url: `${url}/Items/0`, data: {}, ...version };
  const page = { items: [item], meta: { previous_token: null, next_token: 'x' } };
  for (const body of [object, item, page]) assert.equal(problemsOf(['<', answered(200, body)]), 0);
  for (const fault of [
    { ...object, links: {} },
    { ...object, url: `/v3/Lists/${list}` },
    { ...item, index: '0' },
    { ...item, revision: 0 },
    { ...page, meta: { previous_token: null } },
    { ...page, items: [{ ...item, data: undefined }] },
    { ...page, items: [{ ...item, url: `${url}/Items/1` }] },
  ]) {
    assert.equal(problemsOf(['<', answered(200, fault)]), 1, JSON.stringify(fault));
  }
});

test('[EVT2] the watch finds ill-formed frames', () => {
  const badFrames: readonly Buffer[] = [
    Buffer.from('TWILSOCK V3.0 3\r\n{}\r\n'),
    encodeFrame({ method: 'dance', id: serverId }),
    encodeFrame({ method: 'reply', id: serverId }),
    encodeFrame({ method: 'ping', id: 'short' }),
    encodeFrame({ method: 'notification', id: serverId, message_type: 'twilio.sync.event' }),
    encodeFrame({ method: 'reply', id: 'TM1', status: ok, http_status: { code: 404 } }, '{}'),
    updated(1, { document_revision: 1 }),
    updated(1, { document_data: undefined }),
    updated(1, { date_created: 'today' }),
    notification({ event_type: 'document_updated' }),
    notification({ event_type: 'something', event: {} }),
  ];
  for (const bytes of badFrames) assert.equal(problemsOf(['<', bytes]), 1, bytes.toString());
});
