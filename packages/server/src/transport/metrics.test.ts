import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from '../engine/tally.ts';
import { createMetrics } from './metrics.ts';
import type { Present } from './metrics.ts';

const present: Present = {
  connections: 3,
  sessions: 2,
  subscriptions: 5,
  outboxBytes: 700,
  writesWaiting: 4,
  takesWrites: true,
};

test('[MET1] the state and the sums are told as they are when asked, twice in a row the same', async () => {
  const tally = new Tally();
  const metrics = createMetrics(tally, () => present, false);
  tally.connections = 9;
  tally.eventsIn = 2;
  tally.requests.add('GET document 200');
  tally.requests.add('GET document 200', 2);
  tally.requests.add('POST document 409');
  tally.tokenRefusals.add('20104');
  tally.cuts.add('slow reader');
  tally.commitSeconds.observe(0.003);
  tally.commitCommands.observe(40);
  const text = await metrics.render();
  const lines = text.split('\n');
  for (const line of [
    'tallystick_connections 3',
    'tallystick_sessions 2',
    'tallystick_subscriptions 5',
    'tallystick_outbox_bytes 700',
    'tallystick_writes_waiting 4',
    'tallystick_takes_writes 1',
    'tallystick_connections_total 9',
    'tallystick_events_committed_total 2',
    'tallystick_requests_total{kind="GET document",code="200"} 3',
    'tallystick_requests_total{kind="POST document",code="409"} 1',
    'tallystick_token_refusals_total{code="20104"} 1',
    'tallystick_cuts_total{reason="slow reader"} 1',
    'tallystick_commit_seconds_bucket{le="0.002"} 0',
    'tallystick_commit_seconds_bucket{le="0.005"} 1',
    'tallystick_commit_writes_bucket{le="64"} 1',
  ]) {
    assert.ok(lines.includes(line), `${line} is missing in\n${text}`);
  }
  assert.equal(await metrics.render(), text);
  assert.ok(lines.filter((line) => line.startsWith('# HELP')).length >= 18, 'each has its help');
});

test('[MET1] two services in one process tell their own numbers', async () => {
  const [one, other] = [new Tally(), new Tally()];
  const metrics = [one, other].map((tally) => createMetrics(tally, () => present, false));
  one.eventsOut = 7;
  const [first = '', second = ''] = await Promise.all(metrics.map((each) => each.render()));
  assert.match(first, /^tallystick_events_delivered_total 7$/m);
  assert.match(second, /^tallystick_events_delivered_total 0$/m);
});
