/** The functions in which a profiled process spent its time, from the files that node --cpu-prof writes. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  readonly place: string;
  /** Of the time that was not idle, 0 to 1. */
  readonly share: number;
  readonly milliseconds: number;
}

/** Longest first. What was called from several places counts once; idle time does not count. */
export function selfTimes(profile: CpuProfile): readonly SelfTime[] {
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const spent = new Map<string, number>();
  let total = 0;
  for (const [index, id] of profile.samples.entries()) {
    const place = places.get(id) ?? '(unknown)';
    if (place === '(idle)') continue;
    const time = profile.timeDeltas[index] ?? 0;
    spent.set(place, (spent.get(place) ?? 0) + time);
    total += time;
  }
  return [...spent]
    .map(([place, time]) => ({ place, share: time / total, milliseconds: time / 1000 }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/** One table a thread: main thread, workers. Empty when nothing was written, as by a process that had to be killed. */
export async function profileTables(directory: string, rows: number): Promise<string> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile')).sort();
  const tables: string[] = [];
  for (const file of files) {
    const profile: CpuProfile = JSON.parse(await readFile(join(directory, file), 'utf8'));
    const lines = selfTimes(profile)
      .slice(0, rows)
      .map(
        ({ place, share, milliseconds }) =>
          `${(share * 100).toFixed(1).padStart(6)} %${milliseconds.toFixed(0).padStart(8)} ms  ${place}`,
      );
    tables.push([join(directory, file), ...lines].join('\n'));
  }
  return tables.join('\n\n');
}

function placeOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  return `${name}  ${url.split('/').slice(-3).join('/')}:${lineNumber + 1}`;
}
