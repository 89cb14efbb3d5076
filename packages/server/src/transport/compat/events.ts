/** Events and outcomes of subscriptions as notifications of the compatible wire. */

import { errorOf } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { ObjectEvent } from '../../core/change.ts';
import { revisionOf } from '../../core/object.ts';
import type { Sid } from '../../core/object.ts';
import { messageOf } from '../../engine/message.ts';
import type { Message } from '../../engine/message.ts';
import { encodeFrame } from './frame.ts';
import { isoOf } from './resources.ts';

export const syncEvent = 'twilio.sync.event';
export const documentEvent = 'com.twilio.rtd.cds.document';

/** Ids of server frames. */
export type NextId = () => string;

/**
 * Encodes live events, each once for all that take it in the same message type: the events of one commit are delivered
 * one after another, so the last message is the only one worth keeping. [EVT4]
 */
export class EventEncoder {
  readonly #nextId: NextId;
  #event: ObjectEvent | undefined;
  readonly #messages: Map<string, Message> = new Map();

  constructor(nextId: NextId) {
    this.#nextId = nextId;
  }

  encode(event: ObjectEvent, messageType: string): Message {
    if (event !== this.#event) {
      this.#event = event;
      this.#messages.clear();
    }
    let message = this.#messages.get(messageType);
    if (message === undefined) {
      message = messageOf(notification(this.#nextId(), messageType, eventPayload(event)));
      this.#messages.set(messageType, message);
    }
    return message;
  }
}

/** A missed event, told again to one subscriber. */
export function replayMessage(id: string, event: ObjectEvent, correlation: number): Message {
  return messageOf(notification(id, syncEvent, eventPayload(event, correlation)));
}

function eventPayload(event: ObjectEvent, correlation?: number): string {
  const name = event.type === 'documentRemoved' ? 'document_removed' : 'document_updated';
  const correlated = correlation === undefined ? '' : `"correlation_id":${correlation},`;
  const head = `{"event_type":"${name}",${correlated}"event":{"id":${event.id},"document_sid":"${event.object}"`;
  const created = `,"date_created":"${isoOf(event.at)}"`;
  if (event.data === null) return `${head}${created}}}`;
  const expires = event.expiresAt === null ? 'null' : `"${isoOf(event.expiresAt)}"`;
  return (
    `${head},"document_unique_name":${JSON.stringify(event.uniqueName)},` +
    `"document_revision":"${revisionOf(event.id)}","document_data":${event.data}${created},"date_expires":${expires}}}`
  );
}

/** What became of one entry of a subscription request. */
export type SubscriptionOutcome =
  | { readonly type: 'established'; readonly object: Sid; readonly objectType: string; readonly position: number }
  | { readonly type: 'canceled'; readonly object: Sid; readonly objectType: string }
  | { readonly type: 'failed'; readonly object: Sid; readonly objectType: string; readonly code: ErrorCode };

/** Entries of one notification at most. */
const entriesPerNotification = 100;

/** Grouped by outcome for protocol 4; one by one for protocol 3, whose clients die of an array. [CON13] */
export function outcomeMessages(
  nextId: NextId,
  outcomes: readonly SubscriptionOutcome[],
  correlation: number,
  protocol: 3 | 4,
): readonly Message[] {
  const messages: Message[] = [];
  for (const type of ['established', 'failed', 'canceled'] as const) {
    const entries = outcomes.filter((outcome) => outcome.type === type).map(outcomeEntry);
    const size = protocol === 3 ? 1 : entriesPerNotification;
    for (let i = 0; i < entries.length; i += size) {
      const part = entries.slice(i, i + size);
      const events = protocol === 3 ? `"event":${part[0]}` : `"events":[${part.join(',')}]`;
      const payload = `{"event_type":"subscription_${type}","correlation_id":${correlation},"event_protocol_version":${protocol},${events}}`;
      messages.push(messageOf(notification(nextId(), syncEvent, payload)));
    }
  }
  return messages;
}

function outcomeEntry(outcome: SubscriptionOutcome): string {
  const head = `{"object_sid":${JSON.stringify(outcome.object)},"object_type":${JSON.stringify(outcome.objectType)}`;
  switch (outcome.type) {
    case 'established':
      return `${head},"replay_status":"completed","last_event_id":${outcome.position}}`;
    case 'canceled':
      return `${head}}`;
    case 'failed': {
      const { status, message } = errorOf(outcome.code);
      return `${head},"error":{"status":${status},"code":${outcome.code},"message":${JSON.stringify(message)}}}`;
    }
  }
}

function notification(id: string, messageType: string, payload: string): Buffer {
  return encodeFrame('notification', id, `,"message_type":"${messageType}","notification_ctx_id":""`, payload);
}
