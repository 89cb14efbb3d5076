import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/simulation/random.ts';
import { Arrivals } from './arrivals.ts';

const start = 1_800_000_000_000;

test('[BND6] a burst of ten seconds is let in at once, then one an interval', () => {
  const arrivals = new Arrivals(110, () => 0);
  for (let i = 0; i < 1100; i++) assert.equal(arrivals.arrive('office', start), 0);
  assert.ok(arrivals.arrive('office', start) > 0);
  assert.equal(arrivals.arrive('elsewhere', start), 0, 'others are not concerned');
  assert.equal(arrivals.arrive('office', start + 10), 0);
});

test('[BND6] 0 in the options is no limit', () => {
  const arrivals = new Arrivals(Infinity, () => 0);
  for (let i = 0; i < 20_000; i++) assert.equal(arrivals.arrive('office', start), 0);
  assert.equal(arrivals.size, 0);
});

test('[BND7] each that is refused gets a later place, a second ahead at first and at most a minute', () => {
  const arrivals = new Arrivals(10, () => 0);
  const waits = Array.from({ length: 1000 }, () => arrivals.arrive('office', start)).slice(100);
  assert.deepEqual(waits.slice(0, 4), [1100, 1200, 1300, 1400]);
  assert.equal(waits[588], 59_900);
  assert.deepEqual([...new Set(waits.slice(590))], [30_000], 'who gets no place asks again');
  const jittered = new Arrivals(10, () => 0.999);
  const late = Array.from({ length: 1000 }, () => jittered.arrive('office', start)).slice(100);
  assert.deepEqual([late[0], late.at(-1)], [1350, 59_970]);
});

test('[BND7] a storm comes back spread at the rate, and each gets in', () => {
  const perSecond = 110;
  for (const clients of [1100, 2000, 5000, 12_000]) {
    const random = new Random(clients);
    const arrivals = new Arrivals(perSecond, () => random.next());
    /** Who comes at which millisecond, and how often each came. */
    const coming = new Map<number, number[]>([[0, Array.from({ length: clients }, (_, i) => i)]]);
    const visits = new Uint16Array(clients);
    const admitted: number[] = [];
    for (let ms = 0; admitted.length < clients; ms++) {
      assert.ok(ms < 600_000, `${admitted.length} of ${clients} got in`);
      for (const client of coming.get(ms) ?? []) {
        visits[client]!++;
        const waitMs = arrivals.arrive('office', start + ms);
        if (waitMs === 0) admitted.push(ms);
        // The client library adds or takes off up to a fifth.
        const back = ms + Math.round(waitMs * (0.8 + 0.4 * random.next())) + 1;
        if (waitMs > 0) coming.set(back, [...(coming.get(back) ?? []), client]);
      }
    }
    const inOneSecond = admitted.filter((ms) => ms >= 5000 && ms < 6000).length;
    if (clients > 2000) assert.ok(Math.abs(inOneSecond - perSecond) < 40, `${inOneSecond} in the sixth second`);
    const least = (1000 * (clients - 10 * perSecond)) / perSecond;
    const last = admitted.at(-1)!;
    assert.ok(last >= least - 1 && last < 1.6 * least + 3000, `${clients}: ${last} ms, ${least} at least`);
    assert.ok(Math.max(...visits) <= 5, `${Math.max(...visits)} visits`);
  }
});

test('[BND7] addresses that stay away are forgotten, and never more than the bound are remembered', () => {
  const arrivals = new Arrivals(1, () => 0, 100);
  for (let i = 0; i < 50; i++) arrivals.arrive(`a${i}`, start);
  assert.equal(arrivals.size, 50);
  for (let i = 0; i < 30; i++) arrivals.arrive(`b${i}`, start + 60_000);
  assert.equal(arrivals.size, 30, 'two are looked at for one that comes');
  for (let i = 0; i < 10; i++) arrivals.arrive('busy', start + 60_000);
  for (let i = 0; i < 90; i++) arrivals.arrive(`c${i}`, start + 60_000);
  assert.equal(arrivals.size, 100);
  assert.ok(arrivals.arrive('busy', start + 60_000) > 0, 'a busy one is remembered');
  for (let i = 0; i < 1000; i++) arrivals.arrive(`d${i}`, start + 60_000);
  assert.equal(arrivals.size, 100);
});
