import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventIds, openDoor } from '../../test/door-harness.ts';
import { NotApplied } from '../storage/storage.ts';

test('[TTL3] what has run out is removed, and its subscribers are told by one event', async () => {
  const h = await openDoor();
  const ann = await h.connect('ann');
  const ben = await h.connect('ben');
  const sid = await ann.create({ a: 1 }, { ttl: 5, unique_name: 'short' });
  await ann.follow(sid);
  await ben.follow(sid);
  await h.advance(4999);
  assert.deepEqual(eventIds([...ann.take(), ...ben.take()]), []);
  await h.advance(1001);
  assert.deepEqual(eventIds(ann.take()), ['removed 1']);
  assert.deepEqual(eventIds(ben.take()), ['removed 1']);
  await h.advance(5000);
  assert.deepEqual(eventIds([...ann.take(), ...ben.take()]), []);
  assert.equal(h.engine.hub.followedObjects, 0);
});

test('[TTL3] a sweep goes on in batches until nothing is due', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  for (let i = 0; i < 450; i++) ann.request('POST', '/v3/Documents', { data: {}, ttl: 1 });
  await h.settle();
  h.storage.commits.length = 0;
  await h.advance(1000);
  assert.deepEqual(
    h.storage.commits.map((batch) => batch.length),
    [200, 200, 50],
  );
});

test('[TTL3] a sweep that storage fails ends there; none is tried until storage is well', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  for (let i = 0; i < 450; i++) ann.request('POST', '/v3/Documents', { data: {}, ttl: 1 });
  await h.settle();
  h.storage.commits.length = 0;
  h.storage.commitError = new NotApplied('the disk is full');
  await h.advance(1000);
  assert.deepEqual(
    h.storage.commits.map((batch) => [batch[0]?.type, batch.length]),
    [['expireObject', 200]],
  );
  h.storage.reads.length = 0;
  for (let i = 0; i < 5; i++) await h.advance(1000);
  assert.deepEqual(h.storage.reads, [], 'what is due is not asked for in vain');
  h.storage.commitError = undefined;
  for (let i = 0; i < 2; i++) await h.advance(1000);
  const [due] = await h.storage.read([{ query: 'due', limit: 10 }]);
  assert.deepEqual(due, []);
});

test('[TTL3] a sweep that cannot read is tried again', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  await ann.create({}, { ttl: 1 });
  h.storage.readError = new Error('no reader');
  await h.advance(1000);
  h.storage.readError = undefined;
  await h.advance(1000);
  const [due] = await h.storage.read([{ query: 'due', limit: 10 }]);
  assert.deepEqual(due, []);
});

test('[OPS3] after the stop of the engine nothing is swept and no timer of it is left', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  await ann.create({}, { ttl: 1 });
  ann.connection.drop();
  await h.engine.stop();
  assert.equal(h.clock.pending, 0);
});

test('[OPS1] storage that failed is tried again by itself, and readiness comes back without a write', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  h.storage.commitError = new NotApplied('the disk is full');
  ann.request('POST', '/v3/Documents', { data: {} });
  await h.settle();
  assert.equal(h.engine.takesWrites, false);
  await h.advance(1000);
  assert.equal(h.engine.takesWrites, false);
  h.storage.commitError = undefined;
  await h.advance(1000);
  assert.equal(h.engine.takesWrites, true);
});
