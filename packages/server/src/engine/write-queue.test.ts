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
    const { submit, settle, storage } = await make({ bound: Infinity, batch: 2, commitTimeoutMs: Infinity });
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
    const { queue, submit, settle, storage } = await make({ bound: 2, batch: 10, commitTimeoutMs: Infinity });
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

suite('failing commits', () => {
  test('[WRI5] after a commit that was not applied nothing is taken until storage has taken a trial', async () => {
    const { queue, submit, settle, advance, storage, published, doubts } = await make();
    storage.commitError = new NotApplied('the disk is full');
    storage.commitGate.shut();
    const failed = submit(create(1));
    await settle();
    const behind = [submit(create(2)), submit(create(3))];
    storage.commitGate.open();
    await settle();
    assert.deepEqual([failed, ...behind].map(outcome), [refused, refused, refused]);
    assert.deepEqual(submit(create(4))(), refused);
    assert.deepEqual([queue.takesWrites, published, doubts()], [false, [], 0]);
    await advance(2000);
    assert.deepEqual(submit(create(4))(), refused);
    assert.deepEqual(
      storage.commits.map((batch) => batch.map(({ type }) => type)),
      [['createObject'], ['probe'], ['probe'], ['probe'], ['probe']],
      'what was refused was never handed to storage',
    );
    storage.commitError = undefined;
    await advance(500);
    assert.equal(queue.takesWrites, true);
    const again = submit(create(1));
    await settle();
    assert.ok(isAccepted(again()));
    await advance(5000);
    assert.equal(storage.commits.length, 7, 'storage that is well is not tried');
  });

  for (const error of [new OutcomeUnknown('the thread died'), new Error('nobody thought of this one')]) {
    test(`[WRI4] [WRI5] after ${error.name} no write is told that it failed, and whoever follows an object reads it again`, async () => {
      const { queue, submit, settle, advance, storage, doubts } = await make();
      storage.errorAfterCommit = error;
      const settled = [submit(create(1)), submit(create(2))];
      await settle();
      assert.deepEqual(settled.map(outcome), ['unknown', 'unknown']);
      assert.deepEqual([queue.takesWrites, doubts()], [false, 1]);
      storage.commitError = error;
      await advance(2000);
      assert.equal(doubts(), 1, 'a trial changes nothing that anybody could miss');
      storage.commitError = undefined;
      await advance(500);
      assert.equal(queue.takesWrites, true);
    });
  }

  test('[WRI5] who asks again from within the refusal is refused, not served in a loop', async () => {
    const { queue, settle, storage } = await make();
    storage.commitError = new NotApplied('the disk is full');
    const asked: Settled[] = [];
    queue.submit(create(1), (first) => {
      asked.push(first);
      queue.submit(create(1), (second) => asked.push(second));
    });
    await settle();
    assert.deepEqual(asked, [refused, refused]);
    assert.equal(storage.commits.length, 1);
  });
});

suite('a commit that does not come back', () => {
  /** One commit under way and one write behind it. */
  async function stuck(): Promise<
    Made & { readonly underWay: () => Settled | undefined; readonly behind: () => Settled | undefined }
  > {
    const made = await make({ bound: Infinity, batch: 1024, commitTimeoutMs: 1000 });
    made.storage.commitGate.shut();
    const underWay = made.submit(create(1));
    await made.settle();
    const behind = made.submit(create(2));
    return { ...made, underWay, behind };
  }

  test('[WRI6] is waited for no longer than the limit; its writes are unknown, those behind it refused', async () => {
    const { queue, submit, advance, storage, underWay, behind, doubts } = await stuck();
    await advance(999);
    assert.deepEqual([underWay(), behind(), queue.takesWrites], [undefined, undefined, true]);
    await advance(1);
    assert.deepEqual([underWay(), behind(), queue.takesWrites], ['unknown', refused, false]);
    assert.deepEqual(submit(create(3))(), refused);
    await advance(60_000);
    assert.equal(storage.commits.length, 1, 'one commit is under way, so nothing can be tried');
    assert.equal(doubts(), 0, 'its events can still come');
  });

  test('[WRI6] when it comes back its events are told, nobody is settled twice, and writes are taken', async () => {
    const { queue, submit, settle, advance, storage, published, late } = await stuck();
    await advance(1000);
    assert.deepEqual([published, late()], [[], 0]);
    storage.commitGate.open();
    await settle();
    assert.deepEqual([published, late()], [[`${documentSid(1)} 0`], 1]);
    assert.equal(queue.takesWrites, true);
    const next = submit(create(2));
    await settle();
    assert.ok(isAccepted(next()));
    assert.deepEqual(published, [`${documentSid(1)} 0`, `${documentSid(2)} 0`]);
  });

  test('[WRI6] when it fails at last nobody is settled twice, and storage is tried until it is well', async () => {
    for (const [error, doubted] of [
      [new NotApplied('full'), 0],
      [new OutcomeUnknown('gone'), 1],
    ] as const) {
      const { queue, submit, settle, advance, storage, published, doubts } = await stuck();
      await advance(1000);
      storage.commitError = error;
      storage.commitGate.open();
      await settle();
      assert.deepEqual([queue.takesWrites, published, doubts()], [false, [], doubted]);
      storage.commitError = undefined;
      await advance(500);
      assert.equal(queue.takesWrites, true);
      const next = submit(create(1));
      await settle();
      assert.ok(isAccepted(next()));
    }
  });

  test('[MET1] every commit is measured to its end, given up or not; trials are not', async () => {
    const { submit, settle, advance, storage, measured } = await stuck();
    await advance(1500);
    storage.commitError = new NotApplied('full');
    storage.commitGate.open();
    await settle();
    assert.deepEqual(measured, [['failed', 1500, 1]]);
    storage.commitError = undefined;
    await advance(500);
    submit(create(1));
    submit(create(2));
    await settle();
    assert.deepEqual(measured.slice(1), [['applied', 0, 2]]);
  });

  test('[WRI6] a trial that does not come back is waited for, and heals when it does', async () => {
    const { queue, advance, settle, storage, underWay } = await stuck();
    await advance(1000);
    storage.commitError = new NotApplied('full');
    storage.commitGate.letOne();
    await settle();
    await advance(500);
    assert.equal(storage.commits.length, 2, 'the trial is under way');
    await advance(10_000);
    assert.deepEqual([storage.commits.length, queue.takesWrites], [2, false]);
    storage.commitError = undefined;
    storage.commitGate.open();
    await settle();
    assert.deepEqual([queue.takesWrites, underWay()], [true, 'unknown']);
  });

  test('[WRI6] 0, read as Infinity, waits without end', async () => {
    const { submit, settle, advance, storage, clock } = await make();
    storage.commitGate.shut();
    const written = submit(create(1));
    await settle();
    await advance(60_000);
    assert.deepEqual([written(), clock.pending], [undefined, 0]);
    storage.commitGate.open();
    await settle();
    assert.ok(isAccepted(written()));
  });

  test('[WRI6] a commit in time leaves no timer behind, nor does one that fails', async () => {
    const { submit, settle, storage, queue, clock } = await make({ bound: 9, batch: 9, commitTimeoutMs: 1000 });
    submit(create(1));
    await settle();
    assert.equal(clock.pending, 0);
    storage.commitError = new NotApplied('full');
    submit(create(2));
    await settle();
    await queue.stop();
    assert.equal(clock.pending, 0);
  });
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

suite('stopping', () => {
  test('[OPS3] waits for what is under way and for what waits behind it, and takes nothing more', async () => {
    const { queue, submit, settle, storage } = await make();
    storage.commitGate.shut();
    submit(create(1));
    await settle();
    const last = submit(create(2));
    let isStopped = false;
    void queue.stop().then(() => {
      isStopped = true;
    });
    assert.deepEqual(submit(create(3))(), refused);
    storage.commitGate.letOne();
    await settle();
    assert.equal(isStopped, false);
    storage.commitGate.open();
    await settle();
    assert.equal(isStopped, true);
    assert.ok(isAccepted(last()));
    await queue.stop();
  });

  test('[OPS3] is done at once when nothing was ever under way', async () => {
    const { queue } = await make();
    await queue.stop();
  });

  test('[OPS3] does not wait for a commit that was given up, before or after', async () => {
    const { queue, submit, settle, advance, storage, clock } = await make({
      bound: 9,
      batch: 9,
      commitTimeoutMs: 1000,
    });
    storage.commitGate.shut();
    const written = submit(create(1));
    await settle();
    const stopped = queue.stop();
    await advance(1000);
    await stopped;
    await queue.stop();
    assert.equal(written(), 'unknown');
    storage.commitError = new NotApplied('full');
    storage.commitGate.open();
    await settle();
    assert.equal(clock.pending, 0, 'storage is not tried any more');
  });
});

const refused = { refused: 20503 };

interface Made {
  readonly queue: WriteQueue;
  readonly clock: TimerClock;
  readonly storage: GatedStorage;
  /** What was published, as sid and event id. */
  readonly published: readonly string[];
  /** How often the queue said that nobody knows what was committed. */
  readonly doubts: () => number;
  /** How often it said that a commit came after all. */
  readonly late: () => number;
  /** Result, milliseconds and commands of each commit. */
  readonly measured: readonly (readonly [string, number, number])[];
  /** Submits a write; the returned function tells what it was settled with, if it was. */
  readonly submit: (command: Command) => () => Settled | undefined;
  readonly settle: () => Promise<void>;
  /** Moves the clock and lets everything happen that follows, timer by timer. */
  readonly advance: (ms: number) => Promise<void>;
}

async function make(
  options: WriteQueueOptions = { bound: Infinity, batch: 1024, commitTimeoutMs: Infinity },
  committed?: CommitListener['committed'],
): Promise<Made> {
  const clock = new TimerClock();
  const storage = new GatedStorage(openMemory({ epoch: 'test', now: clock.now }));
  await storage.commit(0, [{ type: 'putAccount', sid: account, authToken: 'x' }, putService(service, 'default')]);
  storage.commits.length = 0;
  const published: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const measured: (readonly [string, number, number])[] = [];
  let [doubts, late] = [0, 0];
  const queue = new WriteQueue(storage, clock, log, options, {
    committed: committed ?? ((event) => published.push(`${event.object} ${event.id}`)),
    inDoubt: () => doubts++,
    cameLate: () => late++,
    measured: (result, milliseconds, commands) => void measured.push([result, milliseconds, commands]),
  });
  const settle = async (): Promise<void> => {
    clock.endTurn();
    await setImmediate();
  };
  return {
    queue,
    clock,
    storage,
    published,
    doubts: () => doubts,
    late: () => late,
    measured,
    submit(command) {
      let settled: Settled | undefined;
      queue.submit(command, (outcome) => {
        assert.equal(settled, undefined, 'a write is settled once');
        settled = outcome;
      });
      return () => settled;
    },
    settle,
    async advance(ms) {
      const step = 500;
      for (let left = ms; left > 0; left -= step) {
        clock.advance(Math.min(step, left));
        await settle();
      }
    },
  };
}

function batches(storage: GatedStorage): readonly number[] {
  return storage.commits.map((batch) => batch.length);
}

function outcome(settled: () => Settled | undefined): Settled | undefined {
  return settled();
}

function isAccepted(settled: Settled | undefined): boolean {
  return typeof settled === 'object' && 'events' in settled;
}
