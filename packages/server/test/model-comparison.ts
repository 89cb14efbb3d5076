/**
 * Random batches, steps of the clock and restarts, given to the memory engine and to another storage: both must answer
 * alike, always. A failure names its seed and path; run again with TEST_SEED and TEST_PATH set to them.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Command } from '../src/core/command.ts';
import type { Instant, ObjectRef, Sid } from '../src/core/object.ts';
import { openMemory } from '../src/storage/memory.ts';
import type { Query, Storage } from '../src/storage/storage.ts';
import {
  account,
  create,
  documentSid,
  expire,
  keySid,
  missingService,
  otherService,
  putKey,
  putService,
  remove,
  service,
  update,
} from './commands.ts';
import { TestClock } from './test-clock.ts';

export interface Compared {
  readonly storage: Storage;
  /** Work that an engine does in the background, to its end; must not be visible. */
  idle?(): void;
  /** Stop and start; must not be visible either. */
  restart?(): void;
  end(): Promise<void>;
}

type Step =
  | { readonly step: 'batch'; readonly batch: readonly Command[] }
  | { readonly step: 'wait'; readonly milliseconds: number }
  | { readonly step: 'sweep'; readonly limit: number }
  | { readonly step: 'idle' }
  | { readonly step: 'restart' };

/** Documents made in one run are few, so that commands meet each other. */
const documents = 6;
const names = ['a', 'b'] as const;

const services = fc.constantFrom(service, service, service, otherService, missingService);
const ttls = fc.constantFrom(0, 1, 2, 5);
const data = fc.nat({ max: 9 }).map((n) => `{"n":${n}.0}`);
const refs: fc.Arbitrary<ObjectRef> = fc.oneof(
  fc.record({
    service: services,
    kind: fc.constant('document' as const),
    by: fc.constant('sid' as const),
    value: fc.oneof(fc.nat({ max: documents }).map(documentSid), fc.constantFrom(service, keySid(1))),
  }),
  fc.record({
    service: services,
    kind: fc.constant('document' as const),
    by: fc.constant('name' as const),
    value: fc.constantFrom(...names),
  }),
);

/** A creation gets its sid when it is played, so that none comes twice. */
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ service: services, uniqueName: fc.constantFrom(null, ...names), data, ttl: ttls })
      .map((more) => create(0, more)),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({
        ref: refs,
        data: fc.option(data, { nil: undefined }),
        ttl: fc.option(ttls, { nil: undefined }),
        ifMatch: fc.constantFrom(undefined, undefined, '0', '1', '2', 'no revision'),
      })
      .map(({ ref, ...more }) => update(ref, more)),
  },
  { weight: 3, arbitrary: refs.map(remove) },
  { weight: 1, arbitrary: fc.nat({ max: documents }).map(expire) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Command>(
      { type: 'putAccount', sid: account, authToken: 'one' },
      { type: 'putAccount', sid: `AC${'b'.repeat(32)}`, authToken: 'two' },
      putService(missingService, 'late'),
      putKey(1, 'first'),
      putKey(1, 'second'),
      { type: 'revokeKey', sid: keySid(1) },
    ),
  },
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      step: fc.constant('batch' as const),
      batch: fc.array(commands, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ step: fc.constant('wait' as const), milliseconds: fc.constantFrom(1, 999, 1000, 2000) }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('sweep' as const), limit: fc.constantFrom(1, 10) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ step: 'idle' }, { step: 'restart' }) },
);

/** What to run again, as a failure has told it; else a fresh seed, any history. */
function fromEnvironment(): fc.Parameters<unknown> {
  const { TEST_SEED: seed, TEST_PATH: path } = process.env;
  return { ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) };
}

/** Throws at the first difference, shrunk to a short history. `open` gives an empty storage each time. */
export async function compareWithModel(
  open: (now: () => Instant) => Promise<Compared>,
  parameters: fc.Parameters<unknown>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25, size: 'max' }), async (history) => {
      const clock = new TestClock();
      const model = openMemory({ epoch: 'model', now: clock.now });
      const real = await open(clock.now);
      try {
        await replay(history, clock, model, real);
      } finally {
        await real.end();
      }
    }),
    { ...fromEnvironment(), ...parameters },
  );
}

async function replay(history: readonly Step[], clock: TestClock, model: Storage, real: Compared): Promise<void> {
  let made = 0;
  const both = async (batch: readonly Command[]): Promise<void> => {
    assert.deepEqual(await real.storage.commit(0, batch), await model.commit(0, batch));
  };
  await both([putService(service, 'default'), putService(otherService)]);
  for (const step of history) {
    switch (step.step) {
      case 'batch':
        await both(
          step.batch.map((command) =>
            command.type === 'createDocument' ? { ...command, sid: documentSid(++made) } : command,
          ),
        );
        break;
      case 'wait':
        clock.advance(step.milliseconds);
        break;
      case 'sweep': {
        const [due] = await model.read([{ query: 'due', limit: step.limit }]);
        await both(due.map((sid) => ({ type: 'expireObject', sid })));
        break;
      }
      case 'idle':
        real.idle?.();
        break;
      case 'restart':
        real.restart?.();
    }
    assert.deepEqual(await everything(real.storage, made), await everything(model, made));
  }
}

async function everything(storage: Storage, made: number): Promise<unknown> {
  const queries: Query[] = [
    { query: 'due', limit: 2 },
    { query: 'due', limit: 100 },
  ];
  for (const owner of [service, otherService]) {
    for (const name of names)
      queries.push({ query: 'document', ref: { service: owner, kind: 'document', by: 'name', value: name } });
    for (let n = 1; n <= made; n++) {
      const sid = documentSid(n);
      queries.push({ query: 'document', ref: { service: owner, kind: 'document', by: 'sid', value: sid } });
      for (const after of [null, 0, 1]) queries.push({ query: 'changes', service: owner, object: sid, after });
    }
  }
  const [directory] = await storage.read([{ query: 'directory' }]);
  // A directory has no order.
  const sorted = (rows: readonly { sid: Sid }[]): unknown => [...rows].sort((a, b) => (a.sid < b.sid ? -1 : 1));
  return {
    account: directory.account,
    services: sorted(directory.services),
    keys: sorted(directory.keys),
    answers: await storage.read(queries),
  };
}
