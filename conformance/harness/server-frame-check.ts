/**
 * What every frame of the server must look like, whatever it answers: a wrong field is an uncaught exception, or an
 * endless loop, in the client's process. Throws an Error for what is not so.
 */

import assert from 'node:assert/strict';
import type { Frame, Header } from './frames.ts';
import { checkObjectEvent } from './object-event-check.ts';
import { checkResource } from './resource-check.ts';

type Fields = Readonly<Record<string, unknown>>;

const messageTypes = [
  'twilio.sync.event',
  'com.twilio.rtd.cds.document',
  'com.twilio.rtd.cds.list',
  'com.twilio.rtd.cds.map',
];

export function checkServerFrame(frame: Frame): void {
  const { header, method, payload } = frame;
  const body = payload === '' ? undefined : (JSON.parse(payload) as Fields);
  assert.equal(header['payload_type'], body === undefined ? undefined : 'application/json', 'payload_type');
  switch (method) {
    case 'reply':
      checkStatus(header['status']);
      if (header['http_status'] !== undefined) checkAnswer(header, body);
      return;
    case 'notification':
      checkServerId(frame);
      assert.ok(
        messageTypes.includes(header['message_type'] as string),
        `message_type ${String(header['message_type'])}`,
      );
      assert.ok(body !== undefined, 'a notification without payload');
      checkNotification(body);
      return;
    case 'client_update':
      checkServerId(frame);
      assert.equal(header['client_update_type'], 'token_about_to_expire');
      return;
    case 'close':
      checkServerId(frame);
      checkStatus(header['status']);
      return;
    case 'ping':
      checkServerId(frame);
      return;
    default:
      assert.fail(`a server has no method ${method}`);
  }
}

function checkServerId(frame: Frame): void {
  assert.match(frame.id, /^TM[0-9a-f]{32}$/);
}

function checkStatus(status: unknown): void {
  const { code, status: text } = status as Fields;
  assert.ok(Number.isInteger(code), 'status.code');
  assert.equal(typeof text, 'string', 'status.status');
}

function checkAnswer(header: Header, body: Fields | undefined): void {
  assert.equal((header['status'] as Fields)['code'], 200, 'the outer status of an answered request');
  const { code } = header['http_status'] as { code: number };
  assert.ok(Number.isInteger(code), 'http_status.code');
  if (code >= 300) {
    assert.equal(typeof body?.['code'], 'number', 'code of an error body');
    assert.equal(typeof body?.['message'], 'string', 'message of an error body');
    assert.equal(body?.['status'], code, 'status of an error body');
  } else if (code === 202) {
    for (const field of ['estimated_delivery_in_ms', 'max_batch_size']) assert.ok((body?.[field] as number) > 0, field);
    assert.ok(((body?.['ttl_in_s'] as number | undefined) ?? 0) < 2_147_483, 'ttl_in_s');
  } else if (code !== 204) checkResource(body ?? {});
}

function checkNotification(body: Fields): void {
  const { event_type: type, event, events } = body;
  assert.ok(event === undefined || events === undefined, 'event and events');
  const entries = (events ?? [event]) as readonly Fields[];
  assert.ok(entries.length > 0 && entries.every((entry) => typeof entry === 'object'), 'no event');
  if (body['correlation_id'] !== undefined) assert.equal(typeof body['correlation_id'], 'number', 'correlation_id');
  for (const entry of entries) checkEvent(type as string, entry, body);
}

function checkEvent(type: string, event: Fields, body: Fields): void {
  if (!type.startsWith('subscription_')) {
    checkObjectEvent(type, event);
    return;
  }
  switch (type) {
    case 'subscription_established':
      // Of documents and streams there is never more to tell.
      if (event['object_type'] === 'list' || event['object_type'] === 'map') {
        assert.match(event['replay_status'] as string, /^(completed|interrupted)$/);
      } else assert.equal(event['replay_status'], 'completed');
      assert.ok(Number.isInteger(event['last_event_id']), 'last_event_id of an outcome');
      break;
    case 'subscription_failed':
      assert.ok(Number.isInteger((event['error'] as Fields)['status']), 'error.status');
      break;
    case 'subscription_canceled':
      break;
    default:
      assert.fail(`no event is called ${type}`);
  }
  assert.equal(typeof event['object_sid'], 'string', 'object_sid');
  assert.equal(typeof body['correlation_id'], 'number', 'correlation_id of an outcome');
}
