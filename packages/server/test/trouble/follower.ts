/** A subscriber that keeps what it was told, and notices what must never come: an event twice, or out of order. */

import assert from 'node:assert/strict';
import type { Fields } from '../frame-client.ts';
import type { DocumentEvent, SocketClient } from './socket-client.ts';

export class Follower {
  /** The latest event id of each document. */
  readonly positions: Map<string, number>;
  readonly #data: Map<string, Fields> = new Map();
  #onEvent: () => void = () => {};
  events = 0;
  /** Called for each event as it comes. */
  heard: (event: DocumentEvent) => void = () => {};

  constructor(sids: readonly string[]) {
    this.positions = new Map(sids.map((sid) => [sid, 0]));
  }

  /** From where it stands on. */
  async follow(client: SocketClient): Promise<void> {
    client.onEvent = (event) => this.#receive(event);
    await client.follow(this.positions);
  }

  /** Resolves when it stands where a reader of the store stands, and holds the same. */
  async untilEqual(reader: SocketClient): Promise<void> {
    for (const [sid] of this.positions) {
      const { body } = await reader.call('GET', `/v3/Documents/${sid}`);
      while (this.positions.get(sid) !== body['last_event_id']) {
        await new Promise<void>((resolve) => {
          this.#onEvent = resolve;
        });
      }
      assert.deepEqual(this.#data.get(sid), body['data']);
    }
  }

  #receive(event: DocumentEvent): void {
    const { object, id, data } = event;
    assert.ok(id > (this.positions.get(object) ?? Infinity), `event ${id} of ${object} came twice or late`);
    this.positions.set(object, id);
    this.#data.set(object, data);
    this.events++;
    this.heard(event);
    this.#onEvent();
  }
}
