/** The guide's AccessManager renews a 20-second token again and again, while two tabs go on working. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, openTab, setStage, settled, storedBoard, untilCount, withoutChromium } from './stage.ts';
import type { Tab } from './stage.ts';

const ttlSeconds = 20;
const renewals = 2;

test(
  '[TLC2] [TLC4] a token that ends is renewed; nothing is lost, asked twice or subscribed twice',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart({ TOKEN_TTL: String(ttlSeconds) });
    const began = performance.now();
    const ann = await openTab(stage.browser, url);
    const bob = await openTab(stage.browser, url);
    const tabs: readonly Tab[] = [ann, bob];
    for (const tab of tabs) await tab.until(settled);

    let cuts = 0;
    const renewed = async (): Promise<number> =>
      Math.min(...(await Promise.all(tabs.map((tab) => tab.says('renewals')))).map(Number));
    while ((await renewed()) < renewals) {
      const [writer, reader] = cuts % 2 === 0 ? ([ann, bob] as const) : ([bob, ann] as const);
      // Acknowledged to the one, then seen by the other: at every moment of the token's life, its end included.
      await cut(writer, 'loaves', cuts % 20 < 10 ? 'more' : 'less');
      cuts += 1;
      await untilCount(reader, 'loaves', 7 + (cuts % 20 <= 10 ? cuts % 20 : 20 - (cuts % 20)));
      await tabs[cuts % 2]?.page.waitForTimeout(50);
    }
    for (const tab of tabs) await tab.until(settled);
    const seconds = (performance.now() - began) / 1000;
    t.diagnostic(
      `${cuts} changes over ${seconds.toFixed(0)} s; token requests ${tabs.map((tab) => tab.tokenRequests()).join(' and ')}`,
    );

    assert.ok(seconds > renewals * ttlSeconds - 2, 'renewed at the end of each token, not before');
    for (const tab of tabs) {
      const times = Number(await tab.says('renewals'));
      assert.equal(tab.tokenRequests(), 1 + times, 'one request for each token');
      assert.ok(times <= seconds / ttlSeconds, `${times} renewals in ${seconds} s`);
      assert.equal(tab.subscribed().length, tab.sockets(), 'one subscription for each socket');
      assert.equal(Number(await tab.says('updates')), cuts, 'one event for each change');
      assert.equal(await tab.says('troubles'), '');
      assert.deepEqual(tab.faults, []);
    }
    const { sticks, turn } = await storedBoard(stage, url);
    assert.equal(turn, cuts, 'the store has every acknowledged change, once');
    for (const tab of tabs) await untilCount(tab, 'loaves', sticks[1]?.count ?? NaN);
  },
);
