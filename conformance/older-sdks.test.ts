/** The life of a document with older versions of the official SDK, alone and beside the present one. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { SyncClient as SyncClient4 } from 'twilio-sync';
import { SyncClient as SyncClient3 } from 'twilio-sync-3';
import { SyncClient as SyncClient0 } from 'twilio-sync-0';
import { expiredToken, libraryToken } from './harness/credentials.ts';
import { nextEvent, recorded, until, within } from './harness/deadline.ts';
import type { Emitter } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import type { Relay } from './harness/relay.ts';
import { startService } from './harness/service.ts';

const service = await startService({ SWEEP_INTERVAL_MS: '50', PING_INTERVAL_MS: '1000' });

type Data = Readonly<Record<string, unknown>>;

/** What all versions have in common; contents are `value` in the oldest and `data` in the others. */
interface Document extends Emitter {
  readonly sid: string;
  readonly uniqueName: string;
  readonly data?: Data;
  readonly value?: Data;
  readonly lastEventId: number;
  readonly dateExpires: string | null;
  set(data: Data): Promise<Data>;
  update(data: Data): Promise<Data>;
  mutate(change: (data: Data) => Data): Promise<Data>;
  setTtl(ttl: number): Promise<void>;
  removeDocument(): Promise<unknown>;
  close(): void;
}

interface Client extends Emitter {
  readonly connectionState: string;
  document(options: string | Data): Promise<Document>;
  updateToken(token: string): Promise<void>;
  shutdown(): Promise<void>;
}

interface Version {
  readonly name: string;
  readonly create: new (token: string, options: object) => unknown;
  readonly contents: 'data' | 'value';
}

const present: Version = { name: '4.0.1', create: SyncClient4, contents: 'data' };
const older: readonly Version[] = [
  { name: '3.3.10', create: SyncClient3, contents: 'data' },
  { name: '0.12.4', create: SyncClient0, contents: 'value' },
];

interface Updated {
  readonly isLocal: boolean;
  readonly data?: Data;
  readonly value?: Data;
}

function contentsOf(of: { readonly data?: Data; readonly value?: Data }): Data {
  return (of.data ?? of.value)!;
}

function createClient(t: TestContext, version: Version, socketUrl: string, token: string): Client {
  const options = {
    twilsock: { uri: socketUrl },
    retryPolicy: { min: 100, max: 2000, randomness: 0.2 },
    Sync: { enableSessionStorage: false },
    logLevel: 'silent',
  };
  const client = new version.create(token, options) as Client;
  t.after(() => within(`client ${version.name} shuts down`, client.shutdown()));
  return client;
}

async function connected(
  t: TestContext,
  version: Version,
  identity: string,
): Promise<{ client: Client; relay: Relay }> {
  const relay = await startRelay({
    targetPort: service.port,
    onMessage(message) {
      service.watch.observe({ ...message, connection: connectionBase + message.connection });
      return 'pass';
    },
  });
  const connectionBase = (relayCount += 1) * 1000;
  t.after(() => relay.close());
  const client = createClient(t, version, relay.socketUrl, libraryToken(identity));
  await until('connected', () => client.connectionState === 'connected');
  return { client, relay };
}
let relayCount = 0;

function holds(document: Document, what: string, isWanted: (data: Data) => boolean): Promise<void> {
  const has = (): string => JSON.stringify(contentsOf(document));
  return until(
    () => `the document holds ${what}; it has ${has()}`,
    () => isWanted(contentsOf(document)),
  );
}

/** Resolves when a write of one reaches the other, both ways. */
async function settle(one: Document, other: Document): Promise<void> {
  for (const [writer, reader] of [
    [one, other],
    [other, one],
  ] as const) {
    const probe = randomUUID();
    await writer.set({ probe });
    await holds(reader, 'the probe', (data) => data['probe'] === probe);
  }
}

suite('older versions', { concurrency: true }, () => {
  for (const version of older) {
    test(`[DOC1] [DOC3] [DOC7] ${version.name}: create, open, set, update, mutate, hear, remove`, async (t) => {
      const { client } = await connected(t, version, 'ann');
      const { client: other } = await connected(t, present, 'ben');
      const id = randomUUID();
      const mine = await client.document({ id, [version.contents]: { n: 0 }, ttl: 3600 });
      assert.deepEqual([contentsOf(mine), mine.uniqueName, mine.lastEventId], [{ n: 0 }, id, 0]);
      assert.match(mine.dateExpires!, /Z$/);
      const theirs = await other.document(id);
      assert.equal(theirs.sid, mine.sid);
      await settle(mine, theirs);
      const [local, remote] = [recorded<Updated>(mine, 'updated'), recorded<Updated>(theirs, 'updated')];
      await mine.set({ n: 1 });
      await mine.update({ more: true });
      await mine.mutate((data) => ({ ...data, n: 2 }));
      await mine.setTtl(0);
      await holds(theirs, 'all three', ({ n, more }) => n === 2 && more === true);
      await theirs.set({ n: 3 });
      await holds(mine, 'the answer', ({ n }) => n === 3);
      const told = (updates: readonly Updated[]): unknown[] =>
        updates.map((update) => [contentsOf(update)['n'], update.isLocal]);
      assert.deepEqual(told(local), [
        [1, true],
        [1, true],
        [2, true],
        [3, false],
      ]);
      assert.deepEqual(told(remote), [
        [1, false],
        [1, false],
        [2, false],
        [3, true],
      ]);
      const gone = nextEvent<{ isLocal: boolean }>(theirs, 'removed');
      await mine.removeDocument();
      assert.equal((await gone).isLocal, false);
      await assert.rejects(client.document({ id: mine.sid, mode: 'open_existing' }), { status: 404 });
      await assert.rejects(other.document({ id, mode: 'open_existing' }), { status: 404 });
    });

    test(`[SUB2] [SUB3] [SUB7] [CON13] ${version.name}: reconnects, hears what it missed, and learns what is gone`, async (t) => {
      const { client, relay } = await connected(t, version, 'ann');
      const { client: other } = await connected(t, present, 'ben');
      const [changed, same, gone] = await Promise.all(
        ['a', 'b', 'c'].map((id) => client.document(`${id}-${version.name}`)),
      );
      const theirs = await other.document(changed!.sid);
      await settle(changed!, theirs);
      relay.refuse(true);
      relay.cut();
      const sameUpdates = recorded<Updated>(same!, 'updated');
      const removed = nextEvent<{ isLocal: boolean }>(gone!, 'removed');
      await theirs.set({ n: 1 });
      await theirs.set({ n: 2 });
      await (await other.document(gone!.sid)).removeDocument();
      relay.refuse(false);
      await holds(changed!, 'what it missed', ({ n }) => n === 2);
      assert.equal((await removed).isLocal, false);
      await theirs.set({ n: 3 });
      await holds(changed!, 'what came after', ({ n }) => n === 3);
      assert.equal(relay.accepted, 2);
      assert.deepEqual(sameUpdates, []);
    });

    test(`[TLC2] [TLC5] ${version.name}: an update keeps the connection, and an expired token is recovered from`, async (t) => {
      const { client, relay } = await connected(t, version, 'ann');
      const document = await client.document(randomUUID());
      await client.updateToken(libraryToken('ann', { ttl: 1800 }));
      await document.set({ n: 1 });
      assert.equal(relay.accepted, 1);
      const late = createClient(t, version, relay.socketUrl, expiredToken('ben'));
      late.on('tokenExpired', () => void late.updateToken(libraryToken('ben')));
      await nextEvent(late, 'tokenExpired');
      assert.deepEqual(contentsOf(await late.document(document.sid)), { n: 1 });
    });

    test(`[CON5] [SUB6] ${version.name}: outlives pings, closes a document and opens it up to date`, async (t) => {
      const { client, relay } = await connected(t, version, 'ann');
      const raw = new RawConnection(t, service.socketUrl);
      await raw.init('ben');
      const first = await client.document(randomUUID());
      const { sid } = first;
      first.close();
      await raw.request('POST', `/v3/Documents/${sid}`, '{"data":{"n":1}}');
      const pings = (): number => raw.frames.filter(({ method }) => method === 'ping').length;
      await until('two pings', () => pings() >= 2);
      const second = await client.document(sid);
      assert.deepEqual(contentsOf(second), { n: 1 });
      assert.equal(relay.accepted, 1);
    });

    test(`[TTL3] ${version.name}: expiry fires removed`, async (t) => {
      const { client } = await connected(t, version, 'ann');
      const document = await client.document({ id: randomUUID(), ttl: 1 });
      assert.equal((await nextEvent<{ isLocal: boolean }>(document, 'removed')).isLocal, false);
    });
  }

  test('[REV2] increments by clients of all versions add up', async (t) => {
    const id = randomUUID();
    const clients = await Promise.all([present, ...older].map((version) => connected(t, version, version.name)));
    const documents = await Promise.all(clients.map(({ client }) => client.document(id)));
    await Promise.all(
      documents.map(async (document) => {
        for (let i = 0; i < 20; i++)
          await document.mutate((data) => ({ n: ((data['n'] as number | undefined) ?? 0) + 1 }));
      }),
    );
    for (const document of documents) await holds(document, 'the sum', ({ n }) => n === 60);
  });
});
