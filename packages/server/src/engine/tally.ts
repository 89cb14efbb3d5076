/**
 * What is counted while the service works: plain numbers that hot paths add to, read when somebody asks for the metrics.
 * Nothing here knows who reads it. [MET1]
 */

/** Counts by a word or code. Callers keep the number of different keys small: they become labels. */
export class Counts {
  readonly #counts: Map<string, number> = new Map();

  add(key: string, by = 1): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  entries(): Iterable<readonly [key: string, count: number]> {
    return this.#counts;
  }
}

/** Receives every measured value; the histograms of the metrics. */
export interface Distribution {
  observe(value: number): void;
}

const unread: Distribution = { observe() {} };

export class Tally {
  /** Connections that were ever taken, on any door. */
  connections = 0;
  /** Bytes of frames that clients sent, and that were sent to clients. */
  bytesIn = 0;
  bytesOut = 0;
  /** Events committed, and deliveries of events to subscribers. */
  eventsIn = 0;
  eventsOut = 0;
  /** Events that a later one of the same object replaced before a slow client got them. [BND1] */
  conflations = 0;
  /** Connections that the server ended or refused, by reason. */
  readonly cuts: Counts = new Counts();
  readonly refusals: Counts = new Counts();
  /** Answered requests by `kind code`, such as `POST document 201`. */
  readonly requests: Counts = new Counts();
  readonly tokenRefusals: Counts = new Counts();
  /** Commits by result: `applied`, `failed`, `unknown`. */
  readonly commits: Counts = new Counts();
  commitSeconds: Distribution = unread;
  commitCommands: Distribution = unread;
}
