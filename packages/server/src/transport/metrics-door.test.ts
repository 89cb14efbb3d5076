import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import { openDoor } from '../../test/door-harness.ts';
import { createMetrics } from './metrics.ts';
import { addMetrics, createMetricsHttp } from './metrics-door.ts';

const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => 'tallystick_x 1\n' };

test('[MET2] the metrics are for whoever has the token', async (t) => {
  const app = fastify();
  t.after(() => app.close());
  addMetrics(app, metrics, 'the-token-of-the-metrics');
  const ask = (authorization?: string) =>
    app.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } });
  const answer = await ask('Bearer the-token-of-the-metrics');
  assert.deepEqual([answer.statusCode, answer.body], [200, 'tallystick_x 1\n']);
  assert.equal(answer.headers['content-type'], metrics.contentType);
  for (const wrong of [
    undefined,
    '',
    'the-token-of-the-metrics',
    'Bearer',
    'Bearer the-token-of-the-metric',
    'Basic eDp5',
  ]) {
    const refused = await ask(wrong);
    assert.deepEqual([refused.statusCode, refused.json<{ code: number }>().code], [401, 20003], String(wrong));
    assert.equal(refused.headers['www-authenticate'], 'Bearer');
  }
});

test('[MET3] on their own port they are for everybody there, and nothing else is', async (t) => {
  const app = createMetricsHttp(metrics);
  t.after(() => app.close());
  assert.equal((await app.inject('/metrics')).body, 'tallystick_x 1\n');
  for (const url of ['/', '/health/live', '/admin/v1/keys']) assert.equal((await app.inject(url)).statusCode, 404, url);
});

test('[MET1] what happens at the door is counted: requests, events, bytes, conflations, refusals and cuts', async () => {
  const h = await openDoor({ initTimeoutMs: 5000 });
  const { tally } = h.engine;
  const text = createMetrics(tally, () => ({ connections: h.door.connections, ...h.engine.present() }), false);
  const value = async (name: string): Promise<number> => {
    const line = (await text.render()).split('\n').find((each) => each.startsWith(`tallystick_${name} `));
    return Number(line?.split(' ').at(-1));
  };
  const [ann, ben] = [await h.connect(), await h.connect('ben')];
  const sid = await ann.create({ a: 1 });
  await ben.follow(sid);
  assert.deepEqual([await value('connections'), await value('sessions'), await value('subscriptions')], [2, 2, 1]);
  await ann.call('POST', `/v3/Documents/${sid}`, { data: { a: 2 } });
  assert.deepEqual([await value('events_committed_total'), await value('events_delivered_total')], [2, 1]);
  ben.link.buffered = 100_000;
  for (const a of [3, 4, 5]) await ann.call('POST', `/v3/Documents/${sid}`, { data: { a } });
  assert.equal(await value('events_conflated_total'), 2);
  assert.ok((await value('outbox_bytes')) > 100);
  assert.ok((await value('received_bytes_total')) > 500 && (await value('sent_bytes_total')) > 500);
  await ann.call('GET', `/v3/Services/x/Documents/${sid}`);
  await ann.call('GET', '/v3/whatever/that/is');
  await ann.call('PATCH', '/v3/Documents/x', {});
  assert.equal(await value('requests_total{kind="POST Documents",code="201"}'), 1);
  assert.equal(await value('requests_total{kind="POST Documents",code="200"}'), 4);
  assert.equal(await value('requests_total{kind="GET Documents",code="403"}'), 1);
  assert.equal(await value('requests_total{kind="other",code="404"}'), 2);
  await h.open().init('not a token');
  h.open();
  await h.advance(5000);
  assert.equal(await value('token_refusals_total{code="20101"}'), 1);
  assert.equal(await value('cuts_total{reason="no init"}'), 1);
  assert.ok((await value('commits_total{result="applied"}')) >= 5);
  assert.equal(await value('commit_writes_count'), 5);
});
