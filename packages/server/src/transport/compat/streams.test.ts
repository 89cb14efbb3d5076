import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { otherService, service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';

const base = `https://sync.example.org/v3/Services/${service}/Streams`;

suite('[STR20] [STR21] streams', () => {
  test('[STR20] a stream has an address and one for its messages, and neither revision nor event id', async () => {
    const ann = await (await openDoor()).connect();
    const { status, body } = await ann.call('POST', '/v3/Streams', { unique_name: 'news', ttl: 60 });
    assert.equal(status, 201);
    const { sid } = body;
    const url = `${base}/${String(sid)}`;
    assert.match(String(sid), /^TO[0-9a-f]{32}$/);
    assert.equal(body['url'], url);
    assert.deepEqual(body['links'], { messages: `${url}/Messages`, permissions: `${url}/Permissions` });
    assert.equal(body['unique_name'], 'news');
    assert.match(String(body['date_expires']), /Z$/);
    assert.deepEqual(
      ['revision', 'last_event_id', 'data'].filter((name) => name in body),
      [],
    );
    for (const id of [String(sid), 'news']) {
      const found = await ann.call('GET', `/v3/Streams/${id}`);
      assert.deepEqual([found.status, found.body], [200, body]);
    }
  });

  test('[STR20] its ttl can be changed and it can be removed; then it is missing by sid and by name', async () => {
    const ann = await (await openDoor()).connect();
    const { body } = await ann.call('POST', '/v3/Streams', { unique_name: 'news' });
    const sid = String(body['sid']);
    const updated = await ann.call('POST', `/v3/Streams/${sid}`, { ttl: 60 });
    assert.deepEqual([updated.status, typeof updated.body['date_expires']], [200, 'string']);
    const forever = await ann.call('POST', `/v3/Streams/${sid}`, { ttl: 0 });
    assert.deepEqual([forever.status, forever.body['date_expires']], [200, null]);
    assert.deepEqual(await ann.call('DELETE', `/v3/Streams/${sid}`, 'data_sync'), { status: 204, body: {}, text: '' });
    for (const [id, code] of [
      [sid, 54250],
      ['news', 54300],
    ] as const) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', ''],
        ['POST', '/Messages'],
        ['DELETE', ''],
      ] as const) {
        const answered = await ann.call(method, `/v3/Streams/${id}${path}`, { ttl: 1, data: {} });
        assert.deepEqual([answered.status, answered.body['code']], [404, code], `${method} ${path}`);
      }
    }
  });

  test('[OBJ2] [OBJ4] each kind has its own names, and each service its own objects', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const ben = await h.connect('ben', { service: otherService });
    for (const kind of ['Documents', 'Lists', 'Maps', 'Streams']) {
      assert.equal((await ann.call('POST', `/v3/${kind}`, { unique_name: 'same' })).status, 201, kind);
      const again = await ann.call('POST', `/v3/${kind}`, { unique_name: 'same' });
      assert.deepEqual([again.status, again.body['code']], [409, 54301], kind);
      const theirs = await ben.call('GET', `/v3/${kind}/same`);
      assert.deepEqual([theirs.status, theirs.body['code']], [404, 54300], kind);
    }
  });

  test('[OBJ3] [TTL1] names and ttls are judged as those of documents, and an update without ttl is none', async () => {
    const ann = await (await openDoor()).connect();
    for (const kind of ['Lists', 'Maps', 'Streams']) {
      const path = `/v3/${kind}`;
      const { body } = await ann.call('POST', path, {});
      for (const [where, sent, code] of [
        [path, { unique_name: `TO${'0'.repeat(32)}` }, 54302],
        [path, { unique_name: '' }, 54302],
        [path, { unique_name: 7 }, 54302],
        [path, { ttl: 1.5 }, 54011],
        [path, { ttl: null }, 54011],
        [path, '[]', 54008],
        [`${path}/${String(body['sid'])}`, {}, 54010],
        [`${path}/${String(body['sid'])}`, { ttl: -1 }, 54011],
        [`${path}/${String(body['sid'])}`, 'data_sync', 54008],
      ] as const) {
        const answered = await ann.call('POST', where, sent);
        assert.deepEqual([answered.status, answered.body['code']], [400, code], `${kind} ${JSON.stringify(sent)}`);
      }
    }
  });

  test('[STR21] a published message is answered 201 with its sid, each with another', async () => {
    const ann = await (await openDoor()).connect();
    await ann.call('POST', '/v3/Streams', { unique_name: 'news' });
    const sids = new Set<unknown>();
    for (let n = 0; n < 3; n++) {
      const { status, body } = await ann.call('POST', '/v3/Streams/news/Messages', { data: { n } });
      assert.equal(status, 201);
      assert.match(String(body['sid']), /^TZ[0-9a-f]{32}$/);
      sids.add(body['sid']);
    }
    assert.equal(sids.size, 3);
  });

  test('[STR21] data of a message is an object of at most 4,096 bytes', async () => {
    const ann = await (await openDoor()).connect();
    await ann.call('POST', '/v3/Streams', { unique_name: 'news' });
    for (const [body, status, code] of [
      ['{}', 400, 54251],
      ['{"data":null}', 400, 54251],
      ['{"data":7}', 400, 54008],
      ['{"data":[]}', 400, 54008],
      ['', 400, 54008],
      [`{"data":{"a":"${'x'.repeat(4_088)}"}}`, 201, undefined],
      [`{"data":{"a":"${'x'.repeat(4_089)}"}}`, 413, 54006],
      [`{"data":{"a":"${'é'.repeat(2_044)}"}}`, 201, undefined],
      [`{"data":{"a":"${'é'.repeat(2_045)}"}}`, 413, 54006],
    ] as const) {
      const answered = await ann.call('POST', '/v3/Streams/news/Messages', body);
      assert.deepEqual([answered.status, answered.body['code']], [status, code], body.slice(0, 20));
    }
  });
});
