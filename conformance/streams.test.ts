/** Message streams as applications use them through the official SDK: present subscribers hear, nobody else ever does. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncStream } from 'twilio-sync';
import { connectedClient, refusal } from './harness/clients.ts';
import { nextEvent, recorded } from './harness/deadline.ts';
import type { Emitter } from './harness/deadline.ts';
import { counted, live } from './harness/live-objects.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import { startEveryStore } from './harness/service.ts';

const missingSid = `TO${'0'.repeat(32)}`;

/** Of each message its data and who published it, in the order in which the application was told. */
function messages(stream: Emitter): (readonly [data: unknown, by: 'me' | 'other'])[] {
  const told: (readonly [unknown, 'me' | 'other'])[] = [];
  stream.on('messagePublished', ({ message, isLocal }: Published) => {
    told.push([message.data, isLocal ? 'me' : 'other']);
  });
  return told;
}

interface Published {
  readonly message: { readonly sid: string; readonly data: unknown };
  readonly isLocal: boolean;
}

function numbers(told: ReturnType<typeof messages>): number[] {
  return told.map(([data]) => (data as { n: number }).n);
}

for (const [store, service] of await startEveryStore({ SWEEP_INTERVAL_MS: '50' })) {
  const client = (t: TestContext, identity: string): Promise<SyncClient> =>
    connectedClient(t, service.socketUrl, identity);

  /** One stream that two clients have open and subscribed. */
  const share = async (
    t: TestContext,
  ): Promise<{ ann: SyncClient; ben: SyncClient; mine: SyncStream; theirs: SyncStream }> => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const mine = await live(ann.stream(randomUUID()));
    return { ann, ben, mine, theirs: await live(ben.stream(mine.sid)) };
  };

  suite(`streams on ${store}`, { concurrency: true }, () => {
    test('[STR1] [STR20] opened by name, by sid and unnamed; what is missing is 404 (scenario 98)', async (t) => {
      const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
      const name = randomUUID();
      const made = await ann.stream(name);
      assert.match(made.sid, /^TO[0-9a-f]{32}$/);
      assert.deepEqual([made.uniqueName, made.dateExpires], [name, null]);
      assert.equal((await ben.stream(name)).sid, made.sid);
      const unnamed = await ann.stream();
      assert.equal(unnamed.uniqueName, null);
      assert.equal((await ben.stream(unnamed.sid)).sid, unnamed.sid);
      for (const [id, code] of [
        [randomUUID(), 54300],
        [missingSid, 54250],
      ] as const) {
        const refused = await refusal(ann.stream({ id, mode: 'open_existing' }));
        assert.deepEqual([refused.status, refused.code], [404, code]);
      }
      const taken = await refusal(ben.stream({ id: name, mode: 'create_new' }));
      assert.deepEqual([taken.status, taken.code], [409, 54301]);
    });

    test('[OBJ4] four kinds live under one name (scenario 99)', async (t) => {
      const ann = await client(t, 'ann');
      const name = randomUUID();
      const objects = await Promise.all([ann.document(name), ann.list(name), ann.map(name), ann.stream(name)]);
      assert.deepEqual(
        objects.map(({ sid }) => sid.slice(0, 2)),
        ['ET', 'ES', 'MP', 'TO'],
      );
      for (const object of objects) assert.equal(object.uniqueName, name);
    });

    test('[STR2] [STR21] a message reaches publisher and subscriber, each once (scenarios 93 and 119)', async (t) => {
      const { mine, theirs } = await share(t);
      const [local, remote] = [messages(mine), messages(theirs)];
      const sids = recorded<Published>(theirs, 'messagePublished');
      const published = await mine.publishMessage({ n: 1 });
      assert.match(published.sid, /^TZ[0-9a-f]{32}$/);
      assert.deepEqual(published.data, { n: 1 });
      await counted(remote, 1);
      await theirs.publishMessage({ n: 2 });
      await counted(local, 2);
      assert.deepEqual(local, [
        [{ n: 1 }, 'me'],
        [{ n: 2 }, 'other'],
      ]);
      assert.deepEqual(remote, [
        [{ n: 1 }, 'other'],
        [{ n: 2 }, 'me'],
      ]);
      assert.equal(sids[0]?.message.sid, published.sid);
    });

    test('[STR2] sixty messages of one publisher arrive in order, beside those of another (scenario 94)', async (t) => {
      const { mine, theirs } = await share(t);
      const cem = await live((await client(t, 'cem')).stream(mine.sid));
      const told = messages(cem);
      const count = 60;
      await Promise.all(
        Array.from({ length: count }, (_, n) => [
          mine.publishMessage({ n, by: 'ann' }),
          theirs.publishMessage({ n, by: 'ben' }),
        ]).flat(),
      );
      await counted(told, 2 * count);
      for (const by of ['ann', 'ben']) {
        assert.deepEqual(
          numbers(told.filter(([data]) => (data as { by: string }).by === by)),
          Array.from({ length: count }, (_, n) => n),
        );
      }
    });

    test('[STR2] every subscriber hears the messages of one publisher in one order', async (t) => {
      const ann = await client(t, 'ann');
      const mine = await ann.stream(randomUUID());
      const readers = await Promise.all(
        ['b', 'c', 'd'].map(async (identity) => await live((await client(t, identity)).stream(mine.sid))),
      );
      const told = readers.map((reader) => messages(reader));
      for (let n = 0; n < 20; n++) await mine.publishMessage({ n });
      for (const each of told) {
        await counted(each, 20);
        assert.deepEqual(
          numbers(each),
          Array.from({ length: 20 }, (_, n) => n),
        );
      }
    });

    test('[STR3] who comes late hears nothing of before (scenario 97)', async (t) => {
      const { mine } = await share(t);
      await mine.publishMessage({ n: 1 });
      const late = await live((await client(t, 'cem')).stream(mine.sid));
      const told = messages(late);
      await mine.publishMessage({ n: 2 });
      await counted(told, 1);
      assert.deepEqual(told, [[{ n: 2 }, 'other']]);
    });

    test('[STR3] who was away hears nothing of meanwhile, and all that comes after', async (t) => {
      const relay = await startRelay({ targetPort: service.relay.port });
      t.after(() => relay.close());
      const ann = await client(t, 'ann');
      const ben = await connectedClient(t, relay.socketUrl, 'ben');
      const mine = await ann.stream(randomUUID());
      const theirs = await live(ben.stream(mine.sid));
      const told = messages(theirs);
      await mine.publishMessage({ n: 1 });
      await counted(told, 1);
      relay.refuse(true);
      relay.cut();
      await mine.publishMessage({ n: 2 });
      const again = nextEvent<string>(theirs, '_subscriptionStateChanged', (state) => state === 'established');
      relay.refuse(false);
      await again;
      await mine.publishMessage({ n: 3 });
      await counted(told, 2);
      assert.deepEqual(numbers(told), [1, 3]);
    });

    test('[STR21] 4,096 bytes of data are taken, one more is 413 / 54006 (scenario 95)', async (t) => {
      const { mine, theirs } = await share(t);
      const told = messages(theirs);
      // {"t":"…"} has 8 bytes around its text; ü takes two.
      const largest = { t: 'ü'.repeat(2044) };
      const refused = await refusal(mine.publishMessage({ t: `${largest.t}x` }));
      assert.deepEqual([refused.status, refused.code], [413, 54006]);
      await mine.publishMessage(largest);
      await counted(told, 1);
      assert.deepEqual(told, [[largest, 'other']]);
    });

    test('[STR21] data that is null or missing is 400 / 54251, and nobody is told', async (t) => {
      const { mine, theirs } = await share(t);
      const told = messages(theirs);
      const raw = new RawConnection(t, service.socketUrl);
      await raw.init('raw');
      const path = `/v3/Streams/${mine.sid}/Messages`;
      for (const body of ['{}', '{"data":null}']) {
        const { status, body: refused } = await raw.request('POST', path, body);
        assert.deepEqual([status, refused['code']], [400, 54251], body);
      }
      const gone = await raw.request('POST', `/v3/Streams/${missingSid}/Messages`, '{"data":{}}');
      assert.deepEqual([gone.status, gone.body['code']], [404, 54250]);
      await mine.publishMessage({ n: 1 });
      await counted(told, 1);
      assert.deepEqual(numbers(told), [1]);
    });

    test('[STR1] [STR20] removing: one event on each side, then 404, and the name is free (scenario 96)', async (t) => {
      const { ann, ben, mine, theirs } = await share(t);
      const [local, remote] = [recorded(mine, 'removed'), recorded(theirs, 'removed')];
      const gone = nextEvent(theirs, 'removed');
      await mine.removeStream();
      await gone;
      assert.deepEqual([local, remote], [[{ isLocal: true }], [{ isLocal: false }]]);
      const refused = await refusal(theirs.publishMessage({ n: 1 }));
      assert.equal(refused.status, 404);
      assert.equal((await refusal(ben.stream({ id: mine.sid, mode: 'open_existing' }))).code, 54250);
      const again = await ann.stream({ id: mine.uniqueName, mode: 'create_new' });
      assert.notEqual(again.sid, mine.sid);
    });

    test('[TTL2] [TTL3] a stream that runs out fires removed on every side (scenario 96)', async (t) => {
      const { mine, theirs, ben } = await share(t);
      const ends = [mine, theirs].map((stream) => nextEvent<{ isLocal: boolean }>(stream, 'removed'));
      await mine.setTtl(1);
      assert.match(mine.dateExpires, /Z$/);
      for (const end of ends) assert.equal((await end).isLocal, false);
      const refused = await refusal(ben.stream({ id: mine.sid, mode: 'open_existing' }));
      assert.deepEqual([refused.status, refused.code], [404, 54250]);
    });

    test('[SUB3] a stream removed while away fires removed at the return', async (t) => {
      const relay = await startRelay({ targetPort: service.relay.port });
      t.after(() => relay.close());
      const ann = await client(t, 'ann');
      const ben = await connectedClient(t, relay.socketUrl, 'ben');
      const mine = await ann.stream(randomUUID());
      const theirs = await live(ben.stream(mine.sid));
      const removed = nextEvent<{ isLocal: boolean }>(theirs, 'removed');
      relay.refuse(true);
      relay.cut();
      await mine.removeStream();
      relay.refuse(false);
      assert.equal((await removed).isLocal, false);
    });

    test('[SUB6] a closed stream hears nothing more', async (t) => {
      const { mine, theirs, ben } = await share(t);
      const told = messages(theirs);
      theirs.close();
      await mine.publishMessage({ n: 1 });
      const again = await live(ben.stream(mine.sid));
      const toldAgain = messages(again);
      await mine.publishMessage({ n: 2 });
      await counted(toldAgain, 1);
      assert.deepEqual([numbers(told), numbers(toldAgain)], [[], [2]]);
    });
  });
}
