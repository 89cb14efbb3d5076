/** Subscription requests of the compatible wire: answered 202 at once, their outcomes follow as notifications. */

import type { ObjectKind } from '../../core/object.ts';
import type { Message } from '../../engine/message.ts';
import type { Subscribed, Wanted } from '../../engine/recovery.ts';
import type { Session } from '../../engine/session.ts';
import type { Engine } from '../../engine/engine.ts';
import { outcomeMessages, replayMessage } from './events.ts';
import type { NextId, SubscriptionOutcome } from './events.ts';
import { errorAnswer } from './resources.ts';
import type { Answer } from './resources.ts';

interface Entry {
  readonly object: string;
  readonly objectType: string;
  readonly after: number | null;
}

export interface SubscriptionRequest {
  readonly action: 'establish' | 'cancel';
  readonly protocol: 3 | 4;
  readonly correlation: number;
  readonly entries: readonly Entry[];
}

/** Entries of one request; also what clients are told to keep to. */
const entriesPerRequest = 1_000;

/**
 * `estimated_delivery_in_ms`: when a client that heard no outcome asks again; outcomes here come at once. `ttl_in_s` is
 * left out: subscriptions last as long as their connection.
 */
export const accepted: Answer = {
  status: 202,
  body: `{"estimated_delivery_in_ms":5000,"max_batch_size":${entriesPerRequest}}`,
};

export function subscriptionRequestOf(body: string | undefined): SubscriptionRequest | Answer {
  const request = parseObject(body);
  if (request === undefined) return errorAnswer({ refused: 54008 });
  const { action, event_protocol_version: protocol, correlation_id: correlation, requests } = request;
  if (action !== 'establish' && action !== 'cancel') return bad('action is neither establish nor cancel');
  if (protocol !== 3 && protocol !== 4) return bad('event_protocol_version is neither 3 nor 4');
  if (typeof correlation !== 'number' || !Number.isFinite(correlation)) return bad('correlation_id is not a number');
  if (!Array.isArray(requests) || requests.length > entriesPerRequest) {
    return bad(`requests is not an array of at most ${entriesPerRequest}`);
  }
  const entries: Entry[] = [];
  for (const raw of requests as readonly unknown[]) {
    const entry = entryOf(raw);
    if (entry === undefined)
      return bad('an entry of requests lacks object_sid or object_type, or has a bad last_event_id');
    entries.push(entry);
  }
  return { action, protocol, correlation, entries };
}

/** Runs an accepted request; what it has to say goes through `push`, in order. */
export function runSubscriptions(
  engine: Engine,
  session: Session,
  request: SubscriptionRequest,
  { nextId, publicUrl }: { readonly nextId: NextId; readonly publicUrl: string },
  push: (message: Message) => void,
): void {
  const types = new Map(request.entries.map((entry) => [entry.object, entry.objectType]));
  const tell = (outcomes: readonly SubscriptionOutcome[]): void => {
    for (const message of outcomeMessages(nextId, outcomes, request.correlation, request.protocol)) push(message);
  };
  if (request.action === 'cancel') {
    for (const { object } of request.entries) engine.recovery.cancel(session, object);
    tell(request.entries.map(({ object, objectType }) => ({ type: 'canceled', object, objectType })));
    return;
  }
  const wanted: Wanted[] = [];
  for (const { object, objectType, after } of request.entries) {
    if (isKind(objectType)) wanted.push({ object, kind: objectType, after });
    else tell([{ type: 'failed', object, objectType, code: 20404 }]);
  }
  engine.recovery.subscribe(session, wanted, {
    missed: (event) => push(replayMessage(nextId(), event, publicUrl, request.correlation)),
    settled: (subscribed) => tell(subscribed.map((one) => outcomeOf(one, types.get(one.object) ?? 'document'))),
  });
}

const kinds: readonly string[] = ['document', 'list', 'map', 'stream'] satisfies readonly ObjectKind[];

function isKind(type: string): type is ObjectKind {
  return kinds.includes(type);
}

function outcomeOf(one: Subscribed, objectType: string): SubscriptionOutcome {
  if ('failed' in one) return { type: 'failed', object: one.object, objectType, code: one.failed };
  const { object, position, isComplete } = one;
  // Streams have no positions.
  return { type: 'established', object, objectType, position: objectType === 'stream' ? -1 : position, isComplete };
}

function entryOf(raw: unknown): Entry | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { object_sid: object, object_type: objectType, last_event_id: after = null } = raw as Record<string, unknown>;
  if (typeof object !== 'string' || typeof objectType !== 'string') return undefined;
  if (after !== null && typeof after !== 'number') return undefined;
  return { object, objectType, after };
}

function parseObject(body: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function bad(detail: string): Answer {
  return errorAnswer({ refused: 20001, detail });
}
