/** The simulation sees what it is there to see: each deliberate fault breaks a promise within a few seeds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../src/core/command.ts';
import type { ObjectRow } from '../../src/core/object.ts';
import type { Outcome, Storage } from '../../src/storage/storage.ts';
import { simulate } from './simulation.ts';
import type { Faults } from './simulation.ts';

const seeds = [1, 2, 3, 4];
/** A fault strikes every so many times, so that the run still gets somewhere. */
const often = 5;

interface Fault {
  readonly what: string;
  /** The promise that must be seen broken. */
  readonly breaks: RegExp;
  readonly faults: () => Faults;
}

function every(times: number): () => boolean {
  let count = 0;
  return () => ++count % times === 0;
}

function withOutcomes(change: (outcomes: readonly Outcome[], batch: readonly Command[]) => readonly Outcome[]): Faults {
  return {
    storage: (storage) => ({
      ...storage,
      commit: async (lane, batch) => change(await storage.commit(lane, batch), batch),
    }),
  };
}

function withBatch(change: (batch: readonly Command[]) => readonly Command[]): Faults {
  return { storage: (storage) => ({ ...storage, commit: (lane, batch) => storage.commit(lane, change(batch)) }) };
}

/** Answers about subscriptions come from the state before the last commit. */
function withStaleReads(storage: Storage): Storage {
  const before = new Map<string, unknown>();
  return {
    ...storage,
    async read(queries) {
      const answers = await storage.read(queries);
      return queries.map((query, i) => {
        if (query.query !== 'changes') return answers[i];
        const stale = before.get(query.object) ?? answers[i];
        before.set(query.object, answers[i]);
        return stale;
      }) as unknown as typeof answers;
    },
  };
}

const faults: readonly Fault[] = [
  {
    what: 'an event is not published',
    breaks: /SUB7/,
    faults: () => {
      // Most are covered by a later event or a reconnect, so only many show.
      const strikes = every(2);
      return { bus: (bus) => ({ ...bus, publish: (event) => (strikes() ? undefined : bus.publish(event)) }) };
    },
  },
  {
    what: 'a notification comes twice',
    breaks: /EVT2/,
    faults: () => ({ down: (bytes) => (bytes.includes('cds.document') ? [bytes, bytes] : [bytes]) }),
  },
  {
    what: 'a notification overtakes the one before it',
    breaks: /EVT2|EVT3/,
    faults: () => {
      let kept: Buffer | undefined;
      return {
        down: (bytes) => {
          if (!bytes.includes('cds.document')) return [bytes];
          const pair = kept === undefined ? [] : [bytes, kept];
          kept = kept === undefined ? bytes : undefined;
          return pair;
        },
      };
    },
  },
  { what: 'a subscription reads too early', breaks: /SUB7/, faults: () => ({ storage: withStaleReads }) },
  {
    what: 'a repeated write is a new one',
    breaks: /WRI3/,
    faults: () => ({ up: (bytes) => Buffer.from(bytes.toString().replace('Twilio-Request-Id', 'Twilio-Request-Ix')) }),
  },
  {
    what: 'a write is acknowledged and not stored',
    breaks: /STO1/,
    faults: () => {
      const strikes = every(often);
      let lost: Outcome | undefined;
      return withOutcomes((outcomes) =>
        outcomes.map((outcome) => {
          if ('refused' in outcome && outcome.refused === 54103 && lost !== undefined && strikes()) return lost;
          if (!('refused' in outcome) && outcome.events.length === 1) lost = outcome;
          return outcome;
        }),
      );
    },
  },
  {
    what: 'a write whose condition fails is told as done',
    breaks: /STO1/,
    faults: () => {
      // The answer shows the object as it stood last.
      const rows = new Map<string, ObjectRow>();
      return withOutcomes((outcomes, batch) =>
        outcomes.map((outcome, i) => {
          const command = batch[i];
          if (!('refused' in outcome)) {
            if (outcome.object !== undefined) rows.set(outcome.object.sid, outcome.object);
            return outcome;
          }
          const object = command?.type === 'updateDocument' ? rows.get(command.ref.value) : undefined;
          return outcome.refused === 54103 && object !== undefined ? { object, item: undefined, events: [] } : outcome;
        }),
      );
    },
  },
  {
    what: 'the end of a token comes late',
    breaks: /TLC4/,
    faults: () => ({
      clock: (clock) => ({ ...clock, now: () => clock.now() - 3_000, after: clock.after.bind(clock) }),
    }),
  },
  {
    what: 'a write is stored and refused',
    breaks: /WRI2/,
    faults: () => {
      const strikes = every(often);
      return withOutcomes((outcomes) =>
        outcomes.map((outcome) => (!('refused' in outcome) && strikes() ? { refused: 20503 } : outcome)),
      );
    },
  },
  {
    what: 'a write is applied twice',
    breaks: /WRI3|EVT1|SUB7/,
    faults: () => withBatch((batch) => batch.flatMap((command) => [command, command]).slice(0, batch.length)),
  },
];

for (const { what, breaks, faults: make } of faults) {
  test(`[SUB7, WRI3, EVT2, TLC4] the simulation notices when ${what}`, async () => {
    for (const seed of seeds) {
      const { violations } = await simulate(seed, make());
      if (violations.some((violation) => breaks.test(violation))) return;
    }
    assert.fail(`nothing was noticed in seeds ${seeds.join(', ')}`);
  });
}
