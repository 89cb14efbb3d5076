/** The tally and the present state of the service as Prometheus metrics. Names and meanings: SPEC.md, MET. */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Counts, Tally } from '../engine/tally.ts';

/** Looked up when the metrics are asked for. */
export interface Present {
  readonly connections: number;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly outboxBytes: number;
  readonly writesWaiting: number;
  readonly takesWrites: boolean;
}

export interface Metrics {
  readonly contentType: string;
  /** The text that a scrape gets. [MET1] */
  render(): Promise<string>;
}

/** `process`: also what the process itself uses (CPU, memory, event loop, garbage collection). */
export function createMetrics(tally: Tally, present: () => Present, process: boolean): Metrics {
  const registry = new Registry();
  if (process) collectDefaultMetrics({ register: registry });
  gauges(registry, present);
  totals(registry, tally);
  tally.commitSeconds = histogram(
    registry,
    'commit_seconds',
    'From handing a batch to storage to its answer',
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 10],
  );
  tally.commitCommands = histogram(
    registry,
    'commit_writes',
    'Writes that shared one commit',
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
  );
  return { contentType: registry.contentType, render: () => registry.metrics() };
}

function gauges(registry: Registry, present: () => Present): void {
  const texts: Readonly<Record<keyof Present, readonly [name: string, help: string]>> = {
    connections: ['connections', 'Open WebSocket connections'],
    sessions: ['sessions', 'Connections with an accepted token'],
    subscriptions: ['subscriptions', 'Standing subscriptions of all sessions'],
    outboxBytes: ['outbox_bytes', 'Bytes that wait for clients which do not read fast enough'],
    writesWaiting: ['writes_waiting', 'Writes that wait for storage'],
    takesWrites: ['takes_writes', '1 when a write sent now would be taken, else 0'],
  };
  for (const [member, [name, help]] of Object.entries(texts)) {
    const gauge = new Gauge({
      name: `tallystick_${name}`,
      help,
      registers: [],
      collect() {
        this.set(Number(present()[member as keyof Present]));
      },
    });
    registry.registerMetric(gauge);
  }
}

function totals(registry: Registry, tally: Tally): void {
  const plain = {
    connections: ['connections_total', 'Connections ever taken'],
    bytesIn: ['received_bytes_total', 'Bytes of frames from clients'],
    bytesOut: ['sent_bytes_total', 'Bytes of frames to clients'],
    eventsIn: ['events_committed_total', 'Events that commits brought'],
    eventsOut: ['events_delivered_total', 'Events handed to the outboxes of subscribers'],
    conflations: ['events_conflated_total', 'Events replaced by later ones before a slow client got them'],
  } as const;
  for (const [member, [name, help]] of Object.entries(plain)) {
    total(registry, name, help, [], (counter) => counter.inc(tally[member as keyof typeof plain]));
  }
  counted(registry, 'requests_total', 'Answered requests', ['kind', 'code'], tally.requests);
  counted(registry, 'token_refusals_total', 'Refused tokens, by code of the rule', ['code'], tally.tokenRefusals);
  counted(registry, 'refusals_total', 'Connections refused before they were taken', ['reason'], tally.refusals);
  counted(registry, 'cuts_total', 'Connections that the service ended', ['reason'], tally.cuts);
  counted(registry, 'commits_total', 'Commits by result', ['result'], tally.commits);
}

/** Keys of the counts hold the values of the labels, with a blank before the last. */
function counted(registry: Registry, name: string, help: string, labels: readonly string[], counts: Counts): void {
  total(registry, name, help, labels, (counter) => {
    for (const [key, count] of counts.entries()) {
      const at = labels.length > 1 ? key.lastIndexOf(' ') : -1;
      const values = at < 0 ? [key] : [key.slice(0, at), key.slice(at + 1)];
      counter.inc(Object.fromEntries(labels.map((label, i) => [label, values[i] ?? ''])), count);
    }
  });
}

function total(
  registry: Registry,
  name: string,
  help: string,
  labels: readonly string[],
  fill: (counter: Counter) => void,
): void {
  const counter = new Counter({
    name: `tallystick_${name}`,
    help,
    labelNames: [...labels],
    registers: [],
    collect() {
      // The tally keeps the sums; here they are only told.
      this.reset();
      fill(this);
    },
  });
  registry.registerMetric(counter);
}

function histogram(registry: Registry, name: string, help: string, buckets: number[]): Histogram {
  return new Histogram({ name: `tallystick_${name}`, help, buckets, registers: [registry] });
}
