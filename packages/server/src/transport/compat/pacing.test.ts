import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDoor } from '../../../test/door-harness.ts';

const large = { text: 'x'.repeat(16_000) };

test('[BND3] a client that pipelines more answers than may wait for it is slowed down, not cut', async () => {
  const h = await openDoor({ outboxBytes: 1_048_576 });
  const ann = await h.connect();
  const sids: string[] = [];
  for (let i = 0; i < 140; i++) sids.push(await ann.create(large));
  // The kernel takes nothing within one turn.
  ann.link.isReading = false;
  const ids = sids.map((sid) => ann.request('GET', `/v3/Documents/${sid}`));
  for (let i = 0; i < 10; i++) {
    await h.settle();
    ann.link.buffered = 0;
    ann.connection.drained();
  }
  assert.equal(ann.link.isDropped, false);
  for (const id of ids) assert.equal(ann.answerTo(id).status, 200);
});

test('[BND3] no more than 32 requests are under way at once; the rest waits unread and follows in order', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  h.storage.commits.length = 0;
  h.storage.commitGate.shut();
  const ids = Array.from({ length: 100 }, () => ann.request('POST', '/v3/Documents', { data: {} }));
  await h.settle();
  assert.equal(ann.link.isPaused, true);
  h.storage.commitGate.open();
  await h.settle();
  assert.deepEqual(
    h.storage.commits.map((batch) => batch.length),
    [32, 32, 32, 4],
  );
  assert.equal(ann.link.isPaused, false);
  for (const id of ids) assert.equal(ann.answerTo(id).status, 201);
});

test('[BND3] a client that has not read its answers is not read either', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  const sid = await ann.create(large);
  ann.link.buffered = 100_000;
  const id = ann.request('GET', `/v3/Documents/${sid}`);
  await h.settle();
  assert.equal(ann.link.isPaused, true);
  assert.equal(h.storage.reads.length, 0);
  ann.link.buffered = 0;
  ann.connection.drained();
  await h.settle();
  assert.equal(ann.link.isPaused, false);
  assert.equal(ann.answerTo(id).status, 200);
});

test('[BND3, CON6] a drain answers what was read and waits', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  h.storage.commitGate.shut();
  const ids = Array.from({ length: 40 }, () => ann.request('POST', '/v3/Documents', { data: {} }));
  await h.settle();
  const drained = h.door.drain();
  h.storage.commitGate.open();
  await h.settle();
  await drained;
  for (const id of ids) assert.equal(ann.answerTo(id).status, 201);
  assert.equal(ann.link.closedWith?.code, 1012);
});
