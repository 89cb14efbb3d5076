/** `npm run bench`: reads the command line, runs the workloads, prints the report. Exits 1 when anything failed or was lost. */

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { demandDisk, machineLine, thisMachine } from './machine.ts';
import { help, readOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { profileTables } from './profile.ts';
import { disturbance, progressLine, ratioLine, ratiosOfResult, resultsAsJson, resultTable } from './report.ts';
import type { Result } from './report.ts';
import { runWorkload } from './workload.ts';
import { fanout } from './workloads/fanout.ts';
import { writes } from './workloads/writes.ts';

const workloads = [writes, fanout];
const profileRows = 25;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const unknown = options.workloads.find((name) => !workloads.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new RangeError(`no workload ${unknown}; --help lists them`);
  const chosen = workloads.filter(({ name }) => options.workloads.length === 0 || options.workloads.includes(name));
  await demandDisk();
  const profileDirectory = options.profile ? await mkdtemp(join(tmpdir(), 'tallystick-profile-')) : undefined;
  const machine = thisMachine();
  const when = new Date();
  print(machineLine(machine));

  const results: Result[] = [];
  for (const workload of chosen) {
    const run = { ...options, program: options.server, profileDirectory, signal };
    const rounds = await runWorkload(workload, run, (round) => print(progressLine(workload, round)));
    results.push({ workload, rounds });
  }
  for (const result of results) {
    print(`\n${resultTable(result)}\n\n${ratiosOfResult(result).map(ratioLine).join('\n')}`);
    const warning = disturbance(result);
    if (warning !== undefined) print(warning);
  }
  if (options.json !== undefined) await writeFile(options.json, resultsAsJson(machine, when, results));
  if (profileDirectory === undefined) return;
  print(`\nprofiled, so not comparable; time of each thread that was not idle, by function:\n`);
  print(await profileTables(profileDirectory, profileRows));
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) print(help.trimEnd());
  else await bench(options, interrupted.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
