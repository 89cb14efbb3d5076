/** The requests under way, so that a stop can let them come to their end. [RST12] */

import type { ServerResponse } from 'node:http';
import { SyncError } from '@tallystick/protocol';

export class UnderWay {
  #count = 0;
  #over: (() => void) | undefined;

  /** Counts until the answer is sent or its connection gone. Throws SyncError 20503 once a stop has begun. */
  enter(response: ServerResponse): void {
    if (this.#over !== undefined) throw new SyncError(20503);
    this.#count++;
    response.once('close', () => {
      if (--this.#count === 0) this.#over?.();
    });
  }

  /** Resolves when nothing is under way any more; nothing new is let in. Called once. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#over = resolve;
      if (this.#count === 0) resolve();
    });
  }
}
