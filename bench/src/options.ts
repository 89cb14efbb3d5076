/** The command line of the benchmark. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

export const help = `npm run bench -- [workload...] [options]

Compares this checkout's server with its bounds, side by side in one run.

workloads (all by default)
  writes              durable document updates against the bare embedded engine
  fanout              events to 1,000 subscribers against raw ws and socket.io

options
  --rounds <n>        how often each is measured, taking turns; default 3
  --seconds <s>       length of one measured window; default 4
  --json <file>       write everything that was measured there, too
  --profile           profile the server's processor time, in one round (its numbers are not comparable)
  --server <program>  measure this one: it is run by node with the argument serve, configured by the
                      environment, and prints its ws:// address; default: this checkout's
  --help              show this
`;

export interface BenchOptions {
  readonly help: boolean;
  /** In the order given; empty for all. */
  readonly workloads: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly profile: boolean;
  readonly server: URL | undefined;
}

/** Throws TypeError or RangeError with a message for the person who typed it. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      server: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    workloads: positionals,
    rounds: values.profile ? 1 : readNumber('--rounds', values.rounds, 100),
    seconds: readNumber('--seconds', values.seconds, 600),
    json: values.json,
    profile: values.profile,
    server: values.server === undefined ? undefined : pathToFileURL(resolve(values.server)),
  };
}

function readNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new RangeError(`${name} is ${JSON.stringify(text)}; give a whole number from 1 to ${max}`);
}
