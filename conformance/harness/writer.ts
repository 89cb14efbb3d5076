/** An application that increments `n` of a document without a pause, and counts what the service has answered. */

import type { SyncDocument } from 'twilio-sync';

export class Writer {
  /** Increments that were answered with success. */
  acknowledged = 0;
  /** Increments of which only the lost connection was told: they may have happened. */
  unknown = 0;
  /** Refusals by the service itself; there must be none. */
  readonly refusals: unknown[] = [];
  readonly #document: SyncDocument;
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(document: SyncDocument) {
    this.#document = document;
    this.#running = this.#run();
  }

  /** Resolves when the write under way is settled. Throws what the service has refused. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    if (this.refusals.length > 0) throw new AggregateError(this.refusals, 'the service refused a write');
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#document.mutate((data) => ({ n: ((data as { n?: number }).n ?? 0) + 1 }));
        this.acknowledged++;
      } catch (error) {
        // Status 0 is made by the SDK itself, for a connection that is gone.
        if ((error as { status?: number }).status === 0) this.unknown++;
        else this.refusals.push(error);
      }
    }
  }
}
