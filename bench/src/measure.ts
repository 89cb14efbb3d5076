/** One measured window: what a running load got done, and what that cost whom. */

import { cpus } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { CpuSample } from './cpu-probe.ts';
import type { Mark, RemoteGenerator } from './generator.ts';

export interface Measurement {
  /** Operations a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time over wall time; 1 is one core kept busy. */
  readonly serverCores: number;
  /** Undefined when the generator is the server too, as for a bare engine. */
  readonly generatorCores: number | undefined;
  /** What everything else on the machine used. A run with much of it says little. */
  readonly otherCores: number;
  /** Processor time of the server for one operation. */
  readonly serverMicrosPerOperation: number;
}

/** Fresh processes run unoptimised code first. */
const warmUpMs = 1000;

/** Runs the load for the warm-up and the window, then brings it to rest; rejects when anything was lost. */
export async function measure(
  generator: RemoteGenerator<unknown>,
  server: Child | undefined,
  load: { readonly inFlight: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Measurement> {
  await generator.run(load.inFlight);
  await sleep(warmUpMs, undefined, { signal: load.signal });
  const before = await look(generator, server);
  await sleep(load.seconds * 1000, undefined, { signal: load.signal });
  const after = await look(generator, server);
  await generator.settle();

  const done = after.mark.done - before.mark.done;
  const serverCores = coresBetween(before.server, after.server);
  const generatorCores = server === undefined ? undefined : coresBetween(before.generator, after.generator);
  return {
    rate: (done / (after.mark.at - before.mark.at)) * 1000,
    p50: after.mark.p50,
    p99: after.mark.p99,
    serverCores,
    generatorCores,
    otherCores: Math.max(0, coresBetween(before.machine, after.machine) - serverCores - (generatorCores ?? 0)),
    serverMicrosPerOperation: ((after.server.used - before.server.used) / done) * 1000,
  };
}

interface Look {
  readonly mark: Mark;
  readonly generator: CpuSample;
  /** The generator's own where it is the server too. */
  readonly server: CpuSample;
  /** All processors, without what this process used. */
  readonly machine: CpuSample;
}

async function look(generator: RemoteGenerator<unknown>, server: Child | undefined): Promise<Look> {
  const [mark, ofGenerator, ofServer] = await Promise.all([
    generator.mark(),
    generator.child.ask<CpuSample>('cpu'),
    server?.ask<CpuSample>('cpu'),
  ]);
  return { mark, generator: ofGenerator, server: ofServer ?? ofGenerator, machine: sampleMachine() };
}

function sampleMachine(): CpuSample {
  const own = process.cpuUsage();
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { at: performance.now(), used: busy - (own.user + own.system) / 1000 };
}

function coresBetween(from: CpuSample, to: CpuSample): number {
  return (to.used - from.used) / (to.at - from.at);
}
