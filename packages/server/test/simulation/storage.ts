/** The memory engine as a disk: commits take time, and now and then fail in the two ways that the port allows. */

import type { Command } from '../../src/core/command.ts';
import { openMemory } from '../../src/storage/memory.ts';
import { NotApplied, OutcomeUnknown } from '../../src/storage/storage.ts';
import type { Outcome, Storage } from '../../src/storage/storage.ts';
import type { History } from './history.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export class SimulatedDisk {
  readonly storage: Storage & { commitNow(batch: readonly Command[]): Promise<unknown> };
  /** Chance of a failing commit. */
  failures = 0;

  constructor(time: VirtualTime, random: Random, history: History) {
    const memory = openMemory({ epoch: 'simulated', now: time.now });
    const commit = async (lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> => {
      await time.wait(random.between(0, 8));
      const fails = random.chance(this.failures);
      if (fails && random.chance(0.9)) throw new NotApplied('the disk is full');
      // A commit of unknown outcome happened, or not.
      if (fails && random.chance(0.5)) throw this.#unknown(history);
      const outcomes = await memory.commit(lane, batch);
      history.commit(batch, outcomes);
      if (fails) throw this.#unknown(history);
      await time.wait(random.between(0, 4));
      return outcomes;
    };
    this.storage = { ...memory, commit, commitNow: (batch) => memory.commit(0, batch) };
  }

  #unknown(history: History): OutcomeUnknown {
    history.counts.unknown++;
    return new OutcomeUnknown('the disk did not answer');
  }
}
