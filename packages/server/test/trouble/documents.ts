/** Documents that a test makes in a service in trouble, and what must be there of them. */

import assert from 'node:assert/strict';
import type { SocketClient } from './socket-client.ts';
import { Unanswered } from './socket-client.ts';

export class Documents {
  readonly #texts: Map<string, string> = new Map();
  /** Names of documents that were neither acknowledged nor refused, and their texts. */
  readonly #unknown: Map<string, string> = new Map();
  #names = 0;
  refused = 0;

  get acknowledged(): number {
    return this.#texts.size;
  }

  get unknown(): number {
    return this.#unknown.size;
  }

  /** Whether it was acknowledged; else it must have been refused with 503 / 20503, or the connection ended. */
  async create(client: SocketClient, size: number): Promise<boolean> {
    const name = `document ${++this.#names}`;
    const text = 'x'.repeat(size);
    this.#unknown.set(name, text);
    try {
      const { status, body } = await client.call('POST', '/v3/Documents', { unique_name: name, data: { text } });
      this.#unknown.delete(name);
      if (status === 201) this.#texts.set(name, text);
      else {
        assert.deepEqual([status, body['code']], [503, 20503]);
        this.refused++;
      }
      return status === 201;
    } catch (error) {
      if (error instanceof Unanswered) return false;
      throw error;
    }
  }

  /** What was acknowledged is there as it was written; what is unknown is so, or not there. */
  async check(client: SocketClient): Promise<void> {
    for (const [name, text] of [...this.#texts, ...this.#unknown]) {
      const { status, body } = await client.call('GET', `/v3/Documents/${encodeURIComponent(name)}`);
      if (status === 404 && this.#unknown.has(name)) continue;
      assert.deepEqual([status, body['data']], [200, { text }], name);
    }
  }
}
