import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import fastify from 'fastify';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { account, keySid, otherService, service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';
import type { Harness } from '../../../test/door-harness.ts';
import { createFailureLimit } from '../failure-limit.ts';
import { adminDoor } from './routes.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const good = basic(account, 'the token of the account');

interface World {
  readonly h: Harness;
  readonly app: FastifyInstance;
  /** Answers when the write that a request waits for is committed. */
  readonly request: (options: InjectOptions) => Promise<Response>;
}

interface Response {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

suite('keys', () => {
  test('[ADM4] [ACC7] a key is made with a secret that is told once, and signs from then on', async (t) => {
    const { h, request } = await open(t);
    const made = await request({ method: 'POST', url: '/admin/v1/keys', payload: { name: 'shop' } });
    assert.equal(made.status, 201);
    const { sid, secret, ...rest } = made.body as Record<string, string>;
    assert.match(`${sid}`, /^SK[a-f0-9]{32}$/);
    assert.match(`${secret}`, /^[a-f0-9]{64}$/);
    assert.deepEqual(rest, { name: 'shop', createdAt: new Date(h.clock.now()).toISOString(), revokedAt: null });
    assert.equal(h.engine.directory.key(`${sid}`)?.secret, secret);
    const listed = await request({ url: '/admin/v1/keys' });
    assert.ok(JSON.stringify(listed.body).includes(`${sid}`));
    assert.ok(!JSON.stringify(listed.body).includes('secret'), 'no list tells a secret');
    assert.ok(!JSON.stringify(h.storage.commits).includes(`${secret}`), 'storage never sees it in clear');
    assert.ok(!JSON.stringify(h.log).includes(`${secret}`));
  });

  test('[ADM4] [ACC3] [ACC4] a revoked key is gone for tokens and stays in the list; its connections end', async (t) => {
    const { h, request } = await open(t);
    const [mine, other] = [await h.connect(), await h.connect('ben', { key: 2 })];
    assert.equal((await request({ method: 'DELETE', url: `/admin/v1/keys/${keySid(1)}` })).status, 204);
    assert.ok(mine.link.isDropped && !other.link.isDropped);
    const again = await request({ method: 'DELETE', url: `/admin/v1/keys/${keySid(1)}` });
    assert.deepEqual([again.status, (again.body as { code: number }).code], [404, 20404]);
    const { keys } = (await request({ url: '/admin/v1/keys' })).body as { keys: { sid: string; revokedAt: unknown }[] };
    assert.deepEqual(
      keys.map(({ sid, revokedAt }) => [sid, revokedAt !== null]),
      [
        [keySid(1), true],
        [keySid(2), false],
      ],
    );
    assert.equal(h.engine.directory.key(keySid(1)), undefined);
  });
});

test('[ACC3] [WRI6] a revocation that was given up and applied after all ends the connections of its key', async (t) => {
  const { h, app } = await open(t, { commitTimeoutMs: 1000 });
  const [mine, other] = [await h.connect(), await h.connect('ben', { key: 2 })];
  h.storage.commitGate.shut();
  const asked = app.inject({ method: 'DELETE', url: `/admin/v1/keys/${keySid(1)}`, headers: { authorization: good } });
  await h.settle();
  await h.advance(1000);
  assert.equal((await asked).statusCode, 500, 'nobody knows yet');
  assert.ok(!mine.link.isDropped && h.engine.directory.key(keySid(1)) !== undefined);
  h.storage.commitGate.open();
  await h.settle();
  await h.settle();
  assert.equal(h.engine.directory.key(keySid(1)), undefined);
  assert.deepEqual([mine.link.isDropped, other.link.isDropped], [true, false]);
});

suite('services', () => {
  test('[ADM5] [ACC8] a service is made, listed and refused a taken name', async (t) => {
    const { request } = await open(t);
    const made = await request({ method: 'POST', url: '/admin/v1/services', payload: { uniqueName: 'shop' } });
    const { sid, ...rest } = made.body as Record<string, unknown>;
    assert.equal(made.status, 201);
    assert.deepEqual([rest['uniqueName'], rest['isDefault']], ['shop', false]);
    const taken = await Promise.all(
      ['shop', 'new', 'new'].map((uniqueName) =>
        request({ method: 'POST', url: '/admin/v1/services', payload: { uniqueName } }),
      ),
    );
    assert.deepEqual(
      taken.map(({ status }) => status),
      [409, 201, 409],
    );
    assert.deepEqual(taken.map(({ body }) => (body as { code?: number }).code).slice(0, 2), [54301, undefined]);
    const unnamed = await request({ method: 'POST', url: '/admin/v1/services' });
    assert.equal((unnamed.body as { uniqueName: unknown }).uniqueName, null);
    const bad = await request({ method: 'POST', url: '/admin/v1/services', payload: { uniqueName: '' } });
    assert.deepEqual([bad.status, (bad.body as { code: number }).code], [400, 54302]);
    const { services } = (await request({ url: '/admin/v1/services' })).body as {
      services: { sid: string; isDefault: boolean }[];
    };
    assert.deepEqual(
      services.filter((row) => row.isDefault).map((row) => row.sid),
      [service],
    );
    assert.ok(services.some((row) => row.sid === sid) && services.length === 5);
  });

  test('[ADM6] [ACC9] an identity is disconnected at once, in one service only, and nobody else', async (t) => {
    const { h, request } = await open(t);
    const [first, second] = [await h.connect('ann/ü'), await h.connect('ann/ü')];
    const [elsewhere, ben] = [await h.connect('ann/ü', { service: otherService }), await h.connect('ben')];
    const identity = encodeURIComponent('ann/ü');
    const url = (sid: string): string => `/admin/v1/services/${sid}/connections?identity=${identity}`;
    const dropped = await request({ method: 'DELETE', url: url('default') });
    assert.deepEqual([dropped.status, dropped.body], [200, { dropped: 2 }]);
    assert.deepEqual(
      [first, second, elsewhere, ben].map(({ link }) => link.isDropped),
      [true, true, false, false],
    );
    assert.deepEqual((await request({ method: 'DELETE', url: url(otherService) })).body, { dropped: 1 });
    assert.deepEqual((await request({ method: 'DELETE', url: url(otherService) })).body, { dropped: 0 });
    assert.equal((await request({ method: 'DELETE', url: url(`IS${'9'.repeat(32)}`) })).status, 404);
    const unsaid = await request({ method: 'DELETE', url: '/admin/v1/services/default/connections' });
    assert.deepEqual([unsaid.status, (unsaid.body as { code: number }).code], [400, 20001]);
  });
});

suite('who may', () => {
  test('[ADM1] without the right credentials everything is 401, also what does not exist', async (t) => {
    const { h, request } = await open(t);
    const token = h.token();
    const wrong = [
      '',
      'Basic',
      `Bearer ${token}`,
      basic(account, 'another token'),
      basic(`AC${'f'.repeat(32)}`, 'the token of the account'),
      basic(account, ''),
      basic('', ''),
    ];
    for (const authorization of wrong) {
      for (const url of ['/admin/v1/keys', '/admin/v1/nothing']) {
        h.clock.advance(60_000);
        const refused = await request({ url, headers: { authorization } });
        assert.deepEqual([refused.status, (refused.body as { code: number }).code], [401, 20003], authorization);
        assert.match(String(refused.headers['www-authenticate']), /^Basic /);
      }
    }
    assert.equal((await request({ url: '/admin/v1/keys', headers: {} })).status, 401);
    assert.equal((await request({ url: '/admin/v1/nothing' })).status, 404);
  });

  test('[ADM2] ten wrong credentials in a minute, and an address waits; others do not', async (t) => {
    const { h, request } = await open(t);
    const authorization = basic(account, 'a guess');
    for (let i = 0; i < 10; i++)
      assert.equal((await request({ url: '/admin/v1/keys', headers: { authorization } })).status, 401);
    h.clock.advance(30_000);
    const waiting = await request({ url: '/admin/v1/keys' });
    assert.deepEqual([waiting.status, waiting.headers['retry-after']], [429, '30'], 'the right ones wait as well');
    assert.equal((await request({ url: '/admin/v1/keys', remoteAddress: '192.0.2.7' })).status, 200);
    h.clock.advance(30_000);
    assert.equal((await request({ url: '/admin/v1/keys' })).status, 200);
  });

  test('[ADM3] what cannot be is 400 with the member, too much is 413, and nothing is kept by caches', async (t) => {
    const { request } = await open(t);
    const bodies: readonly [unknown, number, RegExp][] = [
      [{ nmae: 'x' }, 20001, /only name/],
      [{ name: 5 }, 20001, /name is not/],
      [{ name: ['a'] }, 20001, /name is not/],
      [[], 20001, /not a JSON object/],
      ['{"name":', 20001, /not JSON in UTF-8/],
      [Buffer.from('{"name":"\u00ff"}', 'latin1'), 20001, /not JSON in UTF-8/],
      ['{"__proto__":{"name":"x"}}', 20001, /only name/],
      [{ name: 'a\u0000b' }, 54302, /U\+0000/],
      [{ name: 'x'.repeat(20_000) }, 20413, /too large/],
    ];
    for (const [payload, code, message] of bodies) {
      const headers = { 'content-type': 'application/json', authorization: good };
      const refused = await request({ method: 'POST', url: '/admin/v1/keys', payload: payload as object, headers });
      const body = refused.body as { code: number; message: string };
      assert.equal(body.code, code, JSON.stringify(payload).slice(0, 40));
      assert.match(body.message, message);
      assert.equal(refused.headers['cache-control'], 'no-store');
    }
    const form = await request({
      method: 'POST',
      url: '/admin/v1/keys',
      payload: 'name=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: good },
    });
    assert.match((form.body as { message: string }).message, /application\/json/);
    const twice = await request({
      method: 'DELETE',
      url: '/admin/v1/services/default/connections?identity=a&identity=b',
    });
    assert.equal(twice.status, 400);
  });
});

async function open(t: TestContext, options: Parameters<typeof openDoor>[0] = {}): Promise<World> {
  const h = await openDoor(options);
  const app = fastify();
  await app.register(adminDoor({ engine: h.engine, log: quiet, failures: createFailureLimit(h.clock) }), {
    prefix: '/admin/v1',
  });
  t.after(() => app.close());
  return {
    h,
    app,
    request: async (options) => {
      const asked = app.inject({ headers: { authorization: good }, ...options });
      let isAnswered = false;
      void asked.finally(() => (isAnswered = true)).catch(() => undefined);
      while (!isAnswered) await h.settle();
      const { statusCode, body, headers } = await asked;
      return { status: statusCode, body: body === '' ? undefined : JSON.parse(body), headers };
    },
  };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
