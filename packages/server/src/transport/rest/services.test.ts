import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { account, missingService, otherService, service } from '../../../test/commands.ts';
import { openRest, origin } from '../../../test/rest-harness.ts';
import type { Response, Rest } from '../../../test/rest-harness.ts';

interface Page {
  readonly sids: readonly string[];
  readonly meta: Readonly<Record<string, unknown>>;
}

function pageOf({ status, body }: Response): Page {
  assert.equal(status, 200, JSON.stringify(body));
  const rows = body['services'] as readonly { readonly sid: string }[];
  return { sids: rows.map(({ sid }) => sid), meta: body['meta'] as Page['meta'] };
}

/** The page under an absolute address that an answer told. */
async function follow({ get }: Rest, url: unknown): Promise<Page> {
  assert.ok(String(url).startsWith(`${origin}/v1/Services?`), String(url));
  return pageOf(await get(String(url).slice(origin.length)));
}

async function make({ h }: Rest, name: string | null = null): Promise<string> {
  const made = h.engine.administration.createService(name);
  await h.settle();
  return (await made).sid;
}

suite('services', () => {
  test('[RST10] [RST6] a service is fetched with every field, by its sid and as default', async (t) => {
    const { h, get } = await openRest(t);
    const url = `${origin}/v1/Services/${service}`;
    const date = `${new Date(h.clock.now()).toISOString().slice(0, 19)}Z`;
    const expected = {
      sid: service,
      unique_name: 'default',
      account_sid: account,
      friendly_name: null,
      date_created: date,
      date_updated: date,
      url,
      webhook_url: null,
      webhooks_from_rest_enabled: false,
      reachability_webhooks_enabled: false,
      acl_enabled: false,
      reachability_debouncing_enabled: false,
      reachability_debouncing_window: 5000,
      links: {
        documents: `${url}/Documents`,
        lists: `${url}/Lists`,
        maps: `${url}/Maps`,
        streams: `${url}/Streams`,
      },
    };
    assert.deepEqual((await get(`/v1/Services/${service}`)).body, expected);
    assert.deepEqual((await get('/v1/Services/default')).body, expected);
    assert.equal((await get(`/v1/Services/${otherService}`)).body['unique_name'], null);
    for (const id of [missingService, 'Default', 'undefined', '__proto__']) {
      assert.equal((await get(`/v1/Services/${id}`)).status, 404, id);
    }
  });

  test('[RST10] [RST9] services are listed by creation, in one page with all of meta', async (t) => {
    const rest = await openRest(t);
    rest.h.clock.advance(1000);
    const third = await make(rest, 'shop');
    const { sids, meta } = pageOf(await rest.get('/v1/Services'));
    assert.deepEqual(sids, [service, otherService, third]);
    const url = `${origin}/v1/Services?PageSize=50&Page=0`;
    assert.deepEqual(meta, {
      key: 'services',
      page: 0,
      page_size: 50,
      first_page_url: url,
      previous_page_url: null,
      url,
      next_page_url: null,
    });
  });
});

suite('pages', () => {
  async function five(rest: Rest): Promise<readonly string[]> {
    const sids: string[] = [service, otherService];
    for (let i = 0; i < 3; i++) {
      rest.h.clock.advance(1000);
      sids.push(await make(rest));
    }
    return sids;
  }

  test('[RST9] pages follow each other forward and back, and their own addresses lead to them again', async (t) => {
    const rest = await openRest(t);
    const sids = await five(rest);
    const first = pageOf(await rest.get('/v1/Services?PageSize=2'));
    const second = await follow(rest, first.meta['next_page_url']);
    const third = await follow(rest, second.meta['next_page_url']);
    assert.deepEqual([first.sids, second.sids, third.sids], [sids.slice(0, 2), sids.slice(2, 4), sids.slice(4)]);
    assert.deepEqual(
      [first, second, third].map(({ meta }) => meta['page']),
      [0, 1, 2],
    );
    assert.equal(third.meta['next_page_url'], null);
    const back = await follow(rest, third.meta['previous_page_url']);
    assert.deepEqual([back.sids, back.meta['page']], [second.sids, 1]);
    const start = await follow(rest, back.meta['previous_page_url']);
    assert.deepEqual([start.sids, start.meta['previous_page_url']], [first.sids, null]);
    assert.deepEqual(await follow(rest, second.meta['url']), second);
    assert.deepEqual(await follow(rest, back.meta['url']), back);
    assert.deepEqual(await follow(rest, third.meta['first_page_url']), first);
  });

  test('[RST9] what comes between two pages neither repeats nor skips a row', async (t) => {
    const rest = await openRest(t);
    const sids = await five(rest);
    const first = pageOf(await rest.get('/v1/Services?PageSize=5'));
    assert.equal(first.meta['next_page_url'], null, 'a page that is just full is the last');
    const four = pageOf(await rest.get('/v1/Services?PageSize=4'));
    rest.h.clock.advance(1000);
    const late = await make(rest);
    assert.deepEqual((await follow(rest, four.meta['next_page_url'])).sids, [sids[4], late]);
  });

  test('[RST9] a hundred rows are served at most, whatever up to a thousand is asked for', async (t) => {
    const rest = await openRest(t);
    for (let i = 0; i < 100; i++) await make(rest);
    const first = pageOf(await rest.get('/v1/Services?PageSize=1000'));
    assert.deepEqual([first.sids.length, first.meta['page_size']], [100, 100]);
    const second = await follow(rest, first.meta['next_page_url']);
    assert.deepEqual([second.sids.length, second.meta['next_page_url']], [2, null]);
    assert.equal(new Set([...first.sids, ...second.sids]).size, 102);
    assert.equal(pageOf(await rest.get('/v1/Services')).sids.length, 50);
  });

  test('[RST9] sizes, pages and tokens that cannot be are refused with their code', async (t) => {
    const rest = await openRest(t);
    const token = /PageToken=(.*)/.exec(
      String(pageOf(await rest.get('/v1/Services?PageSize=1')).meta['next_page_url']),
    )?.[1];
    assert.ok(token !== undefined);
    const forged = (told: unknown): string => Buffer.from(JSON.stringify(told)).toString('base64url');
    const cases: readonly (readonly [string, number])[] = [
      ...['0', '1001', '-1', '1.5', 'x', '', '1e2', '9'.repeat(400), '%zz'].map(
        (s) => [`PageSize=${s}`, 54454] as const,
      ),
      ...['-1', 'x', '', '1.5'].map((s) => [`Page=${s}`, 20001] as const),
      ...['', 'x', token.slice(1), forged([]), forged(null), forged(['after', 'x']), '%zz'].map(
        (s) => [`PageToken=${s}`, 54453] as const,
      ),
      [`PageToken=${forged(['after', 'x', '/v1/Others', rest.h.engine.epoch])}`, 54453],
      [`PageToken=${forged(['after', 'x', '/v1/Services', 'another epoch'])}`, 54453],
      [`PageToken=${forged(['upward', 'x', '/v1/Services', rest.h.engine.epoch])}`, 54453],
    ];
    for (const [query, code] of cases) {
      const { status, body } = await rest.get(`/v1/Services?${query}`);
      assert.deepEqual([status, body['code']], [400, code], query.slice(0, 60));
    }
    assert.equal((await rest.get(`/v1/Services?PageSize=0&PageSize=1&PageToken=${token}&Other=1`)).status, 200);
    assert.equal((await rest.get('/v1/Services?pagesize=0')).status, 200, 'another name');
  });
});
