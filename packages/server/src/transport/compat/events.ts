/** Events and outcomes of subscriptions as notifications of the compatible wire. */

import { errorOf } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { EventType, ObjectEvent } from '../../core/change.ts';
import { revisionOf } from '../../core/object.ts';
import type { ObjectKind, Sid } from '../../core/object.ts';
import { messageOf } from '../../engine/message.ts';
import type { Message } from '../../engine/message.ts';
import { encodeFrame } from './frame.ts';
import { isoOf, itemUrl } from './resources.ts';

export const syncEvent = 'twilio.sync.event';
/** What live events of a kind go out in where the client takes it; streams have no type of their own. */
export const kindEvents: Readonly<Record<ObjectKind, string>> = {
  document: 'com.twilio.rtd.cds.document',
  list: 'com.twilio.rtd.cds.list',
  map: 'com.twilio.rtd.cds.map',
  stream: syncEvent,
};

/** Ids of server frames. */
export type NextId = () => string;

/**
 * Encodes live events, each once for all that take it in the same message type: the events of one commit are delivered
 * one after another, so the last message is the only one worth keeping. [EVT4]
 */
export class EventEncoder {
  readonly #nextId: NextId;
  readonly #publicUrl: string;
  #event: ObjectEvent | undefined;
  readonly #messages: Map<string, Message> = new Map();

  constructor(nextId: NextId, publicUrl: string) {
    this.#nextId = nextId;
    this.#publicUrl = publicUrl;
  }

  encode(event: ObjectEvent, messageType: string): Message {
    if (event !== this.#event) {
      this.#event = event;
      this.#messages.clear();
    }
    let message = this.#messages.get(messageType);
    if (message === undefined) {
      message = messageOf(notification(this.#nextId(), messageType, eventPayload(event, this.#publicUrl)));
      this.#messages.set(messageType, message);
    }
    return message;
  }

  /** For the connection that removed the item or published the message. undefined: there is nothing to say. [SUB12] */
  encodeOwn(event: ObjectEvent, messageType: string): Message | undefined {
    if (event.type === 'messagePublished') return undefined;
    return messageOf(notification(this.#nextId(), messageType, cursorPayload(event)));
  }
}

/** In place of a removal: clients do not know the name, so all that it does is to move their position. */
function cursorPayload({ kind, object, id, at }: ObjectEvent): string {
  return `{"event_type":"${kind}_cursor","event":{"${kind}_sid":"${object}","id":${id},"date_created":"${isoOf(at)}"}}`;
}

/** A missed event, told again to one subscriber. */
export function replayMessage(id: string, event: ObjectEvent, publicUrl: string, correlation: number): Message {
  return messageOf(notification(id, syncEvent, eventPayload(event, publicUrl, correlation)));
}

const eventNames: Readonly<Record<EventType, string>> = {
  created: 'created',
  updated: 'updated',
  removed: 'removed',
  itemAdded: 'item_added',
  itemUpdated: 'item_updated',
  itemRemoved: 'item_removed',
  messagePublished: 'message_published',
};

function eventPayload(event: ObjectEvent, publicUrl: string, correlation?: number): string {
  const { kind, type, object, id } = event;
  const correlated = correlation === undefined ? '' : `"correlation_id":${correlation},`;
  // A message has no place in a history.
  const numbered = type === 'messagePublished' ? '' : `"id":${id},`;
  return (
    `{"event_type":"${kind}_${eventNames[type]}",${correlated}"event":{${numbered}"${kind}_sid":"${object}"` +
    `${contentOf(event, publicUrl)},"date_created":"${isoOf(event.at)}"${expiryMember(event)}}}`
  );
}

/** The members that tell what changed; none when the object is gone. */
function contentOf(event: ObjectEvent, publicUrl: string): string {
  const { kind, type, service, object, id, uniqueName, item, data } = event;
  if (type === 'removed') return '';
  if (item === undefined) {
    const name = JSON.stringify(uniqueName);
    return `,"${kind}_unique_name":${name},"${kind}_revision":"${revisionOf(id)}","${kind}_data":${data}`;
  }
  const { key } = item;
  if (type === 'messagePublished') return `,"message_sid":"${key}","message_data":${data}`;
  const named = kind === 'list' ? `"item_index":${key}` : `"item_key":${JSON.stringify(key)}`;
  const head = `,"${kind}_revision":"${revisionOf(id)}",${named}`;
  // Of a removal told again the data is not known any more; applications expect an object.
  if (type === 'itemRemoved') return `${head},"item_data":${data ?? '{}'}`;
  const url = itemUrl(publicUrl, service, kind, object, key);
  return `${head},"item_url":"${url}","item_revision":"${revisionOf(id)}","item_data":${data}`;
}

/** What is gone, and what was never kept, does not run out. */
function expiryMember({ type, expiresAt }: ObjectEvent): string {
  if (type === 'removed' || type === 'itemRemoved' || type === 'messagePublished') return '';
  return `,"date_expires":${expiresAt === null ? 'null' : `"${isoOf(expiresAt)}"`}`;
}

/** What became of one entry of a subscription request. */
export type SubscriptionOutcome =
  | {
      readonly type: 'established';
      readonly object: Sid;
      readonly objectType: string;
      readonly position: number;
      /** False: the client is to ask again from `position`. */
      readonly isComplete: boolean;
    }
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
      return `${head},"replay_status":"${outcome.isComplete ? 'completed' : 'interrupted'}","last_event_id":${outcome.position}}`;
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
