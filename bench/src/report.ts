/** From measured rounds to what a reader sees. */

import type { Machine } from './machine.ts';
import { ratiosOf, spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import type { Comparison, Round, Workload } from './workload.ts';

export interface Ratio extends Comparison {
  readonly spread: Spread;
}

export interface Result {
  readonly workload: Workload;
  readonly rounds: readonly Round[];
}

/** Above this a single thread is taken to be at its limit. */
const saturated = 0.93;
/** Cores; from here on what others do shows in the rates. */
const disturbing = 0.2;

export function progressLine({ unit }: Workload, { round, subject, case: name, measurement }: Round): string {
  return `round ${round}  ${name}  ${subject}: ${count(measurement.rate)} ${unit}`;
}

export function resultTable({ workload, rounds }: Result): string {
  const rate = `${workload.unit} (min .. max)`;
  const head = [
    'case',
    'server',
    rate,
    'p50 ms',
    'p99 ms',
    'us/op',
    'server cores',
    'load cores',
    'others max',
    'bound by',
  ];
  const rows = workload.cases.flatMap((one) =>
    workload.subjects.map((subject) => [one.name, subject.name, ...figures(of(rounds, one.name, subject.name))]),
  );
  return `${workload.name}: ${workload.title}\nlatency: ${workload.latencyOf}; us/op: processor time of the server; others: cores used by what else ran\n\n${table([head, ...rows])}`;
}

export function ratiosOfResult({ workload, rounds }: Result): readonly Ratio[] {
  const rates = (name: string, subject: string): readonly number[] => of(rounds, name, subject).map(({ rate }) => rate);
  return workload.comparisons.map((comparison) => ({
    ...comparison,
    spread: spreadOf(ratiosOf(rates(comparison.case, comparison.subject), rates(comparison.case, comparison.bound))),
  }));
}

export function ratioLine({ case: name, subject, bound, spread, target }: Ratio): string {
  const text = `${name}: ${subject} = ${ratio(spread.median)} x ${bound} (${ratio(spread.min)} .. ${ratio(spread.max)})`;
  if (target === undefined) return text;
  const verdict = spread.median >= target.ratio ? 'reached' : 'NOT reached';
  return `${text}; first target ${target.ratio} x ${verdict}${target.note === undefined ? '' : ` (${target.note})`}`;
}

/** Undefined when the machine was ours alone. */
export function disturbance({ workload, rounds }: Result): string | undefined {
  const disturbed = rounds.filter(({ measurement }) => measurement.otherCores > disturbing).length;
  if (disturbed === 0) return undefined;
  return `WARNING: in ${disturbed} of ${rounds.length} windows of ${workload.name} other programs used more than ${disturbing} cores`;
}

/** Everything, for a program to read. */
export function resultsAsJson(machine: Machine, when: Date, results: readonly Result[]): string {
  const workloads = results.map((result) => ({
    name: result.workload.name,
    unit: result.workload.unit,
    ratios: ratiosOfResult(result),
    rounds: result.rounds,
  }));
  return `${JSON.stringify({ when: when.toISOString(), machine, workloads }, undefined, 2)}\n`;
}

function of(rounds: readonly Round[], name: string, subject: string): Round['measurement'][] {
  return rounds.filter((round) => round.case === name && round.subject === subject).map((round) => round.measurement);
}

function figures(measurements: readonly Round['measurement'][]): string[] {
  const median = (pick: (measurement: Round['measurement']) => number): number =>
    spreadOf(measurements.map(pick)).median;
  const rate = spreadOf(measurements.map((measurement) => measurement.rate));
  const server = median((measurement) => measurement.serverCores);
  const load = median((measurement) => measurement.generatorCores ?? 0);
  return [
    `${count(rate.median)} (${count(rate.min)} .. ${count(rate.max)})`,
    median(({ p50 }) => p50).toFixed(2),
    median(({ p99 }) => p99).toFixed(2),
    median((measurement) => measurement.serverMicrosPerOperation).toFixed(1),
    server.toFixed(2),
    load === 0 ? '-' : load.toFixed(2),
    Math.max(...measurements.map(({ otherCores }) => otherCores)).toFixed(2),
    boundBy(server, load),
  ];
}

function boundBy(server: number, load: number): string {
  if (load >= saturated && load > server) return 'THE LOAD';
  return server >= saturated ? 'server' : '-';
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function ratio(value: number): string {
  return value.toFixed(2);
}

/** Columns as wide as their widest cell; the first two are names. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
