import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { otherService, service } from '../../../test/commands.ts';
import { notifications, openDoor } from '../../../test/door-harness.ts';
import { statusOf } from '../../../test/frame-client.ts';
import { NotApplied } from '../../storage/storage.ts';

const somebodysSid = `ET${'0'.repeat(31)}9`;

suite('[CON10] [CON11] requests', () => {
  test('[CON10] both forms of an address reach a document, by sid and by name', async () => {
    const ann = await (await openDoor()).connect();
    const sid = await ann.create({ n: 1 }, { unique_name: 'a board/ü%' });
    const ids = [sid, encodeURIComponent('a board/ü%')];
    for (const prefix of ['/v3', `/v3/Services/${service}`]) {
      for (const id of ids) {
        const { status, body } = await ann.call('GET', `${prefix}/Documents/${id}`);
        assert.deepEqual([status, body['sid'], body['data']], [200, sid, { n: 1 }]);
      }
    }
    const { body } = await ann.call('GET', `/v3/Documents/${sid}`);
    assert.equal(body['url'], `https://sync.example.org/v3/Services/${service}/Documents/${sid}`);
  });

  test('[CON10] a slash in a name is data when it is encoded, and parts the path when it is not', async () => {
    const ann = await (await openDoor()).connect();
    await ann.create({ n: 1 }, { unique_name: 'a/b' });
    assert.equal((await ann.call('GET', '/v3/Documents/a%2Fb')).status, 200);
    const { status, body } = await ann.call('GET', '/v3/Documents/a/b');
    assert.deepEqual([status, body['code']], [404, 54001]);
  });

  test("[CON10] a request for another service than the token's is refused, whether it exists or not", async () => {
    const ann = await (await openDoor()).connect();
    for (const other of [otherService, `IS${'9'.repeat(32)}`, 'default', '', service.toLowerCase()]) {
      const { status, body } = await ann.call('POST', `/v3/Services/${other}/Documents`, {});
      assert.deepEqual([status, body['code']], [403, 54056], other);
    }
  });

  test('[OBJ3] [CON10] half of a surrogate pair in a path is 400, and reaches nothing that is stored under another name', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    await ann.create({}, { unique_name: 'x\ufffd' });
    for (const method of ['GET', 'POST', 'DELETE']) {
      assert.equal((await ann.call(method, '/v3/Documents/x\ud800', { data: {} })).status, 400);
    }
    assert.equal((await ann.call('GET', '/v3/Documents/x\ufffd')).status, 200);
  });

  test('[CON10] unknown routes are 404, broken percent-encoding is 400', async () => {
    const ann = await (await openDoor()).connect();
    const unknown: readonly (readonly [string, string])[] = [
      ['GET', '/v3/Documents'],
      ['PUT', `/v3/Documents/${somebodysSid}`],
      ['POST', '/v3/Insights/x/Items'],
      ['GET', '/v3/Lists'],
      ['PUT', '/v3/Lists/x/Items/0'],
      ['GET', '/v3/Maps/x/Messages'],
      ['GET', '/v3/Streams/x/Messages'],
      ['POST', '/v3/Streams/x/Items'],
      ['GET', '/v3/Maps/x/Items/y/z'],
      ['GET', '/v2/Documents/x'],
      ['GET', '/'],
      ['GET', '//v3/Documents/x'],
      ['get', `/v3/Documents/${somebodysSid}`],
      ['GET', `/v3/documents/${somebodysSid}`],
      ['POST', '/v4/Subscriptions/x'],
      ['POST', '/v4%2FSubscriptions'],
    ];
    for (const [method, path] of unknown) {
      const { status, body } = await ann.call(method, path, {});
      assert.deepEqual([status, body['code']], [404, 54001], `${method} ${path}`);
    }
    for (const path of [
      '/v3/Documents/%',
      '/v3/Documents/%zz',
      '/v3/Documents/%e9',
      '/v3/Documents/%ed%a0%80',
      'v3/Documents/x',
    ]) {
      assert.equal((await ann.call('GET', path)).status, 400, path);
    }
  });

  test('[CON11] whatever becomes of a request, its outer status is 200', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const ids = [
      ann.request('GET', '/v3/Documents/nothing'),
      ann.request('POST', '/v3/Documents', '{"data":'),
      ann.request('GET', '/%'),
      ann.send('message', { active_grant: 'data_sync' }),
      ann.send('message', { http_request: { method: 'GET' } }),
      ann.send('message', { http_request: 7 }),
    ];
    await h.settle();
    assert.deepEqual(
      ids.map((id) => [statusOf(ann.replyTo(id)).code, ann.answerTo(id).status]),
      [404, 400, 400, 400, 400, 400].map((inner) => [200, inner]),
    );
  });

  test('[CON11] a read that fails is a 500 inside', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    h.storage.readError = new Error('no reader');
    assert.equal((await ann.call('GET', '/v3/Documents/x')).status, 500);
  });

  test('[CON11] the payload of a DELETE is never read', async () => {
    const ann = await (await openDoor()).connect();
    const sid = await ann.create();
    assert.deepEqual(await ann.call('DELETE', `/v3/Documents/${sid}`, 'data_sync'), {
      status: 204,
      body: {},
      text: '',
    });
    assert.equal((await ann.call('DELETE', `/v3/Documents/${sid}`, 'data_sync')).status, 404);
  });
});

suite('[OBJ2] [ACC2] services', () => {
  test('[OBJ2] to another service a document does not exist, by sid or by name', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    const ben = await h.connect('ben', { service: otherService });
    const sid = await ann.create({ secret: 1 }, { unique_name: 'board' });
    for (const [id, code] of [
      [sid, 54100],
      ['board', 54300],
    ] as const) {
      for (const [method, body] of [
        ['GET', ''],
        ['POST', { data: { stolen: 1 } }],
        ['DELETE', ''],
      ] as const) {
        const answered = await ben.call(method, `/v3/Documents/${id}`, body);
        assert.deepEqual([answered.status, answered.body['code']], [404, code], `${method} ${id}`);
      }
    }
    assert.deepEqual((await ann.call('GET', '/v3/Documents/board')).body['data'], { secret: 1 });
    assert.notEqual(await ben.create({}, { unique_name: 'board' }), sid);
  });

  test('[ACC2] a token without service, or with the word default, opens the default one', async () => {
    const h = await openDoor();
    for (const [named, expected] of [
      [undefined, service],
      ['default', service],
      [otherService, otherService],
    ] as const) {
      const client = await h.connect('ann', named === undefined ? {} : { service: named });
      assert.equal((await client.call('POST', '/v3/Documents', {})).body['service_sid'], expected);
    }
  });
});

suite('[DOC5] [DOC6] data', () => {
  const create = async (body: string | Buffer): Promise<readonly unknown[]> => {
    const ann = await (await openDoor()).connect();
    const answered = await ann.call('POST', '/v3/Documents', body);
    return answered.status === 201 ? [201] : [answered.status, answered.body['code']];
  };

  test('[DOC5] 16,384 bytes of stored text are taken, one more is not', async () => {
    const filled = (bytes: number, unit: string): string => {
      const frame = '{"a":""}'.length;
      const width = Buffer.byteLength(unit);
      const text = unit.repeat(Math.floor((bytes - frame) / width));
      return `{"data":{"a":"${text}${'x'.repeat((bytes - frame) % width)}"}}`;
    };
    for (const unit of ['x', 'é', '€', '😀']) {
      assert.deepEqual(await create(filled(16_384, unit)), [201], unit);
      assert.deepEqual(await create(filled(16_385, unit)), [413, 54006], unit);
    }
  });

  test('[DOC6] insignificant blanks are not counted', async () => {
    assert.deepEqual(await create(`{"data": {"a": ${' '.repeat(20_000)} "${'x'.repeat(16_376)}" }}`), [201]);
    assert.deepEqual(await create(`{"data":{"a":"${' '.repeat(16_377)}"}}`), [413, 54006]);
  });

  test('[DOC5] what is no acceptable JSON is refused', async () => {
    for (const body of [
      '',
      'data_sync',
      '[]',
      '7',
      'null',
      '{"data":[]}',
      '{"data":"{}"}',
      '{"data":7}',
      '{"data":{"a":1e400}}',
    ]) {
      assert.deepEqual(await create(body), [400, 54008], body);
    }
    assert.deepEqual(await create(`{"data":${'{"a":'.repeat(200)}{}${'}'.repeat(200)}}`), [400, 54008]);
    assert.deepEqual(await create(`{"data":${'{"a":'.repeat(199)}{}${'}'.repeat(199)}}`), [201]);
    assert.deepEqual(await create(Buffer.from('{"data":{"a":"\xe9"}}', 'latin1')), [400, 54008]);
  });

  test('[DOC5] null or missing data where it is required is refused as such', async () => {
    assert.deepEqual(await create('{"data":null}'), [400, 54101]);
    const ann = await (await openDoor()).connect();
    const sid = await ann.create();
    for (const body of ['{}', '{"data":null}', '{"unique_name":"x"}']) {
      const answered = await ann.call('POST', `/v3/Documents/${sid}`, body);
      assert.deepEqual([answered.status, answered.body['code']], [400, 54101], body);
    }
    const empty = await ann.call('POST', `/v3/Documents/${sid}`, '');
    assert.deepEqual([empty.status, empty.body['code']], [400, 54008]);
  });

  test('[DOC6] readers and subscribers get the text that was sent, numbers as written', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const sid = await ann.create();
    await ann.follow(sid);
    const sent = String.raw`{ "n": 1.50e+2, "big": 123456789012345678901234567890, "t": "\u00e9 \" ", "__proto__": {"x": [ 1 , 2 ]} }`;
    const kept = String.raw`{"n":1.50e+2,"big":123456789012345678901234567890,"t":"\u00e9 \" ","__proto__":{"x":[1,2]}}`;
    assert.equal((await ann.call('POST', `/v3/Documents/${sid}`, `{"data":{"old":1}, "data" : ${sent}}`)).status, 200);
    const event = ann.take().findLast(({ method }) => method === 'notification');
    assert.ok(event?.payloadText.includes(`"document_data":${kept},`));
    assert.ok((await ann.call('GET', `/v3/Documents/${sid}`)).text.endsWith(`"data":${kept}}`));
  });
});

suite('[REV2] [EVT3] writers', () => {
  test('[REV2] of several writers with the same expected revision exactly one wins', async () => {
    const h = await openDoor();
    const clients = await Promise.all(['ann', 'ben', 'cem', 'dan'].map((identity) => h.connect(identity)));
    const sid = await clients[0]!.create({ n: 0 });
    for (let round = 0; round < 5; round++) {
      const ids = clients.map((client, n) =>
        client.request('POST', `/v3/Documents/${sid}`, { data: { n } }, { 'If-Match': round.toString(16) }),
      );
      await h.settle();
      const statuses = clients.map((client, n) => client.answerTo(ids[n]!).status);
      assert.deepEqual(
        statuses.toSorted((a, b) => a - b),
        [200, 412, 412, 412],
      );
      const { body } = await clients[0]!.call('GET', `/v3/Documents/${sid}`);
      assert.deepEqual(body['data'], { n: statuses.indexOf(200) });
      assert.equal(body['revision'], (round + 1).toString(16));
    }
  });

  test('[REV2] headers are found whatever their case', async () => {
    const ann = await (await openDoor()).connect();
    const sid = await ann.create();
    assert.equal((await ann.call('POST', `/v3/Documents/${sid}`, { data: {} }, { 'if-match': '7' })).status, 412);
    assert.equal((await ann.call('POST', `/v3/Documents/${sid}`, { data: {} }, { 'IF-MATCH': '0' })).status, 200);
  });

  test('[EVT3] a writer gets its reply first, its event after', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const sid = await ann.create();
    await ann.follow(sid);
    const kinds = async (act: () => void): Promise<readonly string[]> => {
      act();
      await h.settle();
      return ann.take().map(({ method, payload }) => (method === 'reply' ? method : String(payload?.['event_type'])));
    };
    assert.deepEqual(await kinds(() => ann.request('POST', `/v3/Documents/${sid}`, { data: {} })), [
      'reply',
      'document_updated',
    ]);
    const pipelined = await kinds(() => {
      for (let n = 0; n < 3; n++) ann.request('POST', `/v3/Documents/${sid}`, { data: { n } });
    });
    assert.deepEqual(pipelined, [...Array<string>(3).fill('reply'), ...Array<string>(3).fill('document_updated')]);
    assert.deepEqual(await kinds(() => ann.request('DELETE', `/v3/Documents/${sid}`)), ['reply', 'document_removed']);
  });
});

suite('[WRI2] [WRI3] [WRI4] writes through the door', () => {
  const withId = { 'Twilio-Request-Id': `RQ${'0'.repeat(32)}` };

  test('[WRI2] a full queue answers 503 and changes nothing; reads go on', async () => {
    const h = await openDoor({ writeQueue: 1 });
    const ann = await h.connect();
    const sid = await ann.create({ n: 0 });
    h.storage.commitGate.shut();
    const write = (n: number): string => ann.request('POST', `/v3/Documents/${sid}`, { data: { n } });
    const first = write(1);
    await h.settle();
    const second = write(2);
    const third = write(3);
    await h.settle();
    assert.deepEqual([ann.answerTo(third).status, ann.answerTo(third).body['code']], [503, 20503]);
    assert.equal(h.engine.takesWrites, false);
    assert.equal((await ann.call('GET', `/v3/Documents/${sid}`)).status, 200);
    h.storage.commitGate.open();
    await h.settle();
    assert.deepEqual([ann.answerTo(first).status, ann.answerTo(second).status], [200, 200]);
    const { body } = await ann.call('GET', `/v3/Documents/${sid}`);
    assert.deepEqual([body['data'], body['revision']], [{ n: 2 }, '2']);
  });

  test('[WRI2] a commit that certainly was not applied is a 503, and may be repeated', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    h.storage.commitError = new NotApplied('the disk is full');
    const refused = await ann.call('POST', '/v3/Documents', { unique_name: 'a' }, withId);
    assert.deepEqual([refused.status, refused.body['code']], [503, 20503]);
    h.storage.commitError = undefined;
    // Storage is tried again first.
    await h.advance(500);
    assert.equal((await ann.call('POST', '/v3/Documents', { unique_name: 'a' }, withId)).status, 201);
  });

  test('[WRI3] a repeated write is applied once, on any connection of the identity', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    const first = await ann.call('POST', '/v3/Documents', { data: { n: 1 } }, withId);
    const again = await ann.call('POST', '/v3/Documents', { data: { n: 1 } }, withId);
    const elsewhere = await (await h.connect('ann')).call('POST', '/v3/Documents', { data: { n: 1 } }, withId);
    assert.equal(first.status, 201);
    assert.deepEqual([again, elsewhere], [first, first]);
    assert.equal(h.storage.commits.flat().length, 1);
  });

  test('[WRI3] a repeat while the first is under way waits for its answer', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    const sid = await ann.create();
    h.storage.commitGate.shut();
    const ids = [1, 2, 3].map(() => ann.request('DELETE', `/v3/Documents/${sid}`, 'data_sync', withId));
    await h.settle();
    h.storage.commitGate.open();
    await h.settle();
    assert.deepEqual(
      ids.map((id) => ann.answerTo(id).status),
      [204, 204, 204],
    );
  });

  test('[WRI3] a refused write is judged anew', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    const write = (): Promise<{ status: number }> => ann.call('POST', '/v3/Documents/later', { data: {} }, withId);
    assert.equal((await write()).status, 404);
    await ann.create({}, { unique_name: 'later' });
    assert.equal((await write()).status, 200);
  });

  test('[WRI3] the same request id of another identity or service is another write', async () => {
    const h = await openDoor();
    const clients = [await h.connect('ann'), await h.connect('ben'), await h.connect('ann', { service: otherService })];
    const sids = new Set<unknown>();
    for (const client of clients) sids.add((await client.call('POST', '/v3/Documents', {}, withId)).body['sid']);
    assert.equal(sids.size, 3);
  });

  test('[WRI3] no identity and request id together look like those of another', async () => {
    const h = await openDoor();
    const ann = await h.connect('a b');
    const ben = await h.connect('b');
    const first = await ann.call('POST', '/v3/Documents', { data: {} }, { 'Twilio-Request-Id': 'RQ1' });
    for (const id of ['RQ1 a', 'a b', 'RQ1","a b', '"RQ1"']) {
      const { body } = await ben.call('POST', '/v3/Documents', { data: {} }, { 'Twilio-Request-Id': id });
      assert.notEqual(body['sid'], first.body['sid']);
      assert.equal(body['created_by'], 'b');
    }
  });

  test('[WRI3] without a request id every write counts, and reads are never repeated from memory', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    assert.notEqual(await ann.create(), await ann.create());
    const sid = await ann.create({ n: 1 });
    await ann.call('GET', `/v3/Documents/${sid}`, '', withId);
    await ann.write(sid, { n: 2 });
    assert.deepEqual((await ann.call('GET', `/v3/Documents/${sid}`, '', withId)).body['data'], { n: 2 });
  });

  test('[WRI4] when nobody knows what became of a write, no answer is given and the connection is dropped', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann');
    h.storage.errorAfterCommit = new Error('the thread died');
    const id = ann.request('POST', '/v3/Documents', { unique_name: 'a' }, withId);
    await h.settle();
    assert.equal(ann.replyTo(id), undefined);
    assert.deepEqual([ann.link.isDropped, ann.link.closedWith], [true, undefined]);
    const back = await h.connect('ann');
    const repeat = back.request('POST', '/v3/Documents', { unique_name: 'a' }, withId);
    await h.settle();
    assert.equal(back.replyTo(repeat), undefined, 'nor is a repeat of it');
    assert.equal(back.link.isDropped, true);
  });

  test('[SUB7] after a commit of unknown outcome every subscriber comes back to what the store holds', async () => {
    const h = await openDoor();
    const [ann, ben] = [await h.connect('ann'), await h.connect('ben')];
    const sid = await ann.create({ n: 0 });
    await ben.follow(sid);
    h.storage.errorAfterCommit = new Error('the thread died');
    ann.request('POST', `/v3/Documents/${sid}`, { data: { n: 1 } });
    await h.settle();
    assert.equal(ben.link.isDropped, true);
    const back = await h.connect('ben');
    back.subscribe([{ object_sid: sid, last_event_id: 0 }]);
    await h.settle();
    const [missed] = notifications(back.take());
    assert.deepEqual((missed!['event'] as { document_data: unknown }).document_data, { n: 1 });
  });
});

suite('[ACC3] keys', () => {
  test('[ACC3] a revoked key is unknown at once and its connections are dropped; others stay', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', { key: 2 });
    const renewed = await h.connect('cem', { key: 1 });
    await renewed.update(h.token('cem', { key: 2 }));
    const ben = await h.connect('ben', { key: 1 });
    const moved = await h.connect('dan', { key: 2 });
    await moved.update(h.token('dan', { key: 1 }));
    const revoked = h.engine.administration.revokeKey(`SK${'2'.padStart(32, '0')}`);
    await h.settle();
    await revoked;
    assert.deepEqual([ann.link.isDropped, renewed.link.isDropped], [true, true]);
    assert.deepEqual([ben.link.isOpen, moved.link.isOpen], [true, true]);
    assert.equal(h.door.connections, 2);
    const reply = await h.open().init(h.token('ann', { key: 2 }));
    assert.equal(statusOf(reply).errorCode, 20103);
    assert.equal(statusOf(await ben.update(h.token('ben', { key: 2 }))).errorCode, 20103);
  });
});
