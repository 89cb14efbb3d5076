/** The storage contract on message streams. */

import assert from 'node:assert/strict';
import { make, namedRef, publish, refOf, refusal, remove, service, setTtl, sidOf } from '../commands.ts';
import { caseList } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const streamCases: readonly ContractCase[] = cases;

const stream = refOf('stream', 1);

it('[STR1] a message needs its stream: 54250, by name 54300', async (world) => {
  assert.equal(await world.refused(publish(stream, 1)), 54250);
  assert.equal(await world.refused(publish(namedRef('stream', 'news'), 1)), 54300);
  await world.accept(make('stream', 1, { ttl: 1 }));
  await world.accept(publish(stream, 1));
  await world.accept(setTtl(stream, 2));
  world.clock.advance(1999);
  await world.accept(publish(stream, 2));
  world.clock.advance(1);
  assert.equal(await world.refused(publish(stream, 3)), 54250);
  assert.equal(await world.refused(setTtl(stream, 9)), 54250);
});

it('[STR2] a message is told once, in order with the removal, and leaves nothing', async (world) => {
  await world.accept(make('stream', 1, { uniqueName: 'news' }));
  const before = await world.object(stream);
  const outcomes = await world.commit(
    publish(stream, 1, '{"n":1}'),
    publish(namedRef('stream', 'news'), 2, '{"n":2}'),
    remove(stream),
    publish(stream, 3),
  );
  assert.deepEqual(outcomes.map(refusal), [undefined, undefined, undefined, 54250]);
  const events = outcomes.flatMap((outcome) => ('refused' in outcome ? [] : outcome.events));
  assert.deepEqual(
    events.map(({ type, id, data }) => [type, id, data]),
    [
      ['messagePublished', 0, '{"n":1}'],
      ['messagePublished', 0, '{"n":2}'],
      ['removed', 1, null],
    ],
  );
  assert.deepEqual(events[0], {
    type: 'messagePublished',
    kind: 'stream',
    service,
    object: sidOf('stream', 1),
    uniqueName: 'news',
    id: 0,
    at: world.clock.at,
    by: 'ann',
    expiresAt: null,
    data: '{"n":1}',
    item: { key: publish(stream, 1).sid },
  });
  assert.equal(before?.eventId, 0);
  assert.deepEqual(await world.due(10), []);
});

it('[STR3] to who comes later nothing of a stream is told again', async (world) => {
  await world.commit(make('stream', 1), publish(stream, 1));
  const changes = await world.missed(sidOf('stream', 1), 0);
  assert.deepEqual([changes.position, changes.events], [0, []]);
  assert.deepEqual((await world.missed(sidOf('stream', 1), 7)).events, []);
});
