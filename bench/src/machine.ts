/** What a number must never be read without. */

import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import process from 'node:process';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly sqlite: string;
  /** Where the databases of the run lie. */
  readonly directory: string;
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    directory: tmpdir(),
  };
}

export function machineLine(machine: Machine): string {
  const { cores, processor, memoryGiB, system, node, sqlite, directory } = machine;
  return `${cores} x ${processor}, ${memoryGiB} GiB, ${system}, node ${node}, SQLite ${sqlite}, databases in ${directory}`;
}

/** File systems that live in memory: tmpfs and ramfs, as Linux numbers them. */
const inMemory = new Set([0x01021994, 0x858458f6]);

/** Rejects where a durable write would cost nothing. Only Linux is told apart. */
export async function demandDisk(): Promise<void> {
  const { type } = await statfs(tmpdir());
  if (process.platform !== 'linux' || !inMemory.has(type)) return;
  throw new Error(`${tmpdir()} is in memory, where no write is durable; set TMPDIR to a directory on a disk`);
}
