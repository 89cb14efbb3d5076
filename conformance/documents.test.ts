/** Opening and writing documents, as applications do it through the official SDK. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncDocument } from 'twilio-sync';
import { connectedClient, holds, refusal } from './harness/clients.ts';
import type { Data, Updated } from './harness/clients.ts';
import { recorded, until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startRelay } from './harness/relay.ts';
import { hearEachOther, shareDocument } from './harness/shared-document.ts';
import { startService } from './harness/service.ts';

const service = await startService();

function client(t: TestContext, identity: string): Promise<SyncClient> {
  return connectedClient(t, service.socketUrl, identity);
}

const missingSid = `ET${'0'.repeat(32)}`;

suite('documents', { concurrency: true }, () => {
  test('[DOC1] creates by name, opens by name and by sid with data', async (t) => {
    const [ann, ben, cem] = await Promise.all([client(t, 'ann'), client(t, 'ben'), client(t, 'cem')]);
    const name = randomUUID();
    const made = await ann.document({ id: name, data: { title: 'board' } });
    assert.match(made.sid, /^ET[0-9a-f]{32}$/);
    assert.deepEqual([made.uniqueName, made.revision, made.lastEventId], [name, '0', 0]);
    const byName = await ben.document(name);
    const bySid = await cem.document(made.sid);
    for (const document of [byName, bySid]) {
      assert.deepEqual([document.sid, document.uniqueName, document.data], [made.sid, name, { title: 'board' }]);
    }
  });

  test('[DOC1] an unnamed document has no name, empty data, and opens by its sid', async (t) => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const made = await ann.document();
    assert.equal(made.uniqueName, null);
    assert.deepEqual((await ben.document(made.sid)).data, {});
  });

  test('[OBJ4] creating a new document under a taken name is 409 / 54301', async (t) => {
    const ann = await client(t, 'ann');
    const name = randomUUID();
    await ann.document(name);
    const ben = await client(t, 'ben');
    const { status, code } = await refusal(ben.document({ id: name, mode: 'create_new' }));
    assert.deepEqual([status, code], [409, 54301]);
  });

  test('[DOC2] opening what is missing is 404: 54300 by name, 54100 by sid', async (t) => {
    const ann = await client(t, 'ann');
    for (const [id, code] of [
      [randomUUID(), 54300],
      [missingSid, 54100],
    ] as const) {
      const refused = await refusal(ann.document({ id, mode: 'open_existing' }));
      assert.deepEqual([refused.status, refused.code], [404, code]);
    }
  });

  test('[OBJ4] many creators of one name end with one document', async (t) => {
    const clients = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => client(t, identity)));
    for (let round = 0; round < 5; round++) {
      const name = randomUUID();
      const documents = await Promise.all(clients.map((each, n) => each.document({ id: name, data: { n } })));
      assert.equal(new Set(documents.map(({ sid }) => sid)).size, 1);
      assert.equal(new Set(documents.map(({ data }) => JSON.stringify(data))).size, 1);
    }
  });

  test('[OBJ3] names that cannot be are 400 / 54302', async (t) => {
    const ann = await client(t, 'ann');
    for (const id of ['x'.repeat(321), `ET${'a'.repeat(32)}`, `AB${'1'.repeat(32)}`, 'with\u0000nul']) {
      const { status, code } = await refusal(ann.document({ id, mode: 'create_new' }));
      assert.deepEqual([status, code], [400, 54302], id.slice(0, 40));
    }
  });

  test('[OBJ3] odd names work as they are', async (t) => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const names = [
      'a b/c%&=ü?#',
      '../..',
      '.',
      '%2F',
      'née',
      'n\u0065\u0301e',
      '😀'.repeat(320),
      'x'.repeat(320),
      ' ',
      '"\\',
      'ET1',
      '\n',
    ];
    for (const name of names) {
      const made = await ann.document({ id: name, data: { name } });
      assert.equal(made.uniqueName, name);
      const opened = await ben.document({ id: name, mode: 'open_existing' });
      assert.deepEqual([opened.sid, opened.data], [made.sid, { name }]);
    }
  });

  test('[DOC7] [OBJ4] a removed name is free again, for another document', async (t) => {
    const [ann, ben] = await Promise.all([client(t, 'ann'), client(t, 'ben')]);
    const name = randomUUID();
    const first = await ann.document({ id: name, data: { n: 1 } });
    await first.removeDocument();
    const second = await ben.document({ id: name, mode: 'create_new', data: { n: 2 } });
    assert.notEqual(second.sid, first.sid);
    assert.deepEqual((await ann.document(name)).data, { n: 2 });
  });

  test('[DOC3] set: one local event, one remote event, with the data before', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl, { n: 0 });
    const [local, remote] = [recorded<Updated>(mine, 'updated'), recorded<Updated>(theirs, 'updated')];
    assert.deepEqual(await mine.set({ n: 1 }), { n: 1 });
    await holds(theirs, 'the write', ({ n }) => n === 1);
    await theirs.set({ n: 2 });
    await holds(mine, 'the answer', ({ n }) => n === 2);
    assert.deepEqual(local, [
      { data: { n: 1 }, isLocal: true, previousData: { n: 0 } },
      { data: { n: 2 }, isLocal: false, previousData: { n: 1 } },
    ]);
    assert.deepEqual(remote, [
      { data: { n: 1 }, isLocal: false, previousData: { n: 0 } },
      { data: { n: 2 }, isLocal: true, previousData: { n: 1 } },
    ]);
  });

  test('[DOC3] update merges at the top, set replaces', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl, { a: 1, deep: { x: 1 } });
    assert.deepEqual(await mine.update({ b: 2, deep: { y: 2 } }), { a: 1, b: 2, deep: { y: 2 } });
    await holds(theirs, 'the merge', ({ b }) => b === 2);
    await theirs.set({ c: 3 });
    await holds(mine, 'the replacement', ({ c }) => c === 3);
    assert.deepEqual(mine.data, { c: 3 });
  });

  test('[REV2] [DOC4] fifty increments by five clients end at exactly 250', async (t) => {
    const clients = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((identity) => client(t, identity)));
    const name = randomUUID();
    const documents = await Promise.all(clients.map((each) => each.document(name)));
    await Promise.all(
      documents.map(async (document) => {
        for (let i = 0; i < 50; i++) await document.mutate((data) => ({ n: ((data as { n?: number }).n ?? 0) + 1 }));
      }),
    );
    for (const document of documents) await holds(document, 'the sum', ({ n }) => n === 250);
    const reader = new RawConnection(t, service.socketUrl);
    await reader.init('reader');
    const { body } = await reader.request('GET', `/v3/Documents/${name}`);
    assert.deepEqual([body['data'], body['last_event_id'], body['revision']], [{ n: 250 }, 250, (250).toString(16)]);
  });

  test('[REV2] an update and a mutate that meet both count', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl, { list: [] });
    const push = (document: SyncDocument, value: string): Promise<unknown> =>
      document.mutate((data) => ({ ...(data as Data), list: [...(data as { list: string[] }).list, value] }));
    await Promise.all([push(mine, 'a'), push(theirs, 'b'), mine.update({ other: 1 }), theirs.update({ more: 2 })]);
    await holds(
      mine,
      'everything',
      (data) => (data['list'] as string[]).length === 2 && data['other'] === 1 && data['more'] === 2,
    );
  });

  test('[DOC3] a mutate that is cancelled sends nothing', async (t) => {
    const { mine } = await shareDocument(t, service.socketUrl, { n: 0 });
    const { revision } = mine;
    assert.deepEqual(await mine.mutate(() => null as never), { n: 0 });
    const reader = new RawConnection(t, service.socketUrl);
    await reader.init('reader');
    assert.equal((await reader.request('GET', `/v3/Documents/${mine.sid}`)).body['revision'], revision);
  });

  test('[DOC4] [REV2] a client that is behind meets 412, reads again, and succeeds', async (t) => {
    let isBehind = false;
    const relay = await startRelay({
      targetPort: service.port,
      onMessage: ({ bytes }) => (isBehind && bytes.includes('document_updated') ? 'swallow' : 'pass'),
    });
    t.after(() => relay.close());
    const ann = await connectedClient(t, relay.socketUrl, 'ann');
    const ben = await client(t, 'ben');
    const mine = await ann.document({ id: randomUUID(), data: { n: 0 } });
    const theirs = await ben.document(mine.sid);
    await hearEachOther(mine, theirs);
    isBehind = true;
    await theirs.set({ n: 10 });
    const seen: unknown[] = [];
    await mine.mutate((data) => {
      seen.push((data as { n: number }).n);
      return { n: (data as { n: number }).n + 1 };
    });
    assert.deepEqual(seen, [0, 10]);
    await holds(theirs, 'the increment', ({ n }) => n === 11);
  });

  test('[EVT1] [EVT2] a storm of sets arrives in order, each once, and converges', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl);
    const remote = recorded<Updated>(theirs, 'updated');
    for (let n = 1; n <= 100; n++) await mine.set({ n });
    await holds(theirs, 'the last', ({ n }) => n === 100);
    assert.deepEqual(
      remote.map(({ data }) => data['n']),
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    assert.deepEqual([theirs.revision, theirs.lastEventId], [mine.revision, mine.lastEventId]);
  });

  test('[EVT2] many sets at once collapse on the client and end equal', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl);
    await Promise.all(Array.from({ length: 100 }, (_, n) => mine.set({ n })));
    await holds(theirs, 'the last', ({ n }) => n === 99);
    assert.deepEqual(mine.data, { n: 99 });
  });

  test('[DOC3] the time of the last write moves forward, for writer and reader', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl);
    const before = mine.dateUpdated.getTime();
    await until('the clock moves', () => Date.now() > before);
    await mine.set({ n: 1 });
    await holds(theirs, 'the write', ({ n }) => n === 1);
    assert.ok(mine.dateUpdated.getTime() > before);
    assert.equal(theirs.dateUpdated.getTime(), mine.dateUpdated.getTime());
  });

  test('[REV1] the revision is the event id in lower-case hex', async (t) => {
    const ann = await client(t, 'ann');
    const document = await ann.document();
    for (let n = 1; n <= 17; n++) {
      await document.set({ n });
      assert.deepEqual([document.lastEventId, document.revision], [n, n.toString(16)]);
    }
  });

  test('[DOC5] 16,384 bytes of data are taken, one more is 413 / 54006, in a set and a creation', async (t) => {
    const { mine, theirs, ann } = await shareDocument(t, service.socketUrl);
    // {"t":"…"} has 8 bytes around its text; ü takes two.
    const largest = { t: 'ü'.repeat(8188) };
    await mine.set(largest);
    await holds(theirs, 'the largest data', (data) => data['t'] === largest.t);
    const larger = { t: `${'ü'.repeat(8188)}x` };
    for (const refused of [
      await refusal(mine.set(larger)),
      await refusal(ann.document({ id: randomUUID(), data: larger })),
    ]) {
      assert.deepEqual([refused.status, refused.code], [413, 54006]);
    }
    assert.deepEqual(mine.data, largest);
  });

  test('[DOC6] any JSON arrives as it was sent', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl);
    const data = {
      empty: {},
      list: [1, -0.5, 1e21, 1e-7, 9_007_199_254_740_991, null, true, false, '', [], [[{}]]],
      '': 'empty key',
      'key "quoted" \\ /': 'a\u2028b\u2029c\u0000d\u001f\ud83d\ude00',
      __proto__x: { constructor: 1 },
      unicode: '日本語 עברית 🏳️‍🌈 \ud800',
      long: 'x'.repeat(5000),
    };
    await mine.set(data);
    await holds(theirs, 'the data', (held) => held['long'] === data.long);
    const reread = await (await client(t, 'cem')).document(mine.sid);
    const expected: unknown = JSON.parse(JSON.stringify(data));
    for (const document of [mine, theirs, reread]) assert.deepEqual(document.data, expected);
  });

  test('[DOC6] payloads of many bytes a character keep their sizes right', async (t) => {
    const { mine, theirs } = await shareDocument(t, service.socketUrl);
    for (const text of ['é', '€', '😀', 'é€😀'.repeat(300)]) {
      await mine.set({ text });
      await holds(theirs, 'the text', (data) => data['text'] === text);
    }
  });

  test('[DOC5] [TTL1] null data and impossible ttls are refused, and nothing changes', async (t) => {
    const raw = new RawConnection(t, service.socketUrl);
    await raw.init('ann');
    const { mine, ann } = await shareDocument(t, service.socketUrl, { n: 0 });
    const { revision } = mine;
    const path = `/v3/Documents/${mine.sid}`;
    assert.equal((await raw.request('POST', path, '{"data":null}')).body['code'], 54101);
    for (const ttl of ['-1', '1.5', '31536001', '"5"', 'null']) {
      const { status, body } = await raw.request('POST', path, `{"data":{},"ttl":${ttl}}`);
      assert.deepEqual([status, body['code']], [400, 54011], ttl);
    }
    const { status, code } = await refusal(ann.document({ id: randomUUID(), ttl: 31_536_001 }));
    assert.deepEqual([status, code], [400, 54011]);
    assert.equal((await raw.request('GET', path)).body['revision'], revision);
  });
});
