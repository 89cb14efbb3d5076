/**
 * Random batches, steps of the clock and restarts, given to the memory engine and to another storage: both must answer
 * alike, always. A failure names its seed and path; run again with TEST_SEED and TEST_PATH set to them.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Command } from '../src/core/command.ts';
import type { Instant, ItemKey, ObjectKind, ObjectRef, Sid } from '../src/core/object.ts';
import { openMemory } from '../src/storage/memory.ts';
import type { Query, Storage } from '../src/storage/storage.ts';
import {
  account,
  add,
  create,
  expireItem,
  keySid,
  markerLimits,
  missingService,
  otherService,
  publish,
  purge,
  push,
  put,
  putKey,
  putService,
  remove,
  removeItem,
  service,
  setTtl,
  sidOf,
  trim,
  update,
  updateItem,
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

/** Objects of each kind made in one run are few, so that commands meet each other. */
const objects = 3;
const kinds = ['document', 'list', 'map', 'stream'] as const;
const names = ['a', 'b'] as const;
const keys = ['a', 'b', 'ｆ', '😀'] as const;
const indexes = [0, 1, 2, 3] as const;

const services = fc.oneof(
  { weight: 8, arbitrary: fc.constant(service) },
  { weight: 1, arbitrary: fc.constantFrom(otherService, missingService) },
);
const ttls = fc.constantFrom(0, 1, 2, 5);
const data = fc.nat({ max: 9 }).map((n) => `{"n":${n}.0}`);
const maybeTtl = fc.option(ttls, { nil: undefined });
/** Hex as in a revision. */
const revisions = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom('0', '1', '2', '3', '5', 'no revision') },
);

/** Mostly an object that may be there; now and then one of another kind, or no object at all. */
function refsTo(kind: ObjectKind): fc.Arbitrary<ObjectRef> {
  const sids = fc.oneof(
    { weight: 5, arbitrary: fc.constant(sidOf(kind, 1)) },
    { weight: 3, arbitrary: fc.integer({ min: 2, max: objects }).map((n) => sidOf(kind, n)) },
    { weight: 1, arbitrary: fc.constantFrom(service, keySid(1), ...kinds.map((other) => sidOf(other, 1))) },
  );
  const of = { service: services, kind: fc.constant(kind) };
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ ...of, by: fc.constant('sid' as const), value: sids }) },
    {
      weight: 1,
      arbitrary: fc.record({ ...of, by: fc.constant('name' as const), value: fc.constantFrom(...names) }),
    },
  );
}

const [documents, lists, maps, streams] = [refsTo('document'), refsTo('list'), refsTo('map'), refsTo('stream')];
const anything = fc.oneof(documents, lists, maps, streams);
/** A list with an index or a map with a key. */
const places = fc.oneof(
  fc.tuple(lists, fc.constantFrom<ItemKey>(...indexes)),
  fc.tuple(maps, fc.constantFrom<ItemKey>(...keys)),
);
const rarely = fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: ttls });

/** A creation gets its sid when it is played, so that none comes twice. */
const creations = fc
  .record({
    service: services,
    kind: fc.constantFrom(...kinds),
    uniqueName: fc.constantFrom(null, ...names),
    data,
    ttl: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: ttls }),
  })
  .map((more) => create(0, { ...more, data: more.kind === 'document' ? more.data : undefined }));

const itemCommands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(lists, fc.record({ data, ttl: maybeTtl, collectionTtl: rarely }))
      .map(([ref, more]) => push(ref, more)),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        maps,
        fc.constantFrom(...keys),
        fc.record({ data, ttl: maybeTtl, ifMatch: fc.oneof(fc.constant(null), revisions), collectionTtl: rarely }),
      )
      .map(([ref, key, more]) => put(ref, key, more)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(maps, fc.constantFrom(...keys), data).map(([ref, key, text]) => add(ref, key, { data: text })),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        places,
        fc.record({
          data: fc.option(data, { nil: undefined }),
          ttl: maybeTtl,
          ifMatch: revisions,
          collectionTtl: rarely,
        }),
      )
      .map(([[ref, key], more]) => updateItem(ref, key, more)),
  },
  { weight: 5, arbitrary: fc.tuple(places, revisions).map(([[ref, key], ifMatch]) => removeItem(ref, key, ifMatch)) },
  { weight: 1, arbitrary: places.map(([ref, key]) => expireItem(ref.value, key)) },
);

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: creations },
  {
    weight: 7,
    arbitrary: fc
      .record({ ref: documents, data: fc.option(data, { nil: undefined }), ttl: maybeTtl, ifMatch: revisions })
      .map(({ ref, ...more }) => update(ref, more)),
  },
  { weight: 20, arbitrary: itemCommands },
  { weight: 2, arbitrary: fc.tuple(streams, data).map(([ref, text]) => publish(ref, 1, text)) },
  { weight: 3, arbitrary: anything.map(remove) },
  { weight: 2, arbitrary: fc.tuple(anything, ttls).map(([ref, ttl]) => setTtl(ref, ttl)) },
  { weight: 1, arbitrary: anything.map((ref): Command => ({ type: 'expireObject', sid: ref.value })) },
  { weight: 1, arbitrary: fc.tuple(places, fc.nat({ max: 3 })).map(([[ref], limit]) => purge(ref.value, limit)) },
  { weight: 1, arbitrary: fc.tuple(places, fc.nat({ max: 9 })).map(([[ref], upTo]) => trim(ref.value, upTo)) },
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
    arbitrary: fc.record({
      step: fc.constant('wait' as const),
      milliseconds: fc.constantFrom(1, 999, 1000, 2000, 60_000),
    }),
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
      const model = openMemory({ epoch: 'model', now: clock.now, markers: markerLimits });
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
  const made = { document: 0, list: 0, map: 0, stream: 0 };
  const both = async (batch: readonly Command[]): Promise<void> => {
    assert.deepEqual(await real.storage.commit(0, batch), await model.commit(0, batch));
  };
  const withSid = (command: Command): Command =>
    command.type === 'createObject' ? { ...command, sid: sidOf(command.kind, ++made[command.kind]) } : command;
  await both([putService(service, 'default'), putService(otherService)]);
  // Something to begin with: histories are too short to get far with items else.
  await both(kinds.map((kind) => withSid(create(0, { kind, data: kind === 'document' ? '{}' : undefined }))));
  for (const step of history) {
    switch (step.step) {
      case 'batch':
        await both(step.batch.map(withSid));
        break;
      case 'wait':
        clock.advance(step.milliseconds);
        break;
      case 'sweep': {
        const [due] = await model.read([{ query: 'due', limit: step.limit }]);
        await both(due);
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

/** Bounds that are met: by number, and by bytes. */
const [few, small] = [
  { count: 2, bytes: 1_000 },
  { count: 9, bytes: 20 },
] as const;

async function everything(storage: Storage, made: Readonly<Record<ObjectKind, number>>): Promise<unknown> {
  const queries: Query[] = [
    { query: 'due', limit: 2 },
    { query: 'due', limit: 100 },
  ];
  for (const owner of [service, otherService]) {
    for (const kind of kinds) {
      const of = { service: owner, kind } as const;
      for (const value of names) queries.push(...queriesAbout({ ...of, by: 'name', value }));
      for (let n = 1; n <= made[kind]; n++) {
        const value = sidOf(kind, n);
        queries.push(...queriesAbout({ ...of, by: 'sid', value }));
        for (const after of [null, 0, 1, 3]) queries.push({ query: 'changes', service: owner, object: value, after });
        for (const most of [few, small])
          queries.push({ query: 'changes', service: owner, object: value, after: 1, most });
      }
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

function queriesAbout(ref: ObjectRef): readonly Query[] {
  const object: Query = { query: 'object', ref };
  if (ref.kind === 'document') return [object, { query: 'document', ref }];
  if (ref.kind === 'stream') return [object];
  const key = ref.kind === 'list' ? 1 : 'b';
  const page = { query: 'items', ref } as const;
  return [
    object,
    { query: 'item', ref, key },
    { ...page, order: 'asc', from: undefined, most: { count: 100, bytes: 10_000 } },
    { ...page, order: 'desc', from: undefined, most: few },
    { ...page, order: 'asc', from: { key, inclusive: true }, most: small },
    { ...page, order: 'desc', from: { key, inclusive: false }, most: few },
  ];
}
