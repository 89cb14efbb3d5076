/** The whole engine with its door on a store that does not answer, where the test moves the time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIds, openDoor } from '../door-harness.ts';

const commitTimeoutMs = 10_000;

test('[WRI6] [WRI4] [OPS6] a store that gets stuck: who wrote is dropped, who waits is refused, who reads and follows goes on', async () => {
  const h = await openDoor({ commitTimeoutMs });
  const [ann, ben, cem] = [await h.connect('ann'), await h.connect('ben'), await h.connect('cem')];
  const sid = await ann.create({ n: 0 });
  const path = `/v3/Documents/${sid}`;
  await cem.follow(sid);
  h.storage.commitGate.shut();
  const underWay = ann.request('POST', path, { data: { n: 1 } });
  await h.settle();
  const behind = ben.request('POST', path, { data: { n: 2 } });
  await h.advance(commitTimeoutMs - 1);
  assert.equal(h.engine.takesWrites, true);
  await h.advance(1);

  assert.equal(h.engine.takesWrites, false);
  assert.deepEqual([ann.link.isDropped, ann.replyTo(underWay)], [true, undefined]);
  assert.equal(ben.answerTo(behind).status, 503);
  assert.deepEqual([ben.link.isOpen, cem.link.isOpen], [true, true]);
  const refused = await ben.call('POST', path, { data: { n: 3 } });
  assert.deepEqual([refused.status, refused.body['code']], [503, 20503]);
  assert.deepEqual((await ben.call('GET', path)).body['data'], { n: 0 });
  // Who comes back meanwhile reads the state before the commit, and hears of it like the others.
  const back = await h.connect('ann');
  back.subscribe([{ object_sid: sid, last_event_id: 0 }]);
  await h.settle();
  assert.deepEqual(eventIds([...cem.take(), ...back.take()]), []);

  h.storage.commitGate.open();
  await h.settle();
  assert.deepEqual([eventIds(cem.take()), eventIds(back.take())], [[1], [1]]);
  assert.equal(h.engine.takesWrites, true);
  await ben.write(sid, { n: 4 });
  assert.deepEqual(eventIds(cem.take()), [2]);
});

test('[WRI5] [OPS6] a store that failed with an unknown outcome: all are dropped once, and come back while it goes on failing', async () => {
  const h = await openDoor({ commitTimeoutMs });
  const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
  const sid = await ann.create({ n: 0 });
  const error = new Error('the sync failed');
  h.storage.errorAfterCommit = error;
  ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 1 } });
  await h.settle();
  assert.deepEqual([ann.link.isDropped, ben.link.isDropped], [true, true]);
  h.storage.commitError = error;
  const back = await h.connect('ben');
  await back.follow(sid);
  for (let second = 0; second < 5; second++) await h.advance(1000);
  assert.deepEqual((await back.call('GET', `/v3/Documents/${sid}`)).body['data'], { n: 1 });
  assert.equal((await back.call('POST', `/v3/Documents/${sid}`, { data: { n: 2 } })).status, 503);
  h.storage.commitError = undefined;
  await h.advance(1000);
  await back.write(sid, { n: 3 });
  assert.deepEqual(eventIds(back.take()), [2]);
  assert.equal(back.link.isOpen, true);
});
