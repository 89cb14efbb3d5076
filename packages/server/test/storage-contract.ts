/**
 * What every storage engine promises, as a list of named cases: run for each engine under node:test, and run against
 * storages with deliberate faults to see that the list catches them. Cases know the port only.
 */

import { test } from 'node:test';
import { administrationCases } from './storage-contract/administration-cases.ts';
import { batchCases } from './storage-contract/batch-cases.ts';
import { changesCases } from './storage-contract/changes-cases.ts';
import { documentCases } from './storage-contract/document-cases.ts';
import { collectionChangesCases } from './storage-contract/collection-changes-cases.ts';
import { expiryCases } from './storage-contract/expiry-cases.ts';
import { itemExpiryCases } from './storage-contract/item-expiry-cases.ts';
import { lifeCases } from './storage-contract/life-cases.ts';
import { listCases } from './storage-contract/list-cases.ts';
import { mapCases } from './storage-contract/map-cases.ts';
import { nameCases } from './storage-contract/name-cases.ts';
import { pageCases } from './storage-contract/page-cases.ts';
import { purgeCases } from './storage-contract/purge-cases.ts';
import { streamCases } from './storage-contract/stream-cases.ts';
import { World } from './storage-contract/world.ts';
import type { ContractCase, Factory } from './storage-contract/world.ts';

export type { Factory, Subject } from './storage-contract/world.ts';

export const storageContract: readonly ContractCase[] = [
  ...documentCases,
  ...nameCases,
  ...batchCases,
  ...expiryCases,
  ...changesCases,
  ...listCases,
  ...mapCases,
  ...streamCases,
  ...pageCases,
  ...itemExpiryCases,
  ...collectionChangesCases,
  ...purgeCases,
  ...administrationCases,
  ...lifeCases,
];

/** Registers every case with node:test. */
export function testStorageContract(engine: string, factory: Factory, options: { readonly durable: boolean }): void {
  for (const one of storageContract) {
    if (one.durable && !options.durable) continue;
    test(`${one.title} (${engine})`, () => runCase(one, factory));
  }
}

export async function runCase(one: ContractCase, factory: Factory): Promise<void> {
  const world = await World.open(factory());
  try {
    await one.run(world);
  } finally {
    await world.end();
  }
}
