import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';

interface Page {
  readonly keys: readonly (number | string)[];
  readonly previous: string | null;
  readonly next: string | null;
}

async function read(client: Client, path: string, query = ''): Promise<Page> {
  const { status, body } = await client.call('GET', `${path}/Items?${query}`);
  assert.equal(status, 200, query);
  const items = body['items'] as readonly { readonly index?: number; readonly key?: string; readonly data: object }[];
  const { previous_token: previous, next_token: next } = body['meta'] as Record<string, string | null>;
  assert.ok(previous !== undefined && next !== undefined, 'both tokens are told');
  return { keys: items.map(({ index, key }) => index ?? key ?? ''), previous, next };
}

/** What clients look at: the items, and whether there are more before and after them. */
async function see(client: Client, path: string, query = ''): Promise<readonly unknown[]> {
  const { keys, previous, next } = await read(client, path, query);
  return [keys, previous !== null, next !== null];
}

async function listOf(client: Client, items: number): Promise<string> {
  const { body } = await client.call('POST', '/v3/Lists', {});
  const path = `/v3/Lists/${String(body['sid'])}`;
  for (let n = 0; n < items; n++) await client.call('POST', `${path}/Items`, { data: { n } });
  return path;
}

async function mapOf(client: Client, keys: readonly string[]): Promise<string> {
  const { body } = await client.call('POST', '/v3/Maps', {});
  const path = `/v3/Maps/${String(body['sid'])}`;
  for (const key of keys) await client.call('PUT', `${path}/Items/${encodeURIComponent(key)}`, { data: { key } });
  return path;
}

async function open(): Promise<{ readonly h: Harness; readonly ann: Client }> {
  const h = await openDoor();
  return { h, ann: await h.connect() };
}

suite('[LST22] [LST23] [MAP23] pages of items', () => {
  test('[LST22] a token is there exactly when there are items on its side, in the order asked for', async () => {
    const { ann } = await open();
    const path = await listOf(ann, 6);
    await ann.call('DELETE', `${path}/Items/2`);
    for (const [query, keys, previous, next] of [
      ['', [0, 1, 3, 4, 5], false, false],
      ['HideExpired=true&PageSize=2', [0, 1], false, true],
      ['PageSize=2&Order=desc', [5, 4], false, true],
      ['From=0', [0, 1, 3, 4, 5], false, false],
      ['From=1&PageSize=2', [1, 3], true, true],
      ['From=1&PageSize=2&Order=desc', [1, 0], true, false],
      ['From=2&PageSize=2', [3, 4], true, true],
      ['From=2&PageSize=2&Order=desc', [1, 0], true, false],
      ['From=3&PageSize=2&Bounds=exclusive', [4, 5], true, false],
      ['From=3&PageSize=2&Bounds=inclusive&Order=asc', [3, 4], true, true],
      ['From=5', [5], true, false],
      ['From=5&Order=desc', [5, 4, 3, 1, 0], false, false],
      ['From=5&Bounds=exclusive', [], true, false],
      ['From=99', [], true, false],
      ['From=99&Order=desc&PageSize=2', [5, 4], false, true],
      ['Index=3', [3], false, false],
      ['Index=2', [], false, false],
      ['Index=99&HideExpired=true', [], false, false],
    ] as const) {
      assert.deepEqual(await see(ann, path, query), [keys, previous, next], query);
    }
    assert.deepEqual(await see(ann, await listOf(ann, 0)), [[], false, false]);
  });

  test('[LST22] a page that begins with an item its reader has goes beyond it while there are more', async () => {
    const { ann } = await open();
    const path = await listOf(ann, 3);
    assert.deepEqual(await see(ann, path, 'From=0&PageSize=1'), [[0, 1], false, true]);
    assert.deepEqual(await see(ann, path, 'From=2&PageSize=1'), [[2], true, false]);
    assert.deepEqual(await see(ann, path, 'PageSize=1'), [[0], false, true]);
    assert.deepEqual(await see(ann, path, 'From=0&PageSize=1&Bounds=exclusive'), [[1], true, true]);
  });

  test('[LST22] tokens lead through all items and back in both orders, alone, whatever comes and goes', async () => {
    const { ann } = await open();
    for (const order of ['asc', 'desc']) {
      const path = await listOf(ann, 7);
      const expected = order === 'asc' ? [0, 1, 2, 3, 4, 5, 6] : [6, 5, 4, 3, 2, 1, 0];
      const pages = [await read(ann, path, `PageSize=3&Order=${order}`)];
      for (let next = pages[0]?.next; next !== null && next !== undefined; next = pages.at(-1)?.next) {
        pages.push(await read(ann, path, `PageToken=${next}`));
      }
      assert.deepEqual(
        pages.map(({ keys }) => keys),
        [expected.slice(0, 3), expected.slice(3, 6), expected.slice(6)],
      );
      const back = [pages.at(-1)];
      for (let token = back[0]?.previous; token !== null && token !== undefined; token = back.at(-1)?.previous) {
        back.push(await read(ann, path, `PageToken=${token}`));
      }
      assert.deepEqual(
        back.map((page) => page?.keys),
        [expected.slice(6), expected.slice(3, 6), expected.slice(0, 3)],
      );
      // From a page reached backwards the way leads on again.
      assert.deepEqual((await read(ann, path, `PageToken=${back.at(-1)?.next}`)).keys, expected.slice(3, 6));

      // The items on both sides of the place of a token go.
      for (const index of [expected[2], expected[3]]) await ann.call('DELETE', `${path}/Items/${index}`);
      assert.deepEqual((await read(ann, path, `PageToken=${pages[0]?.next}`)).keys, expected.slice(4, 7));
      assert.deepEqual((await read(ann, path, `PageToken=${pages[1]?.previous}`)).keys, expected.slice(0, 2));
    }
  });

  test('[LST22] an empty page behind the last item leads back to that item', async () => {
    const { ann } = await open();
    const path = await listOf(ann, 2);
    for (const query of ['From=99', 'From=1&Bounds=exclusive']) {
      const { keys, previous } = await read(ann, path, query);
      assert.deepEqual(keys, []);
      assert.deepEqual(await see(ann, path, `PageToken=${previous}`), [[0, 1], false, false], query);
    }
  });

  test('[LST23] a page has 50 items when no size is asked for, and 100 at most', async () => {
    const { ann } = await open();
    const path = await listOf(ann, 103);
    for (const [size, count] of [
      ['', 50],
      ['PageSize=101', 100],
      ['PageSize=1001', 100],
      [`PageSize=${'9'.repeat(400)}`, 100],
    ] as const) {
      const { keys, next } = await read(ann, path, size);
      assert.equal(keys.length, count);
      assert.notEqual(next, null);
    }
  });

  test('[LST23] a page ends before 256 KiB of data', async () => {
    const { ann } = await open();
    const path = await listOf(ann, 0);
    const data = { a: 'x'.repeat(16_376) };
    for (let n = 0; n < 18; n++) await ann.call('POST', `${path}/Items`, { data });
    const { keys, next } = await read(ann, path);
    assert.equal(keys.length, 16);
    assert.deepEqual((await read(ann, path, `PageToken=${next}`)).keys, [16, 17]);
  });

  test('[MAP23] maps are sorted by UTF-16 code units, and start at any text', async () => {
    const { ann } = await open();
    const sorted = ['Z', 'a', 'a/b', 'b c', 'ä', '😀', '\uffee'];
    assert.deepEqual(sorted.toSorted(), sorted);
    const path = await mapOf(ann, sorted.toReversed());
    assert.deepEqual(await see(ann, path), [sorted, false, false]);
    assert.deepEqual(await see(ann, path, 'Order=desc'), [sorted.toReversed(), false, false]);
    for (const [query, keys, previous, next] of [
      ['From=b%20c&PageSize=2', ['b c', 'ä'], true, true],
      [`From=${encodeURIComponent('😀')}`, ['😀', '\uffee'], true, false],
      ['From=a0&PageSize=2', ['b c', 'ä'], true, true],
      ['From=a%2Fb&Order=desc', ['a/b', 'a', 'Z'], true, false],
      ['From=', sorted, false, false],
      ['Key=a%2Fb', ['a/b'], false, false],
      ['Key=none', [], false, false],
    ] as const) {
      assert.deepEqual(await see(ann, path, query), [keys, previous, next], query);
    }
    const { next } = await read(ann, path, 'PageSize=3');
    assert.deepEqual(await see(ann, path, `PageToken=${next}`), [sorted.slice(3, 6), true, true]);
  });

  test('[LST22] [TTL2] items that have run out are on no page, swept or not', async () => {
    const { h, ann } = await open();
    const path = await listOf(ann, 1);
    await ann.call('POST', `${path}/Items`, { data: {}, ttl: 1 });
    assert.deepEqual(await see(ann, path, 'PageSize=1'), [[0], false, true]);
    h.clock.advance(1000);
    assert.deepEqual(await see(ann, path, 'PageSize=1'), [[0], false, false]);
    assert.deepEqual(await see(ann, path, 'Index=1'), [[], false, false]);
  });

  test('[LST23] what no page can be asked for is 400', async () => {
    const { ann } = await open();
    const list = await listOf(ann, 3);
    const map = await mapOf(ann, ['a', 'b']);
    const ofMap = (await read(ann, map, 'PageSize=1')).next;
    const ofList = (await read(ann, list, 'PageSize=1')).next;
    const token = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const [path, query, code] of [
      [list, 'PageSize=0', 54454],
      [list, 'PageSize=-1', 54454],
      [list, 'PageSize=x', 54454],
      [list, 'PageSize=', 54454],
      [list, 'Order=up', 20001],
      [list, 'Bounds=none', 20001],
      [list, 'From=x', 54458],
      [list, 'From=-1', 54458],
      [list, `From=${'9'.repeat(16)}`, 54458],
      [list, 'Index=x', 54458],
      [map, `Key=${'k'.repeat(321)}`, 54209],
      [map, 'From=%00', 54209],
      [map, 'From=%', 20001],
      [list, 'PageToken=', 54453],
      [list, 'PageToken=x', 54453],
      [list, `PageToken=${ofMap}`, 54453],
      [map, `PageToken=${ofList}`, 54453],
      [list, `PageToken=${token(['asc', 1000, 0, false, false])}`, 54453],
      [list, `PageToken=${token(['asc', 0, 0, false, false])}`, 54453],
      [list, `PageToken=${token(['asc', 1, -1, false, false])}`, 54453],
      [list, `PageToken=${token(['up', 1, 0, false, false])}`, 54453],
      [list, `PageToken=${token(['asc', 1, 0, 0, false])}`, 54453],
      [list, `PageToken=${token(['asc', 1, 0, false])}`, 54453],
      [list, `PageToken=${token(null)}`, 54453],
    ] as const) {
      const { status, body } = await ann.call('GET', `${path}/Items?${query}`);
      assert.deepEqual([status, body['code']], [400, code], query);
    }
    const gone = await ann.call('GET', `/v3/Maps/MP${'0'.repeat(32)}/Items?PageSize=1`);
    assert.deepEqual([gone.status, gone.body['code']], [404, 54200]);
  });

  test('[CON10] parameters may be absent, of any JSON type, or given twice', async () => {
    const { h, ann } = await open();
    const path = await listOf(ann, 3);
    const ask = async (params: unknown): Promise<unknown> => {
      const http = { host: 'any', path: `${path}/Items`, method: 'GET', params, headers: {} };
      const id = ann.send('message', { active_grant: 'data_sync', http_request: http });
      await h.settle();
      return (ann.answerTo(id).body['items'] as readonly unknown[]).length;
    };
    for (const [params, count] of [
      [undefined, 3],
      [null, 3],
      [7, 3],
      [{ PageSize: 2 }, 2],
      [{ PageSize: ['1', '2'] }, 2],
      [{ PageSize: null, HideExpired: true, Order: {} }, 3],
    ] as const) {
      assert.equal(await ask(params), count, JSON.stringify(params));
    }
  });
});
