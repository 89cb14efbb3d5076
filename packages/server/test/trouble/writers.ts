/**
 * Sixty-four writers on a few connections, each with several writes under way, and what must be there of their writes
 * after the service was killed. Each has a document of its own that holds the number of its updates; all of them count
 * up one counter by conditional writes; and now and then one makes a document that stays.
 */

import assert from 'node:assert/strict';
import { SocketClient, Unanswered } from './socket-client.ts';

const writerCount = 64;
const connectionCount = 8;
/** Writes of one writer under way: those of a connection together are below the 32 that are served at once. */
const depth = 4;

/** A document whose data is `{ n }`, the number of its changes. */
interface Counted {
  readonly sid: string;
  /** Changes up to here were acknowledged. */
  acknowledged: number;
  /** Changes that were sent and neither acknowledged nor refused. */
  unknown: number;
}

/** What became of the writes of one life of the service. */
export interface Tally {
  readonly acknowledged: number;
  readonly unknown: number;
}

export class Writers {
  /** Names of all documents that were found after a kill. */
  readonly names: string[] = [];
  readonly #documents: Counted[] = [];
  #counter: Counted = { sid: '', acknowledged: 0, unknown: 0 };
  /** Names of documents that were made, and of those that may have been, since the last check. */
  #made: string[] = [];
  #maybeMade: Set<string> = new Set();
  #clients: readonly SocketClient[] = [];
  #acknowledged = 0;
  #unknown = 0;
  #lives = 0;
  #onAcknowledged: () => void = () => {};
  #isOver = false;

  async connect(socketUrl: string): Promise<void> {
    const identities = Array.from({ length: connectionCount }, (_, i) => `writer ${i}`);
    this.#clients = await Promise.all(identities.map((identity) => SocketClient.open(socketUrl, identity)));
  }

  /** Makes the documents that all writes go to. */
  async prepare(): Promise<void> {
    const make = async (i: number): Promise<Counted> => {
      return { sid: await this.#client(i).create({ n: 0 }), acknowledged: 0, unknown: 0 };
    };
    this.#documents.push(...(await Promise.all(Array.from({ length: writerCount }, (_, i) => make(i)))));
    this.#counter = await make(0);
  }

  /**
   * Writes until the connections end, and calls `kill` after so many acknowledged writes. Resolves when all that the
   * service still said was heard.
   */
  async writeUntilKilled(killAfter: number, kill: () => void): Promise<Tally> {
    [this.#acknowledged, this.#unknown, this.#isOver] = [0, 0, false];
    this.#lives++;
    this.#onAcknowledged = () => {
      if (++this.#acknowledged !== killAfter) return;
      this.#isOver = true;
      kill();
    };
    const lanes = Array.from({ length: writerCount * depth }, (_, i) => this.#write(i % writerCount, i));
    await Promise.all(lanes);
    return { acknowledged: this.#acknowledged, unknown: this.#unknown };
  }

  /** Compares what the service holds with what it acknowledged. Afterwards nothing is unknown any more. */
  async check(): Promise<void> {
    const counted = [...this.#documents, this.#counter];
    const made = [...this.#made, ...this.#maybeMade];
    await Promise.all(counted.map((document, i) => this.#checkCounted(this.#client(i), document)));
    await Promise.all(made.map((name, i) => this.#checkMade(this.#client(i), name)));
    this.#made = [];
    this.#maybeMade.clear();
  }

  async disconnect(): Promise<void> {
    for (const client of this.#clients) client.drop();
    await Promise.all(this.#clients.map(({ closed }) => closed));
  }

  /** One write after another until it is over. Those of one writer share a connection, so they are taken in order. */
  async #write(writer: number, lane: number): Promise<void> {
    const client = this.#client(writer);
    const document = this.#documents[writer];
    assert.ok(document !== undefined);
    for (let step = lane; !this.#isOver; step++) {
      try {
        if (step % 8 === 3) await this.#increment(client);
        else if (step % 8 === 7) await this.#make(client, `${this.#lives} ${lane} ${step}`);
        else await this.#update(client, document);
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        this.#unknown++;
        return;
      }
    }
  }

  async #update(client: SocketClient, document: Counted): Promise<void> {
    const n = document.acknowledged + ++document.unknown;
    const { status, body } = await client.call('POST', `/v3/Documents/${document.sid}`, { data: { n } });
    assert.deepEqual([status, body['last_event_id']], [200, n], 'each update takes the next event id');
    document.acknowledged++;
    document.unknown--;
    this.#onAcknowledged();
  }

  /** Of all that try from one value, one wins. [REV2] */
  async #increment(client: SocketClient): Promise<void> {
    const counter = this.#counter;
    const before = counter.acknowledged;
    const headers = { 'If-Match': before.toString(16) };
    counter.unknown++;
    const { status } = await client.call('POST', `/v3/Documents/${counter.sid}`, { data: { n: before + 1 } }, headers);
    counter.unknown--;
    if (status === 412) return;
    assert.deepEqual([status, counter.acknowledged], [200, before], 'nobody else counted from there');
    counter.acknowledged++;
    this.#onAcknowledged();
  }

  async #make(client: SocketClient, name: string): Promise<void> {
    this.#maybeMade.add(name);
    await client.create({ name }, { unique_name: name });
    this.#maybeMade.delete(name);
    this.#made.push(name);
    this.#onAcknowledged();
  }

  async #checkCounted(client: SocketClient, document: Counted): Promise<void> {
    const { body } = await client.call('GET', `/v3/Documents/${document.sid}`);
    const n = Number(body['last_event_id']);
    assert.deepEqual(body['data'], { n }, 'as many event ids as changes');
    const { acknowledged, unknown } = document;
    assert.ok(n >= acknowledged && n <= acknowledged + unknown, `${n} is not in ${acknowledged} + 0..${unknown}`);
    document.acknowledged = n;
    document.unknown = 0;
  }

  async #checkMade(client: SocketClient, name: string): Promise<void> {
    const { status, body } = await client.call('GET', `/v3/Documents/${encodeURIComponent(name)}`);
    if (status === 404 && this.#maybeMade.has(name)) return;
    assert.deepEqual([status, body['data']], [200, { name }], `${name} was acknowledged`);
    this.names.push(name);
  }

  #client(writer: number): SocketClient {
    const client = this.#clients[writer % connectionCount];
    assert.ok(client !== undefined);
    return client;
  }
}
