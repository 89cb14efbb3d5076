import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { markerLimits, otherService, putService, service } from '../../test/commands.ts';
import { makeDataDirectory } from '../../test/data-directory.ts';
import { testStorageContract } from '../../test/storage-contract.ts';
import type { Subject } from '../../test/storage-contract.ts';
import { openSqlite } from './sqlite.ts';
import { NotApplied, OutcomeUnknown } from './storage.ts';

function inNewDirectory(): Subject {
  const directory = makeDataDirectory();
  return {
    open: (now) => openSqlite({ directory: directory.path, now, markers: markerLimits }),
    dispose: directory.remove,
  };
}

testStorageContract('sqlite', inNewDirectory, { durable: true });

test('[STO6] when the storage thread dies, what was under way is unknown and what comes later not applied', async (t) => {
  const directory = makeDataDirectory();
  const moved = `${directory.path}-moved`;
  const failures: Error[] = [];
  const storage = await openSqlite({
    directory: directory.path,
    now: () => 0,
    onFailure: (error) => failures.push(error),
  });
  t.after(() => storage.close());
  // The thread is still starting; without its directory it cannot.
  renameSync(directory.path, moved);
  const underWay = [storage.commit(0, [putService(service)]), storage.commit(0, [putService(otherService)])];
  for (const commit of underWay) await assert.rejects(commit, OutcomeUnknown);
  assert.equal(failures.length, 1);
  await assert.rejects(storage.commit(0, [putService(service)]), NotApplied);
  await storage.close();
  renameSync(moved, directory.path);
  directory.remove();
});
