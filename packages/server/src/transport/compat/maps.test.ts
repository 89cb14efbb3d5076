import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';
import type { Client } from '../../../test/door-harness.ts';

const base = `https://sync.example.org/v3/Services/${service}/Maps`;

async function mapOf(client: Client): Promise<string> {
  const { body } = await client.call('POST', '/v3/Maps', {});
  return `/v3/Maps/${String(body['sid'])}`;
}

suite('[MAP20] [MAP21] [MAP22] [MAP24] maps', () => {
  test('[MAP20] a map has a descriptor with an address for its items', async () => {
    const ann = await (await openDoor()).connect();
    const { status, body } = await ann.call('POST', '/v3/Maps', { unique_name: 'users' });
    const sid = String(body['sid']);
    assert.deepEqual([status, body['revision'], body['last_event_id']], [201, '0', 0]);
    assert.match(sid, /^MP[0-9a-f]{32}$/);
    assert.deepEqual(body['links'], { items: `${base}/${sid}/Items`, permissions: `${base}/${sid}/Permissions` });
    assert.deepEqual((await ann.call('GET', '/v3/Maps/users')).body, body);
    assert.equal((await ann.call('DELETE', '/v3/Maps/users')).status, 204);
    const gone = await ann.call('PUT', `/v3/Maps/${sid}/Items/a`, { data: {} }, { 'If-Match': '1' });
    assert.deepEqual([gone.status, gone.body['code']], [404, 54200]);
  });

  test('[MAP20] PUT is 201 for a key that was free and 200 for one that was taken', async () => {
    const ann = await (await openDoor()).connect();
    const path = `${await mapOf(ann)}/Items/k`;
    const put = async (headers = {}): Promise<readonly unknown[]> => {
      const { status, body } = await ann.call('PUT', path, { data: {} }, headers);
      return [status, body['code'] ?? body['last_event_id']];
    };
    assert.deepEqual(await put({ 'If-Match': '0' }), [412, 54205], 'a key that is not there has no revision');
    assert.deepEqual(await put({ 'If-Match': '-1' }), [201, 1]);
    assert.deepEqual(await put({ 'If-Match': '-1' }), [412, 54205]);
    assert.deepEqual(await put(), [200, 2]);
    assert.deepEqual(await put({ 'If-Match': '1' }), [412, 54205]);
    assert.deepEqual(await put({ 'If-Match': '2' }), [200, 3]);
    assert.deepEqual(await put({ 'If-Match': 'x' }), [400, 54003]);
    const removed = await ann.call('DELETE', path, 'data_sync');
    assert.deepEqual([removed.status, removed.body['key'], removed.body['last_event_id']], [200, 'k', 4]);
    assert.deepEqual(await put({ 'If-Match': '3' }), [412, 54205]);
    assert.deepEqual(await put(), [201, 5], 'what is made again goes on counting');
  });

  test('[MAP21] any key is reached at the address that its item tells', async () => {
    const ann = await (await openDoor()).connect();
    const path = await mapOf(ann);
    for (const key of ['a b', 'a/b', '%2F', 'ü', '😀', '?x=1&y', '#', '"', '\\', ' ', '..', 'k'.repeat(320)]) {
      const put = await ann.call('PUT', `${path}/Items/${encodeURIComponent(key)}`, { data: { key } });
      assert.deepEqual([put.status, put.body['key']], [201, key]);
      const url = String(put.body['url']);
      assert.equal(url, `${base}/${path.slice('/v3/Maps/'.length)}/Items/${encodeURIComponent(key)}`);
      const there = url.slice('https://sync.example.org'.length);
      const read = await ann.call('GET', there);
      assert.deepEqual([read.status, read.body['key'], read.body['data']], [200, key, { key }]);
      const queried = await ann.call('GET', `${path}/Items?Key=${encodeURIComponent(key)}`);
      assert.deepEqual(
        (queried.body['items'] as readonly { key: string }[]).map((item) => item.key),
        [key],
      );
      assert.equal((await ann.call('POST', there, { ttl: 60 })).status, 200);
      assert.equal((await ann.call('DELETE', there, 'data_sync')).status, 200);
    }
  });

  test('[MAP24] what is wrong with a write of an item is told by its code', async () => {
    const ann = await (await openDoor()).connect();
    const path = await mapOf(ann);
    await ann.call('PUT', `${path}/Items/a`, { data: {} });
    const big = { a: 'x'.repeat(16_377) };
    for (const [method, to, body, status, code] of [
      ['PUT', '/Items/b', {}, 400, 54206],
      ['PUT', '/Items/b', { data: null }, 400, 54206],
      ['PUT', '/Items/b', { data: [] }, 400, 54008],
      ['PUT', '/Items/b', '', 400, 54008],
      ['PUT', '/Items/b', { data: big }, 413, 54006],
      ['PUT', '/Items/b', { data: {}, ttl: 0.5 }, 400, 54011],
      ['PUT', '/Items/', { data: {} }, 400, 54209],
      ['PUT', '/Items/a%00b', { data: {} }, 400, 54209],
      ['PUT', `/Items/${'k'.repeat(321)}`, { data: {} }, 400, 54209],
      ['POST', '/Items/a', {}, 400, 54010],
      ['POST', '/Items/b', { data: {} }, 404, 54201],
      ['DELETE', '/Items/b', '', 404, 54201],
      ['GET', '/Items/b', '', 404, 54201],
      ['POST', '/Items', { data: {} }, 400, 54209],
      ['POST', '/Items', { key: 7, data: {} }, 400, 54209],
      ['POST', '/Items', { key: '\ud800', data: {} }, 400, 54209],
      ['POST', '/Items', { key: 'b' }, 400, 54206],
      ['POST', '/Items', { key: 'a', data: {} }, 409, 54208],
    ] as const) {
      const answered = await ann.call(method, `${path}${to}`, body);
      const asked = `${method} ${to.slice(0, 20)} ${JSON.stringify(body).slice(0, 30)}`;
      assert.deepEqual([answered.status, answered.body['code']], [status, code], asked);
    }
  });

  test('[MAP21] other clients add by POST with the key in the body, and update by POST', async () => {
    const ann = await (await openDoor()).connect();
    const path = await mapOf(ann);
    const added = await ann.call('POST', `${path}/Items`, { key: 'a/b', data: { n: 1 }, ttl: 60 });
    assert.deepEqual([added.status, added.body['key'], added.body['last_event_id']], [201, 'a/b', 1]);
    const updated = await ann.call('POST', `${path}/Items/a%2Fb`, { data: { n: 2 } }, { 'If-Match': '1' });
    assert.deepEqual([updated.status, updated.body['last_event_id']], [200, 2]);
    const read = await ann.call('GET', `${path}/Items/a%2Fb`);
    assert.deepEqual(read.body['data'], { n: 2 });
    assert.equal((await ann.call('POST', `${path}/Items/a%2Fb`, { data: {} }, { 'If-Match': '1' })).status, 412);
  });

  test('[MAP22] a map that is opened with its items brings the first of them along', async () => {
    const ann = await (await openDoor()).connect();
    const path = await mapOf(ann);
    assert.deepEqual((await ann.call('GET', `${path}?Include=items`)).body['items'], []);
    for (const key of ['b', 'a']) await ann.call('PUT', `${path}/Items/${key}`, { data: { key } });
    const { status, body } = await ann.call('GET', `${path}?Include=items`);
    const read = await ann.call('GET', `${path}/Items`);
    assert.deepEqual([status, body['items'], body['last_event_id']], [200, read.body['items'], 2]);
    assert.deepEqual(
      (body['items'] as readonly { key: string }[]).map(({ key }) => key),
      ['a', 'b'],
    );
    assert.equal('items' in (await ann.call('GET', path)).body, false);
    const missing = await ann.call('GET', '/v3/Maps/nothing?Include=items');
    assert.deepEqual([missing.status, missing.body['code']], [404, 54300]);
  });
});
