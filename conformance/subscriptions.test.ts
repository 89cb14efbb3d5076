/** Who hears of which change: batches, replay, several sessions, and the moments in between. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { SyncDocument } from 'twilio-sync';
import { connectedClient, dataOf, holds } from './harness/clients.ts';
import type { Updated } from './harness/clients.ts';
import { nextEvent, recorded, until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { parseFrame, requestOf, statusOf } from './harness/frames.ts';
import type { Frame } from './harness/frames.ts';
import { startRelay } from './harness/relay.ts';
import { hearEachOther } from './harness/shared-document.ts';
import { startService } from './harness/service.ts';

const service = await startService();
const narrow = await startService({ MAX_SUBSCRIPTIONS: '3' });

const subscriptionOf = { event_protocol_version: 4, action: 'establish', correlation_id: 1, requests: [] };

interface Notification {
  readonly event_type: string;
  readonly correlation_id?: number;
  readonly event?: { readonly id: number; readonly document_sid: string };
}

function notificationOf(frame: Frame): Notification | undefined {
  return frame.method === 'notification' ? (JSON.parse(frame.payload) as Notification) : undefined;
}

/** Numbers of a counter as events told them. */
function numbers(updates: readonly Updated[]): number[] {
  return updates.map(({ data }) => data['n'] as number);
}

function assertRising(values: readonly number[]): void {
  for (let i = 1; i < values.length; i++) assert.ok(values[i]! > values[i - 1]!, `${values[i - 1]} then ${values[i]}`);
}

suite('subscribing', { concurrency: true }, () => {
  test('[SUB1] 180 documents, subscribed in batches, all hear', async (t) => {
    const batches: number[] = [];
    const relay = await startRelay({
      targetPort: service.port,
      onMessage({ from, bytes }) {
        if (from === 'server') return 'pass';
        const frame = parseFrame(bytes);
        if (requestOf(frame)?.path !== '/v4/Subscriptions') return 'pass';
        const body = JSON.parse(frame.payload) as { action: string; requests: unknown[] };
        if (body.action === 'establish') batches.push(body.requests.length);
        return 'pass';
      },
    });
    t.after(() => relay.close());
    const ann = await connectedClient(t, relay.socketUrl, 'ann');
    const raw = new RawConnection(t, service.socketUrl);
    await raw.init('ben');
    const prefix = randomUUID();
    const documents = await Promise.all(Array.from({ length: 180 }, (_, i) => ann.document(`${prefix}-${i}`)));
    await until('all are asked for', () => batches.reduce((sum, size) => sum + size, 0) >= 180);
    await Promise.all(
      documents.map(({ sid }, n) => raw.request('POST', `/v3/Documents/${sid}`, `{"data":{"n":${n}}}`)),
    );
    for (const [n, document] of documents.entries()) await holds(document, 'its event', (data) => data['n'] === n);
    // The client's first batch has 100 at most, its later ones as many as it was told that it may send.
    assert.ok(batches.length > 1 && batches[0]! <= 100 && batches.every((size) => size <= 1000), batches.join());
  });

  test('[SUB2] [SUB3] [SUB7] after a time away: one event for what changed, none for what did not, removed for what is gone', async (t) => {
    const notifications: Notification[] = [];
    const relay = await startRelay({
      targetPort: service.port,
      onMessage({ from, bytes }) {
        const told = from === 'server' ? notificationOf(parseFrame(bytes)) : undefined;
        if (told !== undefined) notifications.push(told);
        return 'pass';
      },
    });
    t.after(() => relay.close());
    const ann = await connectedClient(t, relay.socketUrl, 'ann');
    const raw = new RawConnection(t, service.socketUrl);
    await raw.init('ben');
    const [same, changed, gone] = await Promise.all([ann.document(), ann.document(), ann.document()]);
    await same.set({ own: 1 });
    const established = (): number =>
      notifications.filter((told) => told.event_type === 'subscription_established').length;
    await until('the subscriptions', () => established() > 0);
    relay.refuse(true);
    relay.cut();
    const [before, outcomesBefore] = [notifications.length, established()];
    const updates = [same, changed, gone].map((document) => recorded<Updated>(document, 'updated'));
    const removed = nextEvent<{ isLocal: boolean }>(gone, 'removed');
    for (const n of [1, 2, 3]) await raw.request('POST', `/v3/Documents/${changed.sid}`, `{"data":{"n":${n}}}`);
    await raw.request('DELETE', `/v3/Documents/${gone.sid}`);
    relay.refuse(false);
    assert.equal((await removed).isLocal, false);
    await holds(changed, 'the last state', ({ n }) => n === 3);
    await until('the outcomes', () => established() > outcomesBefore);
    assert.deepEqual(updates.map(numbers), [[], [3], []]);
    const told = notifications.slice(before).map((one) => [one.event_type, one.event?.document_sid]);
    assert.deepEqual(
      told.filter(([type]) => type === 'document_updated'),
      [['document_updated', changed.sid]],
    );
    // An own write is not told again.
    assert.deepEqual(same.data, { own: 1 });
  });

  test('[EVT2] two sessions of one identity: each hears what the other writes, and its own once', async (t) => {
    const [one, two] = await Promise.all([
      connectedClient(t, service.socketUrl, 'ann'),
      connectedClient(t, service.socketUrl, 'ann'),
    ]);
    const here = await one.document();
    const there = await two.document(here.sid);
    await hearEachOther(here, there);
    const [hereUpdates, thereUpdates] = [recorded<Updated>(here, 'updated'), recorded<Updated>(there, 'updated')];
    await here.set({ n: 1 });
    await holds(there, 'the first', ({ n }) => n === 1);
    await there.set({ n: 2 });
    await holds(here, 'the second', ({ n }) => n === 2);
    assert.deepEqual(
      hereUpdates.map(({ data, isLocal }) => [data['n'], isLocal]),
      [
        [1, true],
        [2, false],
      ],
    );
    assert.deepEqual(
      thereUpdates.map(({ data, isLocal }) => [data['n'], isLocal]),
      [
        [1, false],
        [2, true],
      ],
    );
  });

  test('[OBJ2] [SUB6] nothing is heard of what was never subscribed, or is not any more', async (t) => {
    const [reader, writer] = [new RawConnection(t, service.socketUrl), new RawConnection(t, service.socketUrl)];
    await Promise.all([reader.init('ann'), writer.init('ben')]);
    const sids: string[] = [];
    for (let i = 0; i < 3; i++) sids.push(String((await writer.request('POST', '/v3/Documents', '{}')).body['sid']));
    const [never, canceled, live] = sids as [string, string, string];
    await reader.subscribe('establish', 1, [
      [canceled, 0],
      [live, 0],
    ]);
    await until('the outcome', () => reader.notifications('subscription_established').length === 1);
    await reader.subscribe('cancel', 2, [[canceled, null]]);
    await until('the cancellation', () => reader.notifications('subscription_canceled').length === 1);
    for (const sid of [never, canceled, live]) await writer.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":1}}');
    await until('the one event', () => reader.notifications('document_updated').length > 0);
    const heard = reader
      .notifications('document_updated')
      .map((told) => (told as unknown as Notification).event?.document_sid);
    assert.deepEqual(heard, [live]);
  });

  test('[SUB1] [EVT2] opened while it is being written: no event is lost, doubled or out of order', async (t) => {
    const ann = await connectedClient(t, service.socketUrl, 'ann');
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const written = await ann.document();
    let isOver = false;
    let n = 0;
    const writing = (async () => {
      while (!isOver) await written.set({ n: ++n });
    })();
    for (let round = 0; round < 4; round++) {
      const opened = await ben.document(written.sid);
      const first = dataOf(opened)['n'] as number | undefined;
      const updates = recorded<Updated>(opened, 'updated');
      await until('ten events', () => updates.length >= 10);
      const told = numbers(updates);
      assertRising([first ?? 0, ...told]);
      // Once the first event is there, every later one is: the reader is quick enough that none waits for another.
      const gaps = told.slice(2).filter((value, i) => value !== told[i + 1]! + 1);
      assert.deepEqual(gaps, []);
      opened.close();
    }
    isOver = true;
    await writing;
    const last = await ben.document(written.sid);
    assert.deepEqual(last.data, { n });
  });

  test('[SUB1] [SUB7] staggered opens over a slow link that cuts bytes anywhere end equal to the store', async (t) => {
    const seed = 20_261_124;
    const relay = await startRelay({ targetPort: service.port, chop: { seed, mostBytes: 200, mostDelayMs: 2 } });
    t.after(() => relay.close());
    const ann = await connectedClient(t, relay.socketUrl, 'ann');
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const theirs = await Promise.all(Array.from({ length: 5 }, () => ben.document()));
    let isOver = false;
    const writing = theirs.map(async (document) => {
      for (let n = 1; !isOver; n++) await document.set({ n });
    });
    const mine: SyncDocument[] = [];
    const updates: Updated[][] = [];
    for (const document of theirs) {
      const opened = await ann.document(document.sid);
      mine.push(opened);
      updates.push(recorded<Updated>(opened, 'updated'));
      await until('it moves on', () => updates[0]!.length >= 2 * mine.length);
    }
    isOver = true;
    await Promise.all(writing);
    for (const [i, document] of mine.entries()) {
      await holds(document, 'the last state', ({ n }) => n === dataOf(theirs[i]!)['n']);
      assertRising(numbers(updates[i]!));
    }
  });

  test('[EVT4] thirty subscribers get the same bytes', async (t) => {
    const writer = new RawConnection(t, service.socketUrl);
    await writer.init('ann');
    const sid = String((await writer.request('POST', '/v3/Documents', '{}')).body['sid']);
    const readers = Array.from({ length: 30 }, () => new RawConnection(t, service.socketUrl));
    await Promise.all(
      readers.map(async (reader, i) => {
        await reader.init(`reader-${i}`);
        await reader.subscribe('establish', i, [[sid, 0]]);
        await until('the outcome', () => reader.notifications('subscription_established').length === 1);
      }),
    );
    await writer.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":1}}');
    const frames = await Promise.all(
      readers.map((reader) => reader.frame('the event', ({ payload }) => payload.includes('document_updated'))),
    );
    assert.equal(new Set(frames.map((frame) => JSON.stringify(frame))).size, 1);
  });
});

suite('subscription requests', { concurrency: true }, () => {
  test('[CON9] without a registration nothing is notified; an old notification context registers later', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann', { messageTypes: [] });
    const { body } = await connection.request('POST', '/v3/Documents', '{"data":{}}');
    const sid = String(body['sid']);
    assert.equal((await connection.subscribe('establish', 1, [[sid, 0]])).status, 202);
    await connection.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":1}}');
    await connection.request('GET', `/v3/Documents/${sid}`);
    assert.equal(connection.frames.filter(({ method }) => method === 'notification').length, 0);

    const context = { product_id: 'data_sync', notification_protocol_version: 4, message_types: ['twilio.sync.event'] };
    const put = { method: 'put_notification_ctx', notification_ctx_id: randomUUID() };
    assert.equal(statusOf(await connection.ask(put, JSON.stringify(context))).code, 200);
    await connection.subscribe('establish', 2, [[sid, 0]]);
    await until('the missed event', () => connection.notifications('document_updated').length === 1);
    await until('the outcome', () => connection.notifications('subscription_established').length === 1);
    const removal = { method: 'delete_notification_ctx', notification_ctx_id: put.notification_ctx_id };
    assert.equal(statusOf(await connection.ask(removal)).code, 200);
  });

  test('[CON13] outcomes come one by one as event for protocol 3, together as events for protocol 4', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const sids: string[] = [];
    for (let i = 0; i < 3; i++) {
      sids.push(String((await connection.request('POST', '/v3/Documents', '{"data":{}}')).body['sid']));
    }
    const entries = sids.map((sid) => [sid, 0] as const);
    await connection.subscribe('establish', 3, entries, 3);
    await until('three outcomes', () => connection.notifications('subscription_established').length === 3);
    for (const outcome of connection.notifications('subscription_established')) {
      assert.equal(typeof outcome['event'], 'object');
      assert.equal(outcome['events'], undefined);
    }
    await connection.subscribe('establish', 4, entries, 4);
    await until('a fourth', () => connection.notifications('subscription_established').length === 4);
    const { events } = connection.notifications('subscription_established')[3] as { events: unknown[] };
    assert.equal(events.length, 3);
  });

  test('[SUB2] [EVT3] the reply, then what was missed, then the outcome, then live events', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const sid = String((await connection.request('POST', '/v3/Documents', '{"data":{}}')).body['sid']);
    for (const n of [1, 2, 3]) await connection.request('POST', `/v3/Documents/${sid}`, `{"data":{"n":${n}}}`);
    await connection.subscribe('establish', 9, [[sid, 1]]);
    await connection.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":4}}');
    await until('both events', () => connection.notifications('document_updated').length === 2);
    const told = connection.frames
      .filter(({ method }) => method === 'notification')
      .map(({ payload }) => JSON.parse(payload) as { event_type: string; event?: { id: number } })
      .map((payload) => [payload.event_type, payload.event?.id]);
    assert.deepEqual(told, [
      ['document_updated', 3],
      ['subscription_established', undefined],
      ['document_updated', 4],
    ]);
  });

  test('[SUB4] of two requests for one object the newer is answered, and each event comes once', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const sid = String((await connection.request('POST', '/v3/Documents', '{"data":{}}')).body['sid']);
    const asked = [1, 2, 3, 4].map((correlation) => connection.subscribe('establish', correlation, [[sid, 0]]));
    await Promise.all(asked);
    await until('the newest outcome', () =>
      connection.notifications('subscription_established').some((outcome) => outcome['correlation_id'] === 4),
    );
    await connection.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":1}}');
    await until('the event', () => connection.notifications('document_updated').length > 0);
    await connection.request('GET', `/v3/Documents/${sid}`);
    assert.equal(connection.notifications('document_updated').length, 1);
  });

  test('[SUB5] subscriptions beyond the bound fail with 429 / 54419, the others live', async (t) => {
    const connection = new RawConnection(t, narrow.socketUrl);
    await connection.init('ann');
    const entries: [string, number][] = [];
    for (let i = 0; i < 5; i++) {
      entries.push([String((await connection.request('POST', '/v3/Documents', '{"data":{}}')).body['sid']), 0]);
    }
    await connection.subscribe('establish', 1, entries);
    await until('the failures', () => connection.notifications('subscription_failed').length === 1);
    const { events } = connection.notifications('subscription_failed')[0] as {
      events: { object_sid: string; error: { status: number; code: number } }[];
    };
    assert.deepEqual(
      events.map(({ object_sid: sid, error }) => [sid, error.status, error.code]),
      entries.slice(3).map(([sid]) => [sid, 429, 54419]),
    );
    await connection.subscribe('cancel', 2, entries.slice(0, 1));
    await connection.subscribe('establish', 3, entries.slice(3, 4));
    await until('the freed place', () => connection.notifications('subscription_established').length === 2);
  });

  test('[SUB3] [SUB6] subscribing to what is not there fails with 404; cancelling it is answered', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const gone = `ET${'7'.repeat(32)}`;
    await connection.subscribe('establish', 5, [
      [gone, 0],
      ['nonsense', null],
    ]);
    await until('the failure', () => connection.notifications('subscription_failed').length === 1);
    const { events } = connection.notifications('subscription_failed')[0] as {
      events: { error: { status: number } }[];
    };
    assert.deepEqual(
      events.map(({ error }) => error.status),
      [404, 404],
    );
    await connection.subscribe('cancel', 6, [
      [gone, null],
      ['nonsense', null],
    ]);
    await until('the cancellation', () => connection.notifications('subscription_canceled').length === 1);
  });

  test('[CON11] a subscription request without sense is 400, and the connection stays', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    for (const change of [
      { action: 'hug' },
      { event_protocol_version: 9 },
      { correlation_id: 'x' },
      { requests: 'all' },
      { requests: [{}] },
      { requests: [{ object_sid: 'a', object_type: 'document', last_event_id: 'x' }] },
    ]) {
      const body = JSON.stringify({ ...subscriptionOf, ...change });
      const { outer, status } = await connection.request('POST', '/v4/Subscriptions', body);
      assert.deepEqual([outer, status], [200, 400], body);
    }
    assert.equal((await connection.request('POST', '/v4/Subscriptions', '{')).status, 400);
  });
});
