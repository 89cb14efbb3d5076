/** Two browsers on one board: what one does, the other sees. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, openTab, picture, setStage, settled, storedBoard, untilCount, withoutChromium } from './stage.ts';

test(
  '[EVT2] [SUB1] what one tab does is on the other, once, and in the store',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const ann = await openTab(stage.browser, url, { viewport: { width: 1280, height: 800 } });
    const bob = await openTab(stage.browser, url, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    for (const tab of [ann, bob]) await tab.until(settled);
    assert.notEqual(await ann.says('identity'), await bob.says('identity'));

    await cut(ann, 'apples');
    await untilCount(bob, 'apples', 24);
    await cut(bob, 'loaves', 'less');
    await untilCount(ann, 'loaves', 6);
    await bob.page.getByLabel('New stick').fill('Sacks of oats');
    await bob.page.keyboard.press('Enter');
    await ann.page.getByLabel('Name of Sacks of oats').waitFor();
    await ann.page.getByLabel('New note').fill('<img src=x onerror=alert(1)> is <b>text</b>');
    await ann.page.keyboard.press('Enter');
    await bob.page.getByText('<img src=x onerror=alert(1)> is <b>text</b>', { exact: true }).waitFor();
    await bob.page.getByLabel('Name of Candles').fill('Lamps');
    await bob.page.keyboard.press('Enter');
    await ann.page.getByLabel('Name of Lamps').waitFor();
    await ann.page.getByLabel('Remove Sacks of oats').click();
    await bob.page.getByLabel('Name of Sacks of oats').waitFor({ state: 'detached' });
    for (const tab of [ann, bob]) await tab.until(settled);

    for (const tab of [ann, bob]) {
      assert.equal(await tab.says('updates'), '6', 'one event for each change, own ones included');
      assert.equal(tab.subscribed().length, 1);
      assert.equal(tab.sockets(), 1);
      assert.equal(tab.tokenRequests(), 1);
      assert.deepEqual(tab.faults, []);
      const told = await tab.page.locator('#events [data-origin=local], #events [data-origin=remote]').count();
      assert.equal(told, 6);
    }
    assert.match(await ann.page.locator('#events [data-origin=remote]').first().innerText(), /renamed Candles → Lamps/);
    const { sticks, notes, turn } = await storedBoard(stage, url);
    assert.deepEqual(
      sticks.map(({ name, count }) => [name, count]),
      [
        ['Apples', 24],
        ['Loaves', 6],
        ['Lamps', 112],
      ],
    );
    assert.deepEqual([notes.length, turn], [2, 6]);

    await picture(ann, 'desktop-light');
    await picture(bob, 'phone-dark');
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    await bob.page.emulateMedia({ colorScheme: 'light' });
    await picture(ann, 'desktop-dark');
    await picture(bob, 'phone-light');
  },
);

test(
  '[REV2] [DOC4] tabs that cut the same stick at the same time lose no notch',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const tabs = await Promise.all([1, 2, 3].map(() => openTab(stage.browser, url)));
    for (const tab of tabs) await tab.until(settled);
    const presses = 15;
    await Promise.all(
      tabs.map(async ({ page }) => {
        for (let i = 0; i < presses; i++) await page.getByLabel('Cut a notch in Apples').click();
      }),
    );
    for (const tab of tabs) await untilCount(tab, 'apples', 23 + tabs.length * presses);
    for (const tab of tabs) await tab.until(settled);
    assert.equal((await storedBoard(stage, url)).sticks[0]?.count, 23 + tabs.length * presses);
  },
);

test('the board works by keyboard alone, and fits 360 pixels', { skip: withoutChromium }, async (t) => {
  const stage = await setStage(t);
  const url = await stage.quickstart();
  const tab = await openTab(stage.browser, url, { viewport: { width: 360, height: 640 }, reducedMotion: 'reduce' });
  await tab.until(settled);
  const { keyboard } = tab.page;
  const focused = tab.page.locator(':focus');

  await keyboard.press('Tab');
  assert.equal(await focused.textContent(), 'Skip to the board');
  await keyboard.press('Enter');
  assert.equal(await focused.getAttribute('id'), 'new-stick');
  await keyboard.type(`A very long name that goes on and on`);
  await keyboard.press('Enter');
  const name = 'A very long name that goes on an';
  await tab.page.getByLabel(`Name of ${name}`).waitFor();
  for (let i = 0; i < 2; i++) await keyboard.press('Shift+Tab');
  assert.equal(await focused.getAttribute('aria-label'), `Cut a notch in ${name}`);
  await keyboard.press('Space');
  await keyboard.press('Enter');
  await tab.page.locator('#sticks li:nth-child(4)[data-count="2"]').waitFor();

  await keyboard.press('Tab');
  assert.equal(await focused.getAttribute('aria-label'), `Remove ${name}`);
  await keyboard.press('Enter');
  await tab.page.getByLabel(`Name of ${name}`).waitFor({ state: 'detached' });
  assert.equal(await focused.evaluate((element: { tagName: string }) => element.tagName), 'BUTTON', 'focus is kept');
  const outline = await focused.evaluate(
    (element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle,
  );
  assert.equal(outline, 'solid');

  const overflow = await tab.page.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
  assert.equal(overflow, 0);
  await tab.until(settled);
});
