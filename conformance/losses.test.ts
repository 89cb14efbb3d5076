/** Connections, replies and outcomes get lost: every subscriber ends equal to the store, and no write counts twice. */

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncDocument } from 'twilio-sync';
import { connectedClient, dataOf, holds, refusal } from './harness/clients.ts';
import type { Updated } from './harness/clients.ts';
import { recorded, until } from './harness/deadline.ts';
import { faultyRelay, unavailable } from './harness/faulty-relay.ts';
import { parseFrame, requestOf } from './harness/frames.ts';
import { randomOf } from './harness/random.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import type { Relay, RelayOptions } from './harness/relay.ts';
import { startService } from './harness/service.ts';
import { Writer } from './harness/writer.ts';

const service = await startService();

const documentCount = 4;
const kills = 8;
/** The last one is new each time, and printed. */
const seeds = [1, 20_261_124, randomInt(2 ** 31)];

suite('losses', { concurrency: true }, () => {
  for (const seed of seeds) {
    test(`[SUB7] [EVT2] [REV2] readers and writers converge under random kills, seed ${seed}`, async (t) => {
      await converge(t, seed, {});
    });
  }

  test('[SUB7] [EVT2] [REV2] and so they do when bytes come in odd pieces at odd times', async (t) => {
    await converge(t, seeds[1]!, { chop: { seed: seeds[1]!, mostBytes: 700, mostDelayMs: 1 } });
  });

  test('[WRI3] a write answered 503 after it was applied is repeated by the SDK and applied once', async (t) => {
    const { relay, requestIds, set } = await faultyRelay(t, service.port);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document({ id: randomUUID(), data: { n: 0 } });
    set({ isWanted: ({ method, path }) => method === 'POST' && path.includes('ET'), times: 1, verdict: unavailable });
    await document.mutate((data) => ({ n: (data as { n: number }).n + 1 }));
    assert.equal(requestIds.length, 2);
    assert.equal(requestIds[0], requestIds[1]);
    assert.deepEqual([document.data, document.lastEventId], [{ n: 1 }, 1]);
  });

  test('[WRI3] [OBJ4] a creation answered 503 after it was applied is repeated and finds itself, not 409', async (t) => {
    const { relay, requestIds, set } = await faultyRelay(t, service.port);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    set({
      isWanted: ({ method, path }) => method === 'POST' && path === '/v3/Documents',
      times: 1,
      verdict: unavailable,
    });
    const name = randomUUID();
    const document = await client.document({ id: name, mode: 'create_new', data: { n: 1 } });
    assert.equal(requestIds.length, 2);
    const reader = new RawConnection(t, service.socketUrl);
    await reader.init('reader');
    const { body } = await reader.request('GET', `/v3/Documents/${name}`);
    assert.deepEqual([body['sid'], body['data']], [document.sid, { n: 1 }]);
  });

  test('[SUB7] [EVT2] a write whose reply is lost with the connection shows itself after the reconnect', async (t) => {
    const { relay, set } = await faultyRelay(t, service.port);
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document({ id: randomUUID(), data: { n: 0 } });
    await document.set({ n: 1 });
    set({
      isWanted: ({ method, path }) => method === 'POST' && path.includes('ET'),
      times: 1,
      verdict() {
        relay.cut();
        return 'swallow';
      },
    });
    const { status } = await refusal(document.set({ n: 2 }));
    assert.equal(status, 0);
    await holds(document, 'the write that was thought lost', ({ n }) => n === 2);
    await document.mutate((data) => ({ n: (data as { n: number }).n + 1 }));
    assert.equal(dataOf(document)['n'], 3);
  });

  test('[SUB4] a lost outcome of a subscription is asked for again, and no event comes twice', async (t) => {
    const retried: number[] = [];
    let swallowed = 0;
    const relay = await startRelay({
      targetPort: service.port,
      onMessage({ from, bytes }) {
        if (from === 'client') {
          const frame = parseFrame(bytes);
          if (requestOf(frame)?.path !== '/v4/Subscriptions') return 'pass';
          retried.push((JSON.parse(frame.payload) as { retried_requests: number }).retried_requests);
          return 'pass';
        }
        return bytes.includes('subscription_established') && swallowed++ === 0 ? 'swallow' : 'pass';
      },
    });
    t.after(() => relay.close());
    const client = await connectedClient(t, relay.socketUrl, 'ann');
    const document = await client.document();
    const writer = new RawConnection(t, service.socketUrl);
    await writer.init('ben');
    await until('the outcome is asked for again', () => retried.some((count) => count > 0));
    let n = 0;
    while (dataOf(document)['n'] === undefined)
      await writer.request('POST', `/v3/Documents/${document.sid}`, `{"data":{"n":${++n}}}`);
    await holds(document, 'the last', (data) => data['n'] === n);
    assert.deepEqual(retried, [0, 1]);
  });
});

async function converge(t: TestContext, seed: number, options: Omit<RelayOptions, 'targetPort'>): Promise<void> {
  const random = randomOf(seed);
  const relays = await Promise.all(
    Array.from({ length: 4 }, () => startRelay({ targetPort: service.port, ...options })),
  );
  t.after(() => Promise.all(relays.map((relay) => relay.close())));
  const [ann, ben, cem, dan] = await Promise.all(
    relays.map((relay, i) => connectedClient(t, relay.socketUrl, `client-${seed}-${i}`)),
  );
  const sids = await Promise.all(Array.from({ length: documentCount }, async () => (await ann!.document()).sid));
  const open = (client: typeof ann): Promise<SyncDocument[]> => Promise.all(sids.map((sid) => client!.document(sid)));
  const [annDocuments, benDocuments, cemDocuments, danDocuments] = await Promise.all([ann, ben, cem, dan].map(open));
  const readers = [...cemDocuments!, ...danDocuments!];
  const seen = readers.map((document) => recorded<Updated>(document, 'updated'));
  const writers = [...annDocuments!, ...benDocuments!].map((document) => new Writer(document));

  await killAtRandom(relays, random, () => writers.reduce((sum, writer) => sum + writer.acknowledged, 0));
  await Promise.all(writers.map((writer) => writer.stop()));

  const raw = new RawConnection(t, service.socketUrl);
  await raw.init('reader');
  for (const [i, sid] of sids.entries()) {
    const { body } = await raw.request('GET', `/v3/Documents/${sid}`);
    const stored = (body['data'] as { n?: number }).n ?? 0;
    const both = [writers[i]!, writers[i + documentCount]!];
    const acknowledged = both.reduce((sum, writer) => sum + writer.acknowledged, 0);
    const unknown = both.reduce((sum, writer) => sum + writer.unknown, 0);
    assert.ok(stored >= acknowledged, `${acknowledged} acknowledged, ${stored} stored`);
    assert.ok(stored <= acknowledged + unknown, `${acknowledged} acknowledged, ${unknown} unknown, ${stored} stored`);
    for (const documents of [annDocuments!, benDocuments!, cemDocuments!, danDocuments!]) {
      await holds(documents[i]!, `the stored ${stored}`, (data) => (data['n'] ?? 0) === stored);
      assert.equal(documents[i]!.lastEventId, body['last_event_id']);
    }
  }
  for (const updates of seen) {
    const told = updates.map(({ data }) => data['n'] as number);
    for (let i = 1; i < told.length; i++) assert.ok(told[i]! > told[i - 1]!, `${told[i - 1]} then ${told[i]}`);
  }
  assert.ok(dataOf(readers[0]!)['n'] !== undefined);
}

/** Between two kills some writes get through, so that each kill meets a connection at work. */
async function killAtRandom(
  relays: readonly Relay[],
  random: (below: number) => number,
  written: () => number,
): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    const target = written() + 5 + random(20);
    await until('writes get through', () => written() >= target);
    relays[random(relays.length)]!.cut();
  }
}
