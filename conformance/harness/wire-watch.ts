/**
 * A passive watch over all that passes a relay: every server frame is well formed, events of one object come in order
 * and once, and a reply stands before what follows from it. Problems are kept, not thrown: nobody would hear them.
 */

import { parseFrame, requestOf } from './frames.ts';
import type { Frame } from './frames.ts';
import type { RelayedMessage } from './relay.ts';
import { checkServerFrame } from './server-frame-check.ts';

export interface WatchedFrame {
  readonly from: 'client' | 'server';
  readonly connection: number;
  readonly frame: Frame;
}

/** What one connection has seen. */
interface Seen {
  /** Highest event id by object. */
  readonly positions: Map<string, number>;
  /** Subscription requests without a reply, by the id of their frame. */
  readonly open: Map<string, SubscriptionBody>;
}

export class WireWatch {
  readonly problems: string[] = [];
  readonly #seen: Map<number, Seen> = new Map();
  readonly #listeners: Set<(watched: WatchedFrame) => void> = new Set();

  /** Calls for each frame from now on that could be read. The returned function ends it. */
  listen(listener: (watched: WatchedFrame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  observe(message: RelayedMessage): void {
    const { from, connection } = message;
    try {
      if (from === 'server' && !message.isBinary) throw new Error('a text message');
      const frame = parseFrame(message.bytes);
      if (from === 'server') this.#server(connection, frame);
      else this.#client(connection, frame);
      for (const listener of this.#listeners) listener({ from, connection, frame });
    } catch (error) {
      // Clients of this suite send broken frames on purpose.
      if (from === 'client') return;
      this.problems.push(`${String(error)} in ${message.bytes.toString('utf8', 0, 1000)}`);
    }
  }

  #of(connection: number): Seen {
    let seen = this.#seen.get(connection);
    if (seen === undefined) this.#seen.set(connection, (seen = { positions: new Map(), open: new Map() }));
    return seen;
  }

  #client(connection: number, frame: Frame): void {
    const request = requestOf(frame);
    if (request === undefined) return;
    const isSubscription = request.path === '/v4/Subscriptions' && frame.payload.startsWith('{"');
    if (isSubscription) this.#of(connection).open.set(frame.id, JSON.parse(frame.payload) as SubscriptionBody);
  }

  #server(connection: number, frame: Frame): void {
    checkServerFrame(frame);
    const { positions, open } = this.#of(connection);
    if (frame.method === 'reply') {
      // From here on the new subscription counts: asked from an older position, the same ids may come again.
      const { action, requests } = open.get(frame.id) ?? { action: 'none', requests: [] };
      if (action === 'establish')
        for (const entry of requests) positions.set(entry.object_sid, entry.last_event_id ?? -1);
      open.delete(frame.id);
    }
    if (frame.method !== 'notification') return;
    const body = JSON.parse(frame.payload) as NotificationBody;
    if ([...open.values()].some((request) => request.correlation_id === body.correlation_id)) {
      throw new Error('the outcome of a subscription before the reply to it');
    }
    const kind = /^(document|list|map)_/.exec(body.event_type)?.[1];
    if (kind === undefined) return;
    for (const event of body.events ?? [body.event]) moveOn(positions, String(event[`${kind}_sid`]), event['id']);
  }
}

interface SubscriptionBody {
  readonly action: string;
  readonly correlation_id: number;
  readonly requests: readonly { readonly object_sid: string; readonly last_event_id?: number | null }[];
}

/** Streams, and removals of some objects, have no ids. */
function moveOn(positions: Map<string, number>, sid: string, id: unknown): void {
  if (typeof id !== 'number') return;
  if (id <= (positions.get(sid) ?? -1)) throw new Error(`event ${id} of ${sid} again or out of order`);
  positions.set(sid, id);
}

interface NotificationBody {
  readonly event_type: string;
  readonly correlation_id?: number;
  readonly event: Fields;
  readonly events?: readonly Fields[];
}

type Fields = Readonly<Record<string, unknown>>;
