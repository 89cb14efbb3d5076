import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Instant } from '../src/core/object.ts';
import { openMemory } from '../src/storage/memory.ts';
import type { Storage } from '../src/storage/storage.ts';
import { markerLimits } from './commands.ts';
import { itemFaults } from './faulty-items.ts';
import { faults } from './faulty-storage.ts';
import { compareWithModel } from './model-comparison.ts';
import { runCase, storageContract } from './storage-contract.ts';
import type { Factory } from './storage-contract.ts';

/** Titles of the cases that a storage fails. */
async function failed(factory: Factory): Promise<readonly string[]> {
  const titles: string[] = [];
  for (const one of storageContract) {
    if (one.durable) continue;
    try {
      await runCase(one, factory);
    } catch {
      titles.push(one.title);
    }
  }
  return titles;
}

suite('the storage contract notices that', () => {
  for (const fault of [...faults, ...itemFaults]) {
    test(fault.name, async (t) => {
      const titles = await failed(() => ({ open: (now) => Promise.resolve(fault.open(now)) }));
      assert.notDeepEqual(titles, [], 'no case failed');
      for (const title of titles) t.diagnostic(title);
    });
  }

  test('nothing is wrong with the memory engine', async () => {
    assert.deepEqual(
      await failed(() => ({ open: (now) => Promise.resolve(openMemory({ epoch: 'e', now, markers: markerLimits })) })),
      [],
    );
  });
});

suite('the comparison with the model notices that', () => {
  // A fixed seed, since here it is the comparison that is tested; and the first difference is enough.
  const compare = (open: (now: () => Instant) => Storage): Promise<void> =>
    compareWithModel(
      async (now) => {
        const storage = open(now);
        return { storage, end: () => storage.close() };
      },
      { numRuns: 1000, seed: 1, path: '', endOnFailure: true },
    );

  for (const fault of [...faults, ...itemFaults]) {
    if (fault.isConcurrent) continue;
    test(fault.name, () =>
      assert.rejects(
        compare((now) => fault.open(now)),
        /seed/,
      ),
    );
  }

  test('nothing is wrong with the memory engine', () =>
    compare((now) => openMemory({ epoch: 'e', now, markers: markerLimits })));
});
