import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';
import type { Client } from '../../../test/door-harness.ts';

const base = `https://sync.example.org/v3/Services/${service}/Lists`;

async function listOf(client: Client, items: number): Promise<string> {
  const { body } = await client.call('POST', '/v3/Lists', { purpose: 'a test', context: {} });
  const path = `/v3/Lists/${String(body['sid'])}`;
  for (let n = 0; n < items; n++) await client.call('POST', `${path}/Items`, { data: { n } });
  return path;
}

suite('[LST20] [LST21] [LST24] lists', () => {
  test('[LST20] a list has a descriptor with an address for its items', async () => {
    const ann = await (await openDoor()).connect();
    const { status, body } = await ann.call('POST', '/v3/Lists', { unique_name: 'todo', ttl: 60 });
    const sid = String(body['sid']);
    assert.deepEqual([status, body['revision'], body['last_event_id']], [201, '0', 0]);
    assert.match(sid, /^ES[0-9a-f]{32}$/);
    assert.equal(body['url'], `${base}/${sid}`);
    assert.deepEqual(body['links'], { items: `${base}/${sid}/Items`, permissions: `${base}/${sid}/Permissions` });
    assert.deepEqual((await ann.call('GET', '/v3/Lists/todo')).body, body);
    const forever = await ann.call('POST', '/v3/Lists/todo', { ttl: 0 });
    assert.deepEqual([forever.status, forever.body['date_expires']], [200, null]);
    assert.equal((await ann.call('DELETE', `/v3/Lists/${sid}`)).status, 204);
    const gone = await ann.call('GET', `/v3/Lists/${sid}`);
    assert.deepEqual([gone.status, gone.body['code']], [404, 54150]);
  });

  test('[LST20] an item has a number as index, an address, and the event id of its last change', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 2);
    const sid = path.slice('/v3/Lists/'.length);
    const pushed = await ann.call('POST', `${path}/Items`, { data: { n: 2 }, ttl: 60 });
    assert.equal(pushed.status, 201);
    const { index, list_sid: listSid, url, revision, last_event_id: eventId, created_by: by } = pushed.body;
    assert.deepEqual([index, listSid, url], [2, sid, `${base}/${sid}/Items/2`]);
    assert.deepEqual([revision, eventId, by], ['3', 3, 'ann']);
    assert.match(String(pushed.body['date_expires']), /Z$/);
    assert.equal('data' in pushed.body, false, 'the writer has the data');

    const updated = await ann.call('POST', `${path}/Items/2`, { data: { n: 22 } }, { 'If-Match': '3' });
    assert.deepEqual([updated.status, updated.body['revision'], updated.body['last_event_id']], [200, '4', 4]);
    const read = await ann.call('GET', `${path}/Items/2`);
    assert.deepEqual([read.status, read.body], [200, { ...updated.body, data: { n: 22 } }]);
    const list = await ann.call('GET', path);
    assert.equal(list.body['last_event_id'], 4);
  });

  test('[LST20] a ttl alone moves neither revision nor event id of an item', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 1);
    const { status, body } = await ann.call('POST', `${path}/Items/0`, { ttl: 60 });
    assert.deepEqual([status, body['revision'], body['last_event_id']], [200, '1', 1]);
    assert.match(String(body['date_expires']), /Z$/);
  });

  test('[LST21] removing an item answers with a body that has the id of the removal; its index is not used again', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 2);
    const removed = await ann.call('DELETE', `${path}/Items/1`, 'data_sync');
    assert.deepEqual([removed.status, removed.body['index'], removed.body['last_event_id']], [200, 1, 3]);
    assert.match(String(removed.body['date_updated']), /Z$/);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const again = await ann.call(method, `${path}/Items/1`, { data: {} });
      assert.deepEqual([again.status, again.body['code']], [404, 54151], method);
    }
    assert.equal((await ann.call('POST', `${path}/Items`, { data: {} })).body['index'], 2);
  });

  test('[LST21] a removal may have a condition', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 1);
    const refused = await ann.call('DELETE', `${path}/Items/0`, '', { 'If-Match': '7' });
    assert.deepEqual([refused.status, refused.body['code']], [412, 54155]);
    assert.equal((await ann.call('DELETE', `${path}/Items/0`, '', { 'If-Match': '1' })).status, 200);
  });

  test('[LST24] what is wrong with a write of an item is told by its code', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 1);
    const big = { a: 'x'.repeat(16_377) };
    for (const [to, body, headers, status, code] of [
      ['/Items', {}, {}, 400, 54156],
      ['/Items', { data: null }, {}, 400, 54156],
      ['/Items', { data: 7 }, {}, 400, 54008],
      ['/Items', 'no JSON', {}, 400, 54008],
      ['/Items', { data: big }, {}, 413, 54006],
      ['/Items', { data: {}, ttl: 31_536_001 }, {}, 400, 54011],
      ['/Items/0', {}, {}, 400, 54010],
      ['/Items/0', { data: null }, {}, 400, 54156],
      ['/Items/0', { data: big }, {}, 413, 54006],
      ['/Items/0', { data: {} }, { 'If-Match': 'x' }, 400, 54003],
      ['/Items/0', { data: {} }, { 'If-Match': '7' }, 412, 54155],
      ['/Items/1', { data: {} }, {}, 404, 54151],
      ['/Items/-1', { data: {} }, {}, 400, 54458],
      ['/Items/1.5', { data: {} }, {}, 400, 54458],
      ['/Items/x', { data: {} }, {}, 400, 54458],
    ] as const) {
      const answered = await ann.call('POST', `${path}${to}`, body, headers);
      const asked = `${to} ${JSON.stringify(body).slice(0, 30)}`;
      assert.deepEqual([answered.status, answered.body['code']], [status, code], asked);
    }
    const gone = await ann.call('POST', `/v3/Lists/ES${'0'.repeat(32)}/Items`, { data: {} });
    assert.deepEqual([gone.status, gone.body['code']], [404, 54150]);
  });

  test('[WRI3] a repeated push gets the answer of the first', async () => {
    const ann = await (await openDoor()).connect();
    const path = await listOf(ann, 0);
    const headers = { 'Twilio-Request-Id': `RQ${'0'.repeat(32)}` };
    const first = await ann.call('POST', `${path}/Items`, { data: {} }, headers);
    assert.deepEqual(await ann.call('POST', `${path}/Items`, { data: {} }, headers), first);
    assert.equal((await ann.call('POST', `${path}/Items`, { data: {} })).body['index'], 1);
  });

  test('[WRI4] a write of unknown outcome is not answered', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const path = await listOf(ann, 0);
    h.storage.errorAfterCommit = new Error('the thread died');
    const id = ann.request('POST', `${path}/Items`, { data: {} });
    await h.settle();
    assert.equal(ann.replyTo(id), undefined);
    assert.equal(ann.link.isDropped, true);
  });
});
