/** The memory engine as a disk: commits take time, now and then very long, or fail in the two ways of the port. */

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
  /** Chance of a commit that takes longer than the engine waits. */
  hangs = 0;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(time: VirtualTime, random: Random, history: History) {
    const memory = openMemory({ epoch: 'simulated', now: time.now });
    const run = async (lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> => {
      await time.wait(random.between(0, 8));
      if (random.chance(this.hangs)) {
        history.counts.hangs++;
        await time.wait(random.between(1_000, 6_000));
      }
      const fails = random.chance(this.failures);
      if (fails && random.chance(0.75)) throw new NotApplied('the disk is full');
      // A commit of unknown outcome happened, or not.
      if (fails && random.chance(0.5)) throw this.#unknown(history);
      const outcomes = await memory.commit(lane, batch);
      history.commit(batch, outcomes);
      if (fails) throw this.#unknown(history);
      await time.wait(random.between(0, 4));
      return outcomes;
    };
    const commit = (lane: number, batch: readonly Command[]): Promise<readonly Outcome[]> => {
      const committed = run(lane, batch);
      this.#underWay = committed.catch(() => undefined);
      return committed;
    };
    this.storage = { ...memory, commit, commitNow: (batch) => memory.commit(0, batch) };
  }

  /** Resolves when no commit is under way. */
  async idle(): Promise<void> {
    await this.#underWay;
  }

  #unknown(history: History): OutcomeUnknown {
    history.counts.unknown++;
    return new OutcomeUnknown('the disk did not answer');
  }
}
