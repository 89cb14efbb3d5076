/** What people see when something is wrong, and that it mends itself where it can. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cut,
  openTab,
  picture,
  setStage,
  settled,
  storedBoard,
  untilCount,
  withClient,
  withoutChromium,
} from './stage.ts';

test(
  'without an answer from /token the page says so, asks seldom, and goes on when there is one',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const tab = await openTab(stage.browser, 'about:blank', { viewport: { width: 390, height: 844 } });
    let asked = 0;
    await tab.page.route('**/token', (route) => {
      asked += 1;
      return route.fulfill({ status: 500, json: { message: 'This server is not configured to mint tokens.' } });
    });
    const began = performance.now();
    await tab.page.goto(url);
    await tab.page.getByText('This server is not configured to mint tokens.').waitFor();
    await picture(tab, 'phone-no-token');
    await tab.page.waitForRequest('**/token');
    await tab.page.waitForRequest('**/token');
    const seconds = (performance.now() - began) / 1000;
    assert.ok(asked <= 2 + Math.log2(1 + seconds), `${asked} requests in ${seconds} s`);
    // What no repetition mends is not repeated, until somebody asks for it.
    await tab.page.route('**/token', (route) => route.fulfill({ status: 401, json: { message: 'Not logged in.' } }));
    await tab.page.getByText('Not logged in.').waitFor();
    await tab.page.unroute('**/token');
    await tab.page.getByRole('button', { name: 'Try now' }).click();
    await tab.until(`${settled}[data-troubles=""]`);
  },
);

test(
  '[STO1] [SUB7] while the service is away changes wait; when it is back each is made once',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const ann = await openTab(stage.browser, url, { viewport: { width: 1280, height: 800 } });
    const bob = await openTab(stage.browser, url);
    for (const tab of [ann, bob]) await tab.until(settled);
    await cut(ann, 'apples');

    const startAgain = await stage.stopService();
    await ann.until('[data-troubles~=connection]');
    for (let i = 0; i < 3; i++) await ann.page.getByLabel('Cut a notch in Apples').click();
    await bob.page.getByLabel('Cut a notch in Apples').click();
    await untilCount(ann, 'apples', 27);
    // The first is under way and waits for the connection; the others were joined.
    await ann.until('[data-pending="2"]');
    await picture(ann, 'desktop-service-away');

    await startAgain();
    for (const tab of [ann, bob]) {
      await untilCount(tab, 'apples', 28);
      await tab.until(`${settled}[data-troubles=""]`);
      assert.deepEqual(tab.faults, []);
    }
    assert.equal((await storedBoard(stage, url)).sticks[0]?.count, 28);
  },
);

test(
  'a device whose clock is two hours ahead is told so, works, and asks for tokens ever more seldom',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const tab = await openTab(stage.browser, 'about:blank');
    await tab.page.clock.setSystemTime(Date.now() + 7_200_000);
    const began = performance.now();
    await tab.page.goto(url);
    await tab.until('[data-renewals="3"][data-troubles~=clock]');
    // The pauses are 1, 2 and 4 seconds, each up to a fifth shorter.
    assert.ok(performance.now() - began > 5_600);
    assert.equal(tab.tokenRequests(), 4);
    await cut(tab, 'apples');
    assert.equal((await storedBoard(stage, url)).sticks[0]?.count, 24);
    assert.equal(tab.subscribed().length, 1);
  },
);

test(
  '[CON2] a refused token is told with its code, and not repeated by itself',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart({ TWILIO_API_SECRET: 'not-the-secret-that-the-service-knows' });
    const tab = await openTab(stage.browser, url, { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
    await tab.until('[data-connection=denied][data-troubles~=connection]');
    assert.match(await tab.page.locator('[data-trouble=connection]').innerText(), /refuses this token[^]*20107/);
    await picture(tab, 'desktop-refused');
    assert.equal(tab.tokenRequests(), 1);
    await tab.page.getByRole('button', { name: 'Try now' }).click();
    await tab.page.waitForResponse('**/token');
    assert.equal(tab.tokenRequests(), 2);
  },
);

test(
  '[DOC5] a full board says that it is full; what was there stays, and room can be made',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const tab = await openTab(stage.browser, url);
    await tab.until(settled);
    await withClient(stage, url, async (client) => {
      const notes = Array.from({ length: 72 }, (_, at) => ({ id: `n${at}`, by: '', text: `${at} ${'x'.repeat(135)}` }));
      const document = await client.document('board');
      await document.update({ notes });
    });
    await tab.page.locator('#notes [data-id=n71]').waitFor();
    await tab.page.getByLabel('New note').fill('one more');
    await tab.page.keyboard.press('Enter');
    await tab.page.getByText('The board is full').waitFor();
    assert.equal((await storedBoard(stage, url)).notes.length, 72);

    await tab.page.getByLabel(/^Dismiss/).click();
    await tab.page.locator('#notes [data-id=n0] .remove').click();
    await tab.until(settled);
    await tab.page.getByLabel('New note').fill('one more');
    await tab.page.keyboard.press('Enter');
    await tab.page.getByText('one more', { exact: true }).waitFor();
    await tab.until(`${settled}[data-troubles=""]`);
    assert.equal((await storedBoard(stage, url)).notes.length, 72);
  },
);
