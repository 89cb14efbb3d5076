import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { register } from '@tallystick/protocol';
import { account, keySid, missingService, service } from '../../../test/commands.ts';
import { secondSecret, secret } from '../../../test/door-harness.ts';
import { basic, documents, good, openRest, origin } from '../../../test/rest-harness.ts';

const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS'] as const;

suite('who may', () => {
  test('[RST1] a key and the account may, and a key only as long as it is in force', async (t) => {
    const { h, ask } = await openRest(t);
    const statusFor = async (authorization: string): Promise<number> =>
      (await ask({ url: '/v1/Services', headers: { authorization } })).status;
    assert.equal(await statusFor(good), 200);
    assert.equal(await statusFor(basic(keySid(1), secret)), 200);
    assert.equal(await statusFor(basic(keySid(2), secondSecret)), 200);
    const revoked = h.engine.administration.revokeKey(keySid(1));
    await h.settle();
    await revoked;
    assert.equal(await statusFor(basic(keySid(1), secret)), 401);
    assert.equal(await statusFor(basic(keySid(1), '')), 401, 'a revoked key has no secret');
    assert.equal(await statusFor(basic(keySid(2), secondSecret)), 200);
  });

  test('[RST1] all else is 401, also for what does not exist, and nothing tells why', async (t) => {
    const { h, ask } = await openRest(t);
    const wrong = [
      undefined,
      '',
      'Basic',
      'Basic Og==',
      `Bearer ${h.token()}`,
      basic(account, 'another token'),
      basic(account, secret),
      basic(account, ''),
      basic('', ''),
      basic(keySid(1), secondSecret),
      basic(keySid(1), 'the token of the account'),
      basic(keySid(9), ''),
      basic(keySid(9), secret),
      basic(h.token(), ''),
    ];
    const told = new Set<string>();
    for (const authorization of wrong) {
      for (const url of ['/v1/Services', documents, '/v1/Nothing', '/v1/', '/v1/Services/']) {
        h.clock.advance(60_000);
        const headers = authorization === undefined ? {} : { authorization };
        const refused = await ask({ url, headers });
        assert.equal(refused.status, 401, `${authorization} ${url}`);
        assert.match(String(refused.headers['www-authenticate']), /^Basic realm=/);
        told.add(refused.text);
      }
    }
    assert.deepEqual(
      [...told].map((text) => JSON.parse(text) as unknown),
      [{ code: 20003, message: register[20003].message, more_info: `${origin}/errors/20003`, status: 401 }],
    );
    for (const method of methods) {
      h.clock.advance(60_000);
      assert.equal((await ask({ method, url: documents, headers: {} })).status, 401, method);
    }
    assert.equal(h.storage.commits.length, 0);
  });

  test('[RST2] ten wrong credentials in a minute, and an address waits; others do not', async (t) => {
    const { h, ask } = await openRest(t);
    const headers = { authorization: basic(keySid(1), 'a guess') };
    for (let i = 0; i < 10; i++) assert.equal((await ask({ url: '/v1/Services', headers })).status, 401);
    h.clock.advance(30_000);
    const waiting = await ask({ url: '/v1/Services' });
    assert.deepEqual([waiting.status, waiting.body['code'], waiting.headers['retry-after']], [429, 20429, '30']);
    assert.equal((await ask({ url: '/v1/Services', remoteAddress: '192.0.2.7' })).status, 200);
    h.clock.advance(30_000);
    assert.equal((await ask({ url: '/v1/Services' })).status, 200);
  });
});

suite('from path to resource', () => {
  test('[RST3] no other spelling of a path leads to its resource, by no method', async (t) => {
    const { post, ask } = await openRest(t);
    await post(documents, { UniqueName: 'a', Data: '{"n":0}' });
    const detours = [
      // Dot parts never get through this way of asking; path.test.ts and the conformance suite have them.
      ...[`${documents}/a/`, `${documents}//a`, `${documents}%2Fa`, `/${documents}/a`],
      ...[documents.replace('Documents', 'documents/a'), documents.replace('v1', 'V1')],
      ...[`${documents}/`, `/%761${documents.slice(3)}/a`, '/v1/', '/v1'],
    ];
    for (const url of detours) {
      for (const method of methods) {
        const payload = method === 'POST' ? { payload: 'Data={}' } : {};
        const headers = { authorization: good, 'content-type': 'application/x-www-form-urlencoded' };
        const { status } = await ask({ method, url, headers, ...payload });
        assert.equal(status, 404, `${method} ${url}`);
      }
    }
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      for (const name of ['A', 'a%00', 'a%2F', 'a%20']) {
        const { status } = await ask({ method, url: `${documents}/${name}` });
        assert.equal(status, 404, `${method} ${name}`);
      }
    }
    assert.deepEqual((await ask({ url: `${documents}/a` })).body['data'], { n: 0 });
    const broken = await ask({ url: `${documents}/%zz` });
    assert.deepEqual([broken.status, broken.body['code']], [400, 20001]);
  });

  test('[RST4] what is not there is 20404 with its path and without its query', async (t) => {
    const { get } = await openRest(t);
    for (const path of [
      '/Nothing',
      `/Services/${missingService}`,
      `/Services/${missingService}/Documents/a`,
      `/Services/${service}/Documents/a%2Fb`,
      `/Services/${service}/Documents/ET${'0'.repeat(32)}`,
      `/Services/${service}/Documents/x%00`,
      `/Services/${service}/Nothing/x`,
    ]) {
      const { status, body } = await get(`/v1${path}?secret=x`);
      const message = `The requested resource ${path} was not found`;
      assert.deepEqual(
        [status, body],
        [404, { code: 20404, message, more_info: `${origin}/errors/20404`, status: 404 }],
      );
    }
  });

  test('[RST4] another method is 405 with those that there are', async (t) => {
    const { ask } = await openRest(t);
    const cases: readonly (readonly [string, string])[] = [
      ['/v1/Services', 'GET'],
      [`/v1/Services/${service}`, 'GET'],
      [documents, 'POST'],
      [`${documents}/a`, 'GET, POST, DELETE'],
    ];
    for (const [url, allow] of cases) {
      for (const method of methods) {
        if (allow.split(', ').includes(method)) continue;
        const refused = await ask({ method, url });
        assert.deepEqual([refused.status, refused.headers['allow']], [405, allow], `${method} ${url}`);
        if (method !== 'HEAD') assert.equal(refused.body['code'], 20004);
      }
    }
  });

  test('[RST4] more_info leads to the row of the code, without credentials', async (t) => {
    const { ask, get } = await openRest(t);
    const { body } = await get('/v1/Nothing');
    const url = String(body['more_info']).slice(origin.length);
    const row = await ask({ url, headers: {} });
    assert.deepEqual([row.status, row.body], [200, { code: 20404, ...register[20404] }]);
    assert.equal((await ask({ url: '/errors/1', headers: {} })).status, 404);
    assert.equal((await ask({ url: '/errors/toString', headers: {} })).status, 404);
  });

  test('[RST6] nothing is kept by caches, no other origin may read, and JSON says so', async (t) => {
    const { ask } = await openRest(t);
    for (const [url, status] of [
      ['/v1/Services', 200],
      ['/v1/Nothing', 404],
    ] as const) {
      const answer = await ask({ url, headers: { authorization: good, origin: 'https://evil.example' } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      assert.deepEqual(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
        [],
      );
    }
  });
});

suite('bodies', () => {
  const type = (contentType: string): Readonly<Record<string, string>> => ({ 'content-type': contentType });

  test('[RST5] forms are taken with or without a charset, whatever their case', async (t) => {
    const { post } = await openRest(t);
    for (const each of ['application/x-www-form-urlencoded; charset=utf-8', 'Application/X-WWW-Form-Urlencoded']) {
      const { status, body } = await post(documents, 'Data=%7B%22a%22%3A%22x+y%22%7D', type(each));
      assert.deepEqual([status, body['data']], [201, { a: 'x y' }], each);
    }
  });

  test('[RST5] any other body is refused where it would be read, and an empty one never', async (t) => {
    const { post, ask, h } = await openRest(t);
    for (const [contentType, payload] of [
      ['application/json', '{"Data":{}}'],
      ['text/plain', 'Data={}'],
      ['multipart/form-data; boundary=x', '--x--'],
      ['nonsense', 'Data={}'],
      ['', 'Data={}'],
    ] as const) {
      const { status, body } = await post(documents, payload, type(contentType));
      assert.deepEqual([status, body['code']], [400, 20001], contentType);
    }
    const notUtf8 = await ask({
      method: 'POST',
      url: documents,
      payload: Buffer.from('Data={"a":"\u00ff"}', 'latin1'),
      headers: { authorization: good, ...type('application/x-www-form-urlencoded') },
    });
    assert.equal(notUtf8.body['code'], 20001);
    assert.equal(h.storage.commits.length, 0);
    for (const contentType of ['application/json', 'text/plain']) {
      assert.equal((await post(documents, '', type(contentType))).status, 201, contentType);
    }
    assert.equal((await ask({ method: 'POST', url: documents })).status, 201);
  });

  test('[RST5] a body over 200 KiB is 413 / 20413, one of that size is read', async (t) => {
    const { post } = await openRest(t);
    const padding = (size: number): string => `Data=%7B%7D&x=${'x'.repeat(size - 14)}`;
    assert.equal((await post(documents, padding(204_800))).status, 201);
    const refused = await post(documents, padding(204_801));
    assert.deepEqual([refused.status, refused.body['code']], [413, 20413]);
    assert.match(String(refused.body['more_info']), /\/20413$/);
  });
});

test('[RST4] a fault inside is a coded 500 that tells nothing of it', async (t) => {
  const { h, get } = await openRest(t);
  h.storage.readError = new Error('the secret reason');
  const { status, body, text } = await get(`${documents}/a`);
  assert.deepEqual([status, body['code']], [500, 20500]);
  assert.ok(!text.includes('secret reason'));
  assert.equal(h.log.length, 1);
});

test('[RST12] at a stop what came is answered, and what comes later is refused with 503', async (t) => {
  const { h, underWay, get, post } = await openRest(t);
  h.storage.commitGate.shut();
  const asked = post(documents, { UniqueName: 'a' });
  await h.settle();
  let isOver = false;
  const over = underWay.end().then(() => (isOver = true));
  const late = await get('/v1/Services');
  assert.deepEqual([late.status, late.body['code']], [503, 20503]);
  assert.equal(isOver, false);
  h.storage.commitGate.open();
  assert.equal((await asked).status, 201);
  await over;
});

test('[RST12] [RST11] a request without an answer is over too, and nothing under way is over at once', async (t) => {
  const { h, underWay, post } = await openRest(t);
  h.storage.errorAfterCommit = new Error('the answer was lost');
  await assert.rejects(post(documents));
  await underWay.end();
});
