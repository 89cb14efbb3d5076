/** All connections of the compatible wire: accepting, keeping alive, draining. */

import type { Authenticate } from '../../auth.ts';
import type { Engine } from '../../engine/engine.ts';
import { messageOf } from '../../engine/message.ts';
import type { Link } from '../../engine/message.ts';
import { Flusher } from '../../engine/outbox.ts';
import { RecentWrites } from '../../engine/recent-writes.ts';
import type { Clock, Ids, Log } from '../../platform.ts';
import type { Arrival } from '../admission.ts';
import { Connection } from './connection.ts';
import type { Shared } from './connection.ts';
import { EventEncoder } from './events.ts';
import { encodeFrame } from './frame.ts';
import type { PacingOptions } from './pacing.ts';

export interface DoorOptions extends PacingOptions {
  readonly publicUrl: string;
  readonly outboxBytes: number;
  readonly initTimeoutMs: number;
  /** Infinity: no pings, and silent connections stay. */
  readonly pingIntervalMs: number;
  /** Within this time a drain has closed every connection. */
  readonly drainMs: number;
}

export interface CompatDoor {
  accept(link: Link, arrival: Arrival): Connection;
  readonly connections: number;
  start(): void;
  /** Closes every connection in good order; later ones are refused. [CON6] */
  drain(): Promise<void>;
}

/** A drain closes no more connections at once than a restarted server takes back in this time. */
const closesPerTurn = 50;
const turnMs = 100;

export function createCompatDoor(parts: {
  readonly engine: Engine;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly options: DoorOptions;
}): CompatDoor {
  const { clock, options } = parts;
  const connections = new Set<Connection>();
  const nextId = frameIds(parts.ids);
  let stopKeepAlive: () => void = () => {};
  const shared: Shared = {
    engine: parts.engine,
    authenticate: parts.authenticate,
    tally: parts.engine.tally,
    clock,
    log: parts.log,
    nextId,
    encoder: new EventEncoder(nextId, options.publicUrl),
    flusher: new Flusher(clock.soon, parts.engine.tally),
    recentWrites: new RecentWrites(clock.now),
    publicUrl: options.publicUrl,
    outboxBytes: options.outboxBytes,
    initTimeoutMs: options.initTimeoutMs,
    pacing: options,
    onEnd: (connection) => connections.delete(connection),
  };

  /** Looks at all connections several times within an interval, so that no ping is late by more than that. [CON5] */
  const everyMs = options.pingIntervalMs / 6;
  let lookedAt = clock.ticks();
  const keepAlive = (): void => {
    const now = clock.ticks();
    // While this process stood still nobody could be heard: that is no client's silence.
    const stillMs = Math.max(0, now - lookedAt - everyMs);
    lookedAt = now;
    const ping = messageOf(encodeFrame('ping', nextId(), ''));
    for (const connection of connections) {
      connection.lastReceivedAt = Math.min(connection.lastReceivedAt + stillMs, now);
      if (connection.isSilent(now, 2 * options.pingIntervalMs)) {
        shared.tally.cuts.add('silent');
        connection.drop();
      } else if (now - connection.lastPingAt >= options.pingIntervalMs) connection.ping(ping);
    }
    stopKeepAlive = clock.after(everyMs, keepAlive);
  };

  return {
    get connections() {
      return connections.size;
    },
    accept(link, arrival) {
      const connection = new Connection(link, arrival, shared);
      connections.add(connection);
      return connection;
    },
    start() {
      if (!Number.isFinite(everyMs)) return;
      lookedAt = clock.ticks();
      stopKeepAlive = clock.after(everyMs, keepAlive);
    },
    async drain() {
      stopKeepAlive();
      const answered = Promise.all([...connections].map((connection) => connection.drain()));
      await within(answered, clock, options.drainMs / 2);
      await closeSpread([...connections], clock, options.drainMs / 2);
    },
  };
}

/** In turns, so that clients do not all come back at once; a large crowd in larger turns, to keep the deadline. */
async function closeSpread(connections: readonly Connection[], clock: Clock, withinMs: number): Promise<void> {
  const turns = Math.max(1, Math.floor(withinMs / turnMs));
  const size = Math.max(closesPerTurn, Math.ceil(connections.length / turns));
  for (let i = 0; i < connections.length; i += size) {
    if (i > 0) await wait(clock, turnMs);
    for (const connection of connections.slice(i, i + size)) connection.restart();
  }
}

/** Waits for a promise, but no longer than `ms`. */
async function within(promise: Promise<unknown>, clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, resolve);
    void promise.then(() => {
      cancel();
      resolve();
    });
  });
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** Ids of the form that clients know: two letters and 32 hex digits, unguessable start, counted on. */
function frameIds(ids: Ids): () => string {
  const start = ids.secret(10);
  let count = 0;
  return () => `TM${start}${(count++).toString(16).padStart(12, '0')}`;
}
