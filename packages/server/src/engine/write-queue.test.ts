import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { suite, test } from 'node:test';
import { account, create, documentSid, putService, service, update, bySid } from '../../test/commands.ts';
import { GatedStorage } from '../../test/gated-storage.ts';
import { TimerClock } from '../../test/timer-clock.ts';
import type { Command } from '../core/command.ts';
import { openMemory } from '../storage/memory.ts';
import { NotApplied, OutcomeUnknown } from '../storage/storage.ts';
import { WriteQueue } from './write-queue.ts';
import type { CommitListener, Settled, WriteQueueOptions } from './write-queue.ts';

suite('[WRI1] group commit', () => {
  test('[WRI1] what comes in one turn is one commit, in order', async () => {
    const { submit, settle, storage } = await make();
    const settled = [submit(create(1)), submit(create(2)), submit(update(bySid(1), { data: '{"a":1}' }))];
    assert.equal(storage.commits.length, 0, 'the turn is not over');
    await settle();
    assert.deepEqual(batches(storage), [3]);
    assert.equal(storage.commits[0]?.[2]?.type, 'updateDocument');
    assert.ok(settled.every((one) => isAccepted(one())));
  });

  test('[WRI1] what comes during a commit forms the next one; one is under way', async () => {
    const { submit, settle, storage } = await make();
    storage.commitGate.shut();
    submit(create(1));
    await settle();
    const later = [submit(create(2)), submit(create(3))];
    await settle();
    assert.deepEqual(batches(storage), [1], 'the second commit waits for the first');
    storage.commitGate.letOne();
    await settle();
    assert.deepEqual(batches(storage), [1, 2]);
    assert.ok(later.every((one) => one() === undefined));
    storage.commitGate.open();
    await settle();
    assert.ok(later.every((one) => isAccepted(one())));
    assert.deepEqual(batches(storage), [1, 2]);
  });

  test('[WRI1] a commit takes at most the given number of commands', async () => {
    const { submit, settle, storage } = await make({ bound: Infinity, batch: 2 });
    for (let i = 1; i <= 5; i++) submit(create(i));
    await settle();
    assert.deepEqual(batches(storage), [2, 2, 1]);
  });

  test('[WRI1] refused commands do not hinder the others of their batch', async () => {
    const { submit, settle, published } = await make();
    const refused = submit(update(bySid(9), { data: '{}' }));
    const accepted = submit(create(1));
    await settle();
    assert.deepEqual(refused(), { refused: 54100 });
    assert.ok(isAccepted(accepted()));
    assert.deepEqual(published, [`${documentSid(1)} 0`]);
  });
});

suite('[WRI2] the bound', () => {
  test('[WRI2] beyond it a write is refused at once, and storage never sees it', async () => {
    const { queue, submit, settle, storage } = await make({ bound: 2, batch: 10 });
    storage.commitGate.shut();
    submit(create(1));
    await settle();
    assert.equal(queue.takesWrites, true);
    const waiting = [submit(create(2)), submit(create(3))];
    assert.equal(queue.takesWrites, false);
    const refused = submit(create(4));
    assert.deepEqual(refused(), { refused: 20503 });
    storage.commitGate.open();
    await settle();
    assert.ok(waiting.every((one) => isAccepted(one())));
    assert.equal(queue.takesWrites, true);
    const [found] = await storage.read([{ query: 'document', ref: bySid(4) }]);
    assert.equal(found, undefined);
  });
});

suite('[WRI4] failing commits', () => {
  test('[WRI4] a commit that was not applied is refused as such; the next one heals the queue', async () => {
    const { queue, submit, settle, storage, published, doubts } = await make();
    storage.commitError = new NotApplied('the disk is full');
    const refused = submit(create(1));
    await settle();
    assert.deepEqual(refused(), { refused: 20503 });
    assert.equal(queue.takesWrites, false);
    assert.deepEqual([published, doubts()], [[], 0]);
    storage.commitError = undefined;
    const again = submit(create(1));
    await settle();
    assert.ok(isAccepted(again()));
    assert.equal(queue.takesWrites, true);
  });

  for (const error of [new OutcomeUnknown('the thread died'), new Error('nobody thought of this one')]) {
    test(`[WRI4] after ${error.name} no write is told that it failed`, async () => {
      const { queue, submit, settle, storage, doubts } = await make();
      storage.errorAfterCommit = error;
      const settled = [submit(create(1)), submit(create(2))];
      await settle();
      assert.deepEqual(
        settled.map((one) => one()),
        ['unknown', 'unknown'],
      );
      assert.equal(queue.takesWrites, false);
      assert.equal(doubts(), 1, 'whoever follows an object has to read it again');
    });
  }
});

test('[EVT3] every writer of a batch has its answer before anybody hears of an event', async () => {
  const order: string[] = [];
  const { queue, settle } = await make(undefined, (event) => order.push(`event ${event.object}`));
  for (const n of [1, 2]) queue.submit(create(n), () => order.push(`answer ${documentSid(n)}`));
  await settle();
  assert.deepEqual(
    order,
    [1, 2].map((n) => `answer ${documentSid(n)}`).concat([1, 2].map((n) => `event ${documentSid(n)}`)),
  );
});

test('[OPS3] idle waits for what is under way and for what waits behind it', async () => {
  const { queue, submit, settle, storage } = await make();
  await queue.idle();
  storage.commitGate.shut();
  submit(create(1));
  await settle();
  const last = submit(create(2));
  let isIdle = false;
  void queue.idle().then(() => {
    isIdle = true;
  });
  storage.commitGate.letOne();
  await settle();
  assert.equal(isIdle, false);
  storage.commitGate.open();
  await settle();
  assert.equal(isIdle, true);
  assert.ok(isAccepted(last()));
});

interface Made {
  readonly queue: WriteQueue;
  readonly storage: GatedStorage;
  /** What was published, as sid and event id. */
  readonly published: readonly string[];
  /** How often the queue said that nobody knows what was committed. */
  readonly doubts: () => number;
  /** Submits a write; the returned function tells what it was settled with, if it was. */
  readonly submit: (command: Command) => () => Settled | undefined;
  readonly settle: () => Promise<void>;
}

async function make(
  options: WriteQueueOptions = { bound: Infinity, batch: 1024 },
  committed?: CommitListener['committed'],
): Promise<Made> {
  const clock = new TimerClock();
  const storage = new GatedStorage(openMemory({ epoch: 'test', now: clock.now }));
  await storage.commit(0, [{ type: 'putAccount', sid: account, authToken: 'x' }, putService(service, 'default')]);
  storage.commits.length = 0;
  const published: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  let doubts = 0;
  const queue = new WriteQueue(storage, clock, log, options, {
    committed: committed ?? ((event) => published.push(`${event.object} ${event.id}`)),
    inDoubt: () => doubts++,
  });
  return {
    queue,
    storage,
    published,
    doubts: () => doubts,
    submit(command) {
      let settled: Settled | undefined;
      queue.submit(command, (outcome) => {
        assert.equal(settled, undefined, 'a write is settled once');
        settled = outcome;
      });
      return () => settled;
    },
    async settle() {
      clock.endTurn();
      await setImmediate();
    },
  };
}

function batches(storage: GatedStorage): readonly number[] {
  return storage.commits.map((batch) => batch.length);
}

function isAccepted(settled: Settled | undefined): boolean {
  return typeof settled === 'object' && 'events' in settled;
}
