/** How the fan-out load gets at a server: the same three steps for each protocol. */

import type { Mark } from '../texts.ts';

export interface Door {
  /** Called once, before the others. */
  prepare(topics: number): Promise<void>;
  /** A new connection that follows all topics; resolves when nothing published from now on can pass it by. */
  subscribe(index: number, onEvent: (mark: Mark) => void): Promise<void>;
  /** A new connection that publishes into one topic, one event at a time: the next after `onAccepted`. */
  publisher(topic: number, onAccepted: () => void): Promise<(mark: Mark) => void>;
}
