/** What a workload is, and how it is run: subjects take turns, each in fresh processes, so that noise hits all alike. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.ts';
import type { RemoteGenerator } from './generator.ts';
import { measure } from './measure.ts';
import type { Measurement } from './measure.ts';

/** The processes of one subject in one round. */
export interface Scene {
  readonly server: Child | undefined;
  readonly generator: RemoteGenerator<unknown>;
}

/** What a subject may use for one round. */
export interface Stage {
  /** An empty directory on disk, removed afterwards. */
  readonly directory: string;
  /** Instead of this checkout's server. */
  readonly program: URL | undefined;
  readonly profileDirectory: string | undefined;
  /** Every child that was started, so that it is ended whatever happens. */
  readonly children: Child[];
}

export interface Subject {
  readonly name: string;
  /** Starts the processes and opens all connections. */
  set(stage: Stage): Promise<Scene>;
}

interface Case {
  readonly name: string;
  readonly inFlight: number;
}

export interface Comparison {
  readonly case: string;
  readonly subject: string;
  readonly bound: string;
  /** The least ratio that is acceptable for a start; undefined where the bound is there for orientation. */
  readonly target: { readonly ratio: number; readonly note?: string } | undefined;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** What is counted, as in "acknowledged updates/s". */
  readonly unit: string;
  /** What the latencies are of. */
  readonly latencyOf: string;
  readonly subjects: readonly Subject[];
  readonly cases: readonly Case[];
  readonly comparisons: readonly Comparison[];
}

export interface Round {
  readonly round: number;
  readonly subject: string;
  readonly case: string;
  readonly measurement: Measurement;
}

export interface RunOptions {
  readonly rounds: number;
  /** Of each measured window. */
  readonly seconds: number;
  readonly program: URL | undefined;
  readonly profileDirectory: string | undefined;
  /** Ends the run early, with everything cleared up. */
  readonly signal: AbortSignal;
}

/** Runs all rounds; rejects, with everything ended, as soon as one fails. */
export async function runWorkload(
  workload: Workload,
  options: RunOptions,
  onRound: (round: Round) => void,
): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const subject of workload.subjects) {
      await onStage(options, async (stage) => {
        const scene = await subject.set(stage);
        for (const { name, inFlight } of workload.cases) {
          const measurement = await measure(scene.generator, scene.server, { ...options, inFlight });
          rounds.push({ round, subject: subject.name, case: name, measurement });
          onRound({ round, subject: subject.name, case: name, measurement });
        }
      });
    }
  }
  return rounds;
}

async function onStage(options: RunOptions, act: (stage: Stage) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tallystick-bench-'));
  const children: Child[] = [];
  try {
    await act({ directory, children, program: options.program, profileDirectory: options.profileDirectory });
  } finally {
    // The load first: a server that still has connections has to end them.
    for (const child of children.toReversed()) await child.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
