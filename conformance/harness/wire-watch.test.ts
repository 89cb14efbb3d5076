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
