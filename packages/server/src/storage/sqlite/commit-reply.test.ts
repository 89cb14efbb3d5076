import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bySid, create, update } from '../../../test/commands.ts';
import type { Command } from '../../core/command.ts';
import { NotApplied, OutcomeUnknown } from '../storage.ts';
import type { Outcome } from '../storage.ts';
import { replyTo } from './commit-reply.ts';
import { packBatch, unpackOutcomes } from './packed.ts';

const batch: readonly Command[] = [create(1), update(bySid(1), { data: '{"n":1}' })];
const request = { batch: packBatch(batch), now: 7 };

test('[STO6] what was committed is told, outcome by outcome', () => {
  const outcomes: readonly Outcome[] = [{ refused: 54050 }, { object: undefined, item: undefined, events: [] }];
  const seen: unknown[] = [];
  const reply = replyTo(request, {
    commit(commands, now) {
      seen.push(commands, now);
      return outcomes;
    },
  });
  assert.deepEqual(seen, [batch, 7]);
  assert.ok('outcomes' in reply);
  assert.deepEqual(unpackOutcomes(reply.outcomes, batch), outcomes);
});

test('[STO6] only what says that nothing was changed is told as not applied', () => {
  const thrown: readonly (readonly [unknown, string, string])[] = [
    [new NotApplied('full'), 'notApplied', 'full'],
    [new OutcomeUnknown('the sync failed'), 'outcomeUnknown', 'the sync failed'],
    [new Error('nobody thought of this one'), 'outcomeUnknown', 'nobody thought of this one'],
    ['no error at all', 'outcomeUnknown', 'no error at all'],
  ];
  for (const [error, failed, reason] of thrown) {
    const commit = (): never => {
      throw error;
    };
    assert.deepEqual(replyTo(request, { commit }), { failed, reason });
  }
});

test('[STO6] a fault after the commit is not told as a failed commit', () => {
  const broken = {
    get events(): never {
      throw new Error('cannot be packed');
    },
  } as unknown as Outcome;
  let committed = 0;
  const reply = replyTo(request, {
    commit() {
      committed++;
      return [broken];
    },
  });
  assert.equal(committed, 1);
  assert.deepEqual(reply, { failed: 'outcomeUnknown', reason: 'cannot be packed' });
});
