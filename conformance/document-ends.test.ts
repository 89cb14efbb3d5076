/** Removing, expiring and closing documents, as applications see it through the official SDK. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient } from 'twilio-sync';
import { connectedClient, holds, refusal } from './harness/clients.ts';
import type { Updated } from './harness/clients.ts';
import { nextEvent, recorded, until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { shareDocument } from './harness/shared-document.ts';
import { startService } from './harness/service.ts';

const service = await startService({ SWEEP_INTERVAL_MS: '50' });

function client(t: TestContext, identity: string): Promise<SyncClient> {
  return connectedClient(t, service.socketUrl, identity);
}

suite('ends of documents', { concurrency: true }, () => {
  test('[DOC7] removing: one event on each side, then 404 for readers and writers', async (t) => {
    const { mine, theirs, ben } = await shareDocument(t, service.socketUrl, { n: 1 });
    const [local, remote] = [recorded(mine, 'removed'), recorded(theirs, 'removed')];
    const gone = nextEvent(theirs, 'removed');
    await mine.removeDocument();
    await gone;
    const again = await refusal(mine.set({ n: 2 }));
    assert.deepEqual([again.status, again.code], [404, 54100]);
    const { status } = await refusal(ben.document({ id: mine.sid, mode: 'open_existing' }));
    assert.equal(status, 404);
    assert.deepEqual(local, [{ isLocal: true, previousData: { n: 1 } }]);
    assert.deepEqual(remote, [{ isLocal: false, previousData: { n: 1 } }]);
  });

  test('[DOC2] a write to what somebody else removed unnoticed is 404', async (t) => {
    const ann = await client(t, 'ann');
    const raw = new RawConnection(t, service.socketUrl);
    await raw.init('ben');
    const mine = await ann.document();
    const [removed, written] = await Promise.all([
      raw.request('DELETE', `/v3/Documents/${mine.sid}`),
      refusal(
        mine
          .set({ n: 1 })
          .then(() => mine.set({ n: 2 }))
          .then(() => mine.set({ n: 3 }))
          .then(() => mine.set({ n: 4 })),
      ),
    ]);
    assert.equal(removed.status, 204);
    assert.equal(written.status, 404);
  });

  test('[TTL1] a ttl at creation shows as a date, and 0 takes it away', async (t) => {
    const ann = await client(t, 'ann');
    const document = await ann.document({ id: randomUUID(), data: { n: 1 }, ttl: 3600 });
    const left = Date.parse(document.dateExpires) - Date.now();
    assert.ok(left > 3_590_000 && left <= 3_600_000, `${left} ms`);
    await document.setTtl(0);
    assert.equal(document.dateExpires, null);
    await document.set({ n: 2 }, { ttl: 60 });
    assert.ok(Date.parse(document.dateExpires) - Date.now() <= 60_000);
  });

  test('[TTL4] setTtl moves neither revision nor event id, sends no event, and mutate goes on', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl, { n: 0 });
    const remote = recorded<Updated>(theirs, 'updated');
    const { revision, lastEventId } = mine;
    await mine.setTtl(3600);
    assert.deepEqual([mine.revision, mine.lastEventId], [revision, lastEventId]);
    await theirs.mutate((data) => ({ n: (data as { n: number }).n + 1 }));
    await holds(mine, 'the increment', ({ n }) => n === 1);
    assert.equal(remote.length, 1);
  });

  test('[TTL2] [TTL3] expiry fires removed once for every subscriber, and the document is gone', async (t) => {
    const { mine, theirs, ann } = await shareDocument(t, service.socketUrl, { n: 0 });
    const [mineGone, theirsGone] = [
      recorded<{ isLocal: boolean }>(mine, 'removed'),
      recorded<{ isLocal: boolean }>(theirs, 'removed'),
    ];
    await mine.setTtl(1);
    await until('both are told', () => mineGone.length > 0 && theirsGone.length > 0);
    assert.ok(Date.now() >= Date.parse(mine.dateExpires));
    const { status } = await refusal(ann.document({ id: mine.sid, mode: 'open_existing' }));
    assert.equal(status, 404);
    assert.deepEqual(
      [...mineGone, ...theirsGone].map(({ isLocal }) => isLocal),
      [false, false],
    );
  });

  test('[TTL2] [OBJ4] an expired name is free at once', async (t) => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const name = randomUUID();
    const first = await ann.document({ id: name, ttl: 1, data: { n: 1 } });
    await until('it is over', () => Date.now() > Date.parse(first.dateExpires));
    const second = await ben.document({ id: name, mode: 'create_new', data: { n: 2 } });
    assert.notEqual(second.sid, first.sid);
  });

  test('[SUB6] handles share one document; closing the last unsubscribes, and opening again is up to date', async (t) => {
    const { mine, theirs, ann } = await shareDocument(t, service.socketUrl, { n: 0 });
    const second = await ann.document(mine.sid);
    mine.close();
    const remote = recorded<Updated>(second, 'updated');
    await theirs.set({ n: 1 });
    await until('the second handle hears', () => remote.length === 1);
    const canceled = new Promise<void>((resolve) => {
      const stop = service.watch.listen(({ frame }) => {
        if (frame.method !== 'notification' || !frame.payload.includes('subscription_canceled')) return;
        if (!frame.payload.includes(second.sid)) return;
        stop();
        resolve();
      });
    });
    const { sid } = second;
    second.close();
    await canceled;
    await theirs.set({ n: 2 });
    const third = await ann.document(sid);
    assert.deepEqual(third.data, { n: 2 });
    await theirs.set({ n: 3 });
    await holds(third, 'an event after opening again', ({ n }) => n === 3);
    assert.equal(remote.length, 1);
  });
});
