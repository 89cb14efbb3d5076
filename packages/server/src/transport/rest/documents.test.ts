import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { account, otherService, service } from '../../../test/commands.ts';
import { eventIds, notifications } from '../../../test/door-harness.ts';
import { documents, good, openRest, origin } from '../../../test/rest-harness.ts';
import type { Form, Response, Rest } from '../../../test/rest-harness.ts';
import { NotApplied } from '../../storage/storage.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

async function make({ post }: Rest, more: Form = {}): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await post(documents, more);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

function coded({ status, body }: Response): readonly unknown[] {
  return [status, body['code']];
}

suite('the life of a document', () => {
  test('[RST6] [RST8] [DOC1] a document is made with every field of its resource', async (t) => {
    const rest = await openRest(t);
    rest.h.clock.advance(999);
    const created = new Date(rest.h.clock.now());
    const { status, body, headers } = await rest.post(documents, {
      UniqueName: 'a/b ü',
      Data: ' { "n" : 1 } ',
      Ttl: '60',
    });
    const sid = String(body['sid']);
    assert.match(sid, /^ET[0-9a-f]{32}$/);
    const url = `${origin}/v1/Services/${service}/Documents/${sid}`;
    const seconds = (ms: number): string => `${new Date(created.getTime() + ms).toISOString().slice(0, 19)}Z`;
    assert.equal(status, 201);
    assert.deepEqual(body, {
      sid,
      unique_name: 'a/b ü',
      account_sid: account,
      service_sid: service,
      url,
      links: { permissions: `${url}/Permissions` },
      revision: '0',
      data: { n: 1 },
      date_expires: seconds(60_000),
      date_created: seconds(0),
      date_updated: seconds(0),
      created_by: 'system',
    });
    assert.equal(headers['etag'], '"0"');
    for (const path of [`${documents}/${sid}`, `${documents}/a%2Fb%20%C3%BC`]) {
      const fetched = await rest.get(path);
      assert.deepEqual([fetched.status, fetched.body, fetched.headers['etag']], [200, body, '"0"']);
      assert.ok(fetched.text.includes('"data":{"n":1}'), 'blanks are cut out');
    }
    const byDefault = await rest.get(`/v1/Services/default/Documents/${sid}`);
    assert.deepEqual(byDefault.body, body);
  });

  test('[RST8] [DOC1] without parameters it is empty, has no name and never expires', async (t) => {
    const rest = await openRest(t);
    const body = await make(rest);
    assert.deepEqual([body['unique_name'], body['data'], body['date_expires']], [null, {}, null]);
  });

  test('[RST8] [REV1] [DOC3] an update replaces the data and takes the next revision', async (t) => {
    const rest = await openRest(t);
    const { sid } = await make(rest, { Data: '{"a":1,"b":2}' });
    for (const revision of ['1', '2']) {
      rest.h.clock.advance(1000);
      const { status, body, headers } = await rest.post(`${documents}/${String(sid)}`, { Data: '{"c":3}' });
      assert.deepEqual(
        [status, body['data'], body['revision'], headers['etag']],
        [200, { c: 3 }, revision, `"${revision}"`],
      );
    }
    const { body } = await rest.get(`${documents}/${String(sid)}`);
    assert.deepEqual([body['data'], body['revision']], [{ c: 3 }, '2']);
    assert.notEqual(body['date_updated'], body['date_created']);
  });

  test('[RST8] [TTL4] an update of the ttl alone keeps data and revision, and tells both', async (t) => {
    const rest = await openRest(t);
    const made = await make(rest, { Data: '{"a":1}', Ttl: '60' });
    const path = `${documents}/${String(made['sid'])}`;
    rest.h.clock.advance(5000);
    const longer = await rest.post(path, { Ttl: '120' });
    assert.deepEqual(
      [longer.status, longer.body['data'], longer.body['revision'], longer.headers['etag']],
      [200, { a: 1 }, '0', '"0"'],
    );
    const end = Date.parse(String(longer.body['date_expires'])) - Date.parse(String(longer.body['date_updated']));
    assert.equal(end, 120_000);
    const kept = await rest.post(path, { Data: '{}' });
    assert.equal(kept.body['date_expires'], longer.body['date_expires']);
    assert.equal((await rest.post(path, { Ttl: '' })).body['date_expires'], null);
    assert.equal((await rest.post(path, { Ttl: '60' })).body['date_expires'] === null, false);
    assert.equal((await rest.post(path, { Ttl: '0' })).body['date_expires'], null);
  });

  test('[RST8] [DOC7] [OBJ4] a removed document is gone, its name is free, and a second removal is 404', async (t) => {
    const rest = await openRest(t);
    const { sid } = await make(rest, { UniqueName: 'a' });
    const headers = { authorization: good, 'if-match': 'another' };
    const remove = (id: unknown): Promise<Response> =>
      rest.ask({ method: 'DELETE', url: `${documents}/${String(id)}`, headers });
    const removed = await remove('a');
    assert.deepEqual([removed.status, removed.text, removed.headers['content-type']], [204, '', undefined]);
    for (const id of [sid, 'a']) assert.deepEqual(coded(await remove(id)), [404, 20404]);
    assert.equal((await rest.get(`${documents}/${String(sid)}`)).status, 404);
    assert.notEqual((await make(rest, { UniqueName: 'a' }))['sid'], sid);
  });

  test('[RST8] [TTL2] an expired document is 404 from that moment on', async (t) => {
    const rest = await openRest(t);
    const { sid } = await make(rest, { UniqueName: 'a', Ttl: '2' });
    rest.h.clock.advance(1999);
    assert.equal((await rest.get(`${documents}/a`)).status, 200);
    rest.h.clock.advance(1);
    assert.equal((await rest.get(`${documents}/a`)).status, 404);
    assert.deepEqual(coded(await rest.post(`${documents}/${String(sid)}`, { Data: '{}' })), [404, 20404]);
  });

  test('[RST8] [OBJ2] a document is there in its own service only', async (t) => {
    const rest = await openRest(t);
    const { sid } = await make(rest, { UniqueName: 'a' });
    const elsewhere = `/v1/Services/${otherService}/Documents`;
    for (const id of [sid, 'a']) {
      const url = `${elsewhere}/${String(id)}`;
      assert.equal((await rest.get(url)).status, 404);
      assert.equal((await rest.post(url, { Data: '{}' })).status, 404);
      assert.equal((await rest.ask({ method: 'DELETE', url })).status, 404);
    }
    const other = await rest.post(elsewhere, { UniqueName: 'a' });
    assert.deepEqual([other.status, other.body['service_sid']], [201, otherService]);
  });

  test('[RST3] [OBJ3] any name leads back to its document', async (t) => {
    const rest = await openRest(t);
    for (const name of ['a/b', 'a%2Fb', '100%', 'a+b', '?', '#', '\\', '😀'.repeat(320), 'ET1', '\n', '"', 'a&b=c']) {
      const { sid } = await make(rest, { UniqueName: name });
      const { body } = await rest.get(`${documents}/${encodeURIComponent(name)}`);
      assert.deepEqual([body['sid'], body['unique_name']], [sid, name]);
    }
  });
});

suite('conditions', () => {
  test('[RST8] [DOC4] a revision is taken bare, in quotes and with W/, and another one is 412', async (t) => {
    const rest = await openRest(t);
    const path = `${documents}/${String((await make(rest))['sid'])}`;
    const update = (ifMatch: string): Promise<Response> => rest.post(path, { Data: '{}' }, { 'if-match': ifMatch });
    const forms = (revision: string): readonly string[] => [revision, `"${revision}"`, `W/"${revision}"`];
    let revision = 0;
    for (const form of [0, 1, 2]) {
      const given = forms(String(revision++))[form]!;
      assert.equal((await update(given)).status, 200, given);
    }
    for (const other of forms('2')) assert.deepEqual(coded(await update(other)), [412, 54103], other);
    for (const none of ['', '""', '*', 'xyz', '-1', '"3', '3"', 'w/"3"', '"3", "3"', 'A']) {
      assert.deepEqual(coded(await update(none)), [400, 54003], none);
    }
    assert.equal((await rest.get(path)).body['revision'], '3');
  });

  test('[RST7] what is missing comes first, then the parameters, then the condition', async (t) => {
    const rest = await openRest(t);
    const path = `${documents}/${String((await make(rest))['sid'])}`;
    const condition = { 'if-match': '9' };
    const large = JSON.stringify({ t: 'x'.repeat(20_000) });
    const cases: readonly (readonly [Form, number, number])[] = [
      [{}, 400, 54010],
      [{ data: '{}' }, 400, 54010],
      [{ Data: 'x' }, 400, 54008],
      [{ Data: 'null' }, 400, 54101],
      [{ Data: large }, 413, 54006],
      [{ Ttl: 'x' }, 400, 54011],
    ];
    for (const [given, status, code] of cases) {
      const what = JSON.stringify(given).slice(0, 30);
      assert.deepEqual(coded(await rest.post(path, given, condition)), [status, code], what);
      for (const missing of [`${documents}/missing`, path.replace(service, otherService)]) {
        assert.deepEqual(coded(await rest.post(missing, given, condition)), [404, 20404], what);
      }
    }
    assert.deepEqual(
      coded(await rest.post(`${documents}/missing`, { Data: '{}' }, { 'if-match': 'x y' })),
      [404, 20404],
    );
    assert.deepEqual(coded(await rest.post(path, { Data: '{}' }, condition)), [412, 54103]);
  });

  test('[RST8] [OBJ4] a taken name is 409 / 54301', async (t) => {
    const rest = await openRest(t);
    await make(rest, { UniqueName: 'a' });
    assert.deepEqual(coded(await rest.post(documents, { UniqueName: 'a' })), [409, 54301]);
  });
});

suite('parameters', () => {
  test('[RST8] [DOC5] data that cannot be is refused with its code', async (t) => {
    const rest = await openRest(t);
    const cases: readonly (readonly [string, number])[] = [
      ...[
        '',
        'x',
        '{a:1}',
        '{"a":1}}',
        '{},"x":{}',
        '{}}, {"x":1',
        '[]',
        '1',
        '"a"',
        'true',
        '\ufeff{}',
        '{"a":1e400}',
      ].map((data) => [data, 54008] as const),
      [`${'{"a":'.repeat(201)}1${'}'.repeat(201)}`, 54008],
      ['null', 54101],
      [' null ', 54101],
      [JSON.stringify({ t: 'x'.repeat(16_377) }), 54006],
    ];
    for (const [data, code] of cases) {
      const { body } = await rest.post(documents, { Data: data });
      assert.equal(body['code'], code, data.slice(0, 40));
    }
    for (const broken of ['%', '%ff', '%7B%22a%22%3A%22%ed%a0%80%22%7D']) {
      assert.equal((await rest.post(documents, `Data=${broken}`)).body['code'], 54008, broken);
    }
    assert.equal(rest.h.storage.commits.length, 0);
    const largest = { t: 'x'.repeat(16_376) };
    assert.deepEqual((await make(rest, { Data: JSON.stringify(largest, null, 100) }))['data'], largest);
  });

  test('[RST6] [DOC6] data comes back as it was sent, numbers as written', async (t) => {
    const rest = await openRest(t);
    const data = '{"a":1.0,"b":12345678901234567890,"__proto__":{"x":"\\u00fc"},"a/b":" + & = % ","e":1E+2}';
    const made = await rest.post(documents, { Data: data, UniqueName: 'a' });
    const fetched = await rest.get(`${documents}/a`);
    const updated = await rest.post(`${documents}/a`, { Ttl: '60' });
    for (const { text } of [made, fetched, updated]) assert.ok(text.endsWith(`,"data":${data}}`), text);
  });

  test('[RST8] [TTL1] a ttl is digits or empty, within a year', async (t) => {
    const rest = await openRest(t);
    for (const ttl of ['-1', '1.5', '1e3', ' 1', '+1', '0x1', 'null', '31536001', '9'.repeat(30), '\u0661']) {
      assert.deepEqual(coded(await rest.post(documents, { Ttl: ttl })), [400, 54011], ttl);
    }
    assert.deepEqual(coded(await rest.post(documents, 'Ttl=%ff')), [400, 54011]);
    for (const ttl of ['0', '', '31536000', '007'])
      assert.equal((await rest.post(documents, { Ttl: ttl })).status, 201);
  });

  test('[RST8] [OBJ3] names that cannot be are 400 / 54302', async (t) => {
    const rest = await openRest(t);
    for (const name of ['', 'x'.repeat(321), `ET${'a'.repeat(32)}`, 'a\u0000']) {
      assert.deepEqual(coded(await rest.post(documents, { UniqueName: name })), [400, 54302], name.slice(0, 40));
    }
    assert.deepEqual(coded(await rest.post(documents, 'UniqueName=%ff')), [400, 54302]);
  });

  test('[RST5] [RST8] names of parameters are exact, and the name of a document cannot be changed', async (t) => {
    const rest = await openRest(t);
    const made = await make(rest, { UniqueName: 'a', data: '{"n":1}', uniqueName: 'b', 'Data ': 'x' });
    assert.deepEqual([made['unique_name'], made['data']], ['a', {}]);
    const { body } = await rest.post(`${documents}/a`, 'UniqueName=b&Data=x&Data=%7B%22n%22%3A2%7D');
    assert.deepEqual([body['unique_name'], body['data']], ['a', { n: 2 }]);
  });
});

suite('with the sockets', () => {
  test('[RST7] what is written here reaches a subscriber, and the other way round', async (t) => {
    const rest = await openRest(t);
    const ann = await rest.h.connect();
    const { sid } = await make(rest, { UniqueName: 'a' });
    await ann.follow(String(sid), 0);
    await rest.post(`${documents}/a`, { Data: '{"n":1}' });
    await rest.post(`${documents}/a`, { Ttl: '60' });
    await rest.post(`${documents}/a`, { Data: '{"n":2}' }, { 'if-match': '1' });
    const frames = ann.take();
    assert.deepEqual(eventIds(frames), [1, 2]);
    assert.deepEqual(
      notifications(frames).map(({ event }) => (event as { document_data: unknown }).document_data),
      [{ n: 1 }, { n: 2 }],
    );
    await ann.write(String(sid), { n: 3 });
    const { body } = await rest.get(`${documents}/a`);
    assert.deepEqual([body['data'], body['revision'], body['created_by']], [{ n: 3 }, '3', 'system']);
    ann.take();
    await rest.ask({ method: 'DELETE', url: `${documents}/a` });
    assert.deepEqual(eventIds(ann.take()), ['removed 4']);
    const ofAnn = await ann.create({ of: 'ann' }, { unique_name: 'hers' });
    const hers = (await rest.get(`${documents}/hers`)).body;
    assert.deepEqual([hers['sid'], hers['created_by']], [ofAnn, 'ann']);
  });

  test('[RST7] [WRI5] a write that is not taken is 503 / 20503 and changed nothing', async (t) => {
    const rest = await openRest(t);
    rest.h.storage.commitError = new NotApplied('the disk is full');
    assert.deepEqual(coded(await rest.post(documents, { UniqueName: 'a' })), [503, 20503]);
    rest.h.storage.commitError = undefined;
    await rest.h.advance(500);
    assert.equal((await rest.get(`${documents}/a`)).status, 404);
    assert.equal((await rest.post(documents, { UniqueName: 'a' })).status, 201);
  });

  test('[RST11] [WRI4] a write of unknown outcome is not answered', async (t) => {
    const rest = await openRest(t);
    await make(rest, { UniqueName: 'a' });
    rest.h.storage.errorAfterCommit = new Error('the answer was lost');
    await assert.rejects(rest.post(`${documents}/a`, { Data: '{"n":1}' }));
    await rest.h.advance(500);
    assert.deepEqual((await rest.get(`${documents}/a`)).body['data'], { n: 1 });
    rest.h.storage.readError = new Error('nothing can be read');
    await assert.rejects(
      rest.ask({ method: 'POST', url: `${documents}/a`, payload: 'Ttl=60', headers: { authorization: good, ...form } }),
    );
  });
});
