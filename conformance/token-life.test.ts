/** Tokens at connect, on a live connection, and at their end, as the official SDK sees them. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient } from 'twilio-sync';
import { becomes, connectedClient, createClient, dataOf, holds, refusal } from './harness/clients.ts';
import type { ClientOptions, Updated } from './harness/clients.ts';
import { expiredToken, libraryToken, ownToken, tokenWithoutGrant } from './harness/credentials.ts';
import { nextEvent, recorded, until, within } from './harness/deadline.ts';
import { parseFrame } from './harness/frames.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import { startService } from './harness/service.ts';

const otherServiceSid = `IS${'4'.repeat(32)}`;
const service = await startService({}, [otherServiceSid]);

interface ConnectionError {
  readonly terminal: boolean;
  readonly httpStatusCode: number;
  readonly errorCode: number;
}

/** A client with a relay of its own, and the methods of the frames that passed there. */
async function tappedClient(t: TestContext, identity: string, options: ClientOptions = {}) {
  const sent: { from: string; method: string; at: number }[] = [];
  const relay = await startRelay({
    targetPort: service.port,
    onMessage({ from, bytes }) {
      sent.push({ from, method: parseFrame(bytes).method, at: Date.now() });
      return 'pass';
    },
  });
  t.after(() => relay.close());
  const client = await connectedClient(t, relay.socketUrl, identity, options);
  return { client, relay, sent };
}

async function refusedClient(t: TestContext, token: string): Promise<{ client: SyncClient; error: ConnectionError }> {
  const client = createClient(t, service.socketUrl, 'ann', { token });
  const error = await nextEvent<ConnectionError>(client, 'connectionError');
  await becomes(client, 'denied');
  return { client, error };
}

/** Milliseconds after the end of a token in which an update is still taken. */
const graceMs = 1000;

/** Who the service takes the client for. */
async function createdBy(t: TestContext, client: SyncClient, name: string): Promise<unknown> {
  await client.document({ id: name, data: {} });
  const reader = new RawConnection(t, service.socketUrl);
  await reader.init('reader');
  return (await reader.request('GET', `/v3/Documents/${name}`)).body['created_by'];
}

suite('tokens', { concurrency: true }, () => {
  const refusals: readonly (readonly [what: string, token: string, status: number, code: number])[] = [
    ['a bad signature', libraryToken('ann', { secret: 'x'.repeat(32) }), 401, 20107],
    ['no grant for sync', tokenWithoutGrant('ann'), 401, 20106],
    ['a service that is not there', libraryToken('ann', { serviceSid: `IS${'9'.repeat(32)}` }), 403, 54050],
    ['no form of a token', 'nonsense', 401, 20101],
  ];
  for (const [what, token, status, code] of refusals) {
    test(`[CON2] ${what}: denied with ${status} / ${code} for good, and back with a good token`, async (t) => {
      const { client, error } = await refusedClient(t, token);
      assert.deepEqual([error.terminal, error.httpStatusCode, error.errorCode], [true, status, code]);
      await assert.rejects(client.document('any'));
      await client.updateToken(libraryToken('ann'));
      await becomes(client, 'connected');
      assert.match((await client.document('any')).sid, /^ET/);
    });
  }

  test('[TLC5] an expired token: tokenExpired and denied; an update from inside the handler recovers', async (t) => {
    const client = createClient(t, service.socketUrl, 'ann', { token: expiredToken('ann') });
    const error = nextEvent<ConnectionError>(client, 'connectionError');
    client.on('tokenExpired', () => void client.updateToken(libraryToken('ann')));
    const { httpStatusCode, errorCode } = await error;
    assert.deepEqual([httpStatusCode, errorCode], [401, 20104]);
    await becomes(client, 'connected');
    assert.match((await client.document('any')).sid, /^ET/);
  });

  test('[CON2] tokens of both libraries are taken', async (t) => {
    for (const token of [libraryToken('ann'), ownToken('ann')]) {
      const client = await connectedClient(t, service.socketUrl, 'ann', { token });
      assert.match((await client.document('any')).sid, /^ET/);
    }
  });

  test('[OBJ2] another service does not see the documents, by name or by sid', async (t) => {
    const here = await connectedClient(t, service.socketUrl, 'ann');
    const there = await connectedClient(t, service.socketUrl, 'ann', { serviceSid: otherServiceSid });
    const mine = await here.document({ id: 'isolated', data: { of: 'here' } });
    const theirs = await there.document({ id: 'isolated', data: { of: 'there' } });
    assert.notEqual(mine.sid, theirs.sid);
    assert.deepEqual(theirs.data, { of: 'there' });
    for (const id of [mine.sid, 'only-here']) {
      await here.document({ id: 'only-here', data: {} });
      const { status } = await refusal(there.document({ id, mode: 'open_existing' }));
      assert.equal(status, 404);
    }
  });

  test('[TLC2] an update keeps the socket and its subscriptions, and subscribes nothing again', async (t) => {
    const { client, relay, sent } = await tappedClient(t, 'ann');
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([client.document('kept'), ben.document('kept')]);
    await theirs.set({ n: 1 });
    await holds(mine, 'the first write', ({ n }) => n === 1);
    const messages = (): number => sent.filter(({ from, method }) => from === 'client' && method === 'message').length;
    const before = messages();
    await client.updateToken(libraryToken('ann', { ttl: 1800 }));
    await theirs.set({ n: 2 });
    await holds(mine, 'the second write', ({ n }) => n === 2);
    assert.equal(relay.accepted, 1);
    assert.equal(messages(), before);
    assert.equal(sent.filter(({ method }) => method === 'update').length, 1);
  });

  test('[TLC3] a bad update is refused with 400 / 51130 and denied; a good one recovers', async (t) => {
    const { client } = await tappedClient(t, 'ann');
    const document = await client.document('updated');
    const { status, code } = await refusal(client.updateToken(libraryToken('ann', { secret: 'x'.repeat(32) })));
    assert.deepEqual([status, code], [400, 51130]);
    await becomes(client, 'denied');
    await client.updateToken(libraryToken('ann', { ttl: 1800 }));
    await becomes(client, 'connected');
    assert.deepEqual(await document.set({ n: 1 }), { n: 1 });
  });

  test('[TLC3] an update to another identity comes back as the new identity, subscribed again', async (t) => {
    const { client, relay } = await tappedClient(t, 'ann');
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([client.document('whose'), ben.document('whose')]);
    assert.equal(await createdBy(t, client, 'by-ann'), 'ann');
    await within('the update to another identity', client.updateToken(libraryToken('cem')), 15_000);
    await becomes(client, 'connected');
    assert.equal(relay.accepted, 2);
    assert.equal(await createdBy(t, client, 'by-cem'), 'cem');
    await theirs.set({ n: 1 });
    await holds(mine, 'an event for the new identity', ({ n }) => n === 1);
  });

  test('[TLC4] [TLC5] expires on a live link: no event after it, tokenExpired, and an update from its handler recovers', async (t) => {
    const token = libraryToken('ann', { ttl: 3 });
    const { client, relay, sent } = await tappedClient(t, 'ann', { token });
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([client.document('expiring'), ben.document('expiring')]);
    const expired = recorded(client, 'tokenExpired');
    const recovered = Promise.withResolvers<void>();
    client.on('tokenExpired', () => void client.updateToken(libraryToken('ann')).then(recovered.resolve));
    let n = 0;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await theirs.set({ n: ++n });
    })();
    await within('the recovery', recovered.promise);
    await becomes(client, 'connected');
    const reached = n;
    await holds(mine, 'what came after the recovery', (data) => (data['n'] as number) > reached);
    isOver = true;
    await writing;
    await holds(mine, 'the last write', (data) => data['n'] === n);
    assert.equal(expired.length, 1);
    assert.equal(relay.accepted, 3);
    const end = expiryOf(token);
    const events = sent.filter(({ method }) => method === 'notification').map(({ at }) => at);
    assert.ok(events.some((at) => at < end) && events.some((at) => at > end + graceMs));
    // The clock is read when a frame passes the relay, in a process that has more to do.
    const late = events.filter((at) => at > end + 200 && at < end + graceMs);
    assert.deepEqual(
      late.map((at) => at - end),
      [],
    );
  });

  test('[TLC4] an update within a second after the end keeps the connection, and what was held back follows', async (t) => {
    const token = libraryToken('ann', { ttl: 3 });
    const { client, relay } = await tappedClient(t, 'ann', { token });
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([client.document('graceful'), ben.document('graceful')]);
    await theirs.set({ n: 1 });
    await holds(mine, 'the first write', ({ n }) => n === 1);
    await until('the token is over', () => Date.now() > expiryOf(token) + 50);
    const asked = client.document('asked-in-grace');
    await theirs.set({ n: 2 });
    assert.equal(dataOf(mine)['n'], 1);
    await client.updateToken(libraryToken('ann'));
    assert.match((await asked).sid, /^ET/);
    await holds(mine, 'what was held back', ({ n }) => n === 2);
    assert.equal(relay.accepted, 1);
  });

  test('[TLC1] without an update tokenAboutToExpire comes at once and once more, then the end', async (t) => {
    const client = createClient(t, service.socketUrl, 'ann', { ttl: 3 });
    const notices = recorded(client, 'tokenAboutToExpire');
    await nextEvent(client, 'tokenExpired');
    assert.equal(notices.length, 2);
    assert.equal(client.connectionState, 'denied');
  });

  test('[TLC1] [TLC2] renewing a short token on each notice makes no storm, and the connection outlives it', async (t) => {
    const started = performance.now();
    const { client, relay, sent } = await tappedClient(t, 'ann', { ttl: 5 });
    const ben = await connectedClient(t, service.socketUrl, 'ben');
    const [mine, theirs] = await Promise.all([client.document('renewed'), ben.document('renewed')]);
    let renewals = 0;
    client.on('tokenAboutToExpire', () => {
      void client.updateToken(ownToken('ann', { ttl: 5 })).then(() => renewals++);
    });
    // The notice of init may have come before the listener.
    await client.updateToken(libraryToken('ann', { ttl: 5 }));
    await until('two renewals', () => renewals >= 2);
    assert.ok(performance.now() - started > 3500, `${renewals} renewals in ${performance.now() - started} ms`);
    await theirs.set({ n: 1 });
    await holds(mine, 'an event under the third token', ({ n }) => n === 1);
    assert.ok(sent.filter(({ method }) => method === 'client_update').length <= 3);
    assert.equal(relay.accepted, 1);
  });

  test('[TLC1] a token with a long life causes no notice', async (t) => {
    const { client, sent } = await tappedClient(t, 'ann');
    const document = await client.document('long');
    const updates = recorded<Updated>(document, 'updated');
    await document.set({ n: 1 });
    await until('the write', () => updates.length === 1);
    assert.deepEqual(
      sent.filter(({ method }) => method === 'client_update'),
      [],
    );
  });
});

/** In milliseconds. */
function expiryOf(token: string): number {
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number };
  return claims.exp * 1000;
}
