/** The four ways of deciding identity, each as somebody at a browser meets it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, openTab, openTabIn, picture, setStage, settled, untilCount, withoutChromium } from './stage.ts';
import type { Tab } from './stage.ts';

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 } };

/** As a person does: with the keyboard, on whatever has the focus. */
async function typeLogin({ page }: Tab, name: string, password: string): Promise<void> {
  await page.locator('#user-name:focus').waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

async function chooseAccount({ page }: Tab, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name }).click();
}

/** What the backend says to this browser when it asks for a token. */
async function tokenStatus({ page }: Tab): Promise<number> {
  return (await page.request.get(new URL('/token', page.url()).href)).status();
}

async function cutForEachOther(ann: Tab, bob: Tab, before: number): Promise<void> {
  await cut(ann, 'apples');
  await untilCount(bob, 'apples', before + 1);
  await cut(bob, 'apples');
  await untilCount(ann, 'apples', before + 2);
}

test(
  '[TOK25] a login by hand opens the board as that user, logging out closes it in every tab',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart({ IDENTITY: 'login' });
    const ann = await openTab(stage.browser, url, desktop);
    const bob = await openTab(stage.browser, url, { ...phone, colorScheme: 'dark' });
    for (const tab of [ann, bob]) await tab.until('[data-connection=loggedOut]');
    assert.equal(await tokenStatus(ann), 401);
    await picture(ann, 'login-desktop-light');
    await picture(bob, 'login-phone-dark');
    await ann.page.emulateMedia({ colorScheme: 'dark' });
    await bob.page.emulateMedia({ colorScheme: 'light' });
    await picture(ann, 'login-desktop-dark');
    await picture(bob, 'login-phone-light');
    await ann.page.emulateMedia({ colorScheme: 'light' });
    await bob.page.emulateMedia({ colorScheme: 'dark' });

    await typeLogin(ann, 'ann', 'birch');
    await ann.page.getByText('There is no user with this name and password.').waitFor();
    await picture(ann, 'login-refused');
    await ann.page.keyboard.type('hazel');
    await ann.page.keyboard.press('Enter');
    await typeLogin(bob, 'bob', 'birch');
    for (const tab of [ann, bob]) await tab.until(`${settled}[data-way=login]`);
    assert.deepEqual([await ann.says('identity'), await bob.says('identity')], ['user-41', 'user-42']);
    await cutForEachOther(ann, bob, 23);
    await picture(ann, 'login-board-desktop');
    await picture(bob, 'login-board-phone');

    const [cookie] = await ann.page.context().cookies();
    assert.deepEqual(cookie && [cookie.name, cookie.httpOnly, cookie.sameSite], ['session', true, 'Lax']);
    const second = await openTabIn(ann.page.context(), url);
    await second.until(`${settled}[data-identity=user-41]`);
    await ann.page.getByRole('button', { name: 'Log out' }).click();
    for (const tab of [ann, second]) await tab.until('[data-connection=loggedOut]');
    assert.equal(await tokenStatus(ann), 401);
    await typeLogin(ann, 'cleo', 'alder');
    await ann.until(`${settled}[data-identity=user-43]`);
    await cutForEachOther(ann, bob, 25);
    for (const tab of [ann, bob, second]) assert.deepEqual(tab.faults, []);
  },
);

test(
  '[TOK26] a login at an OpenID Connect provider opens the board, and the provider remembers it',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart({ IDENTITY: 'oidc' });
    // Both names of this computer: one is the provider's too, to the other its cookies are those of another site.
    const localhost = url.replace('127.0.0.1', 'localhost');
    const ann = await openTab(stage.browser, localhost, desktop);
    const bob = await openTab(stage.browser, url, { ...phone, colorScheme: 'dark' });
    for (const tab of [ann, bob]) await tab.until('[data-connection=loggedOut]');
    assert.equal(await tokenStatus(ann), 401);
    await picture(ann, 'oidc-door-desktop');
    await ann.page.getByRole('button', { name: 'Log in' }).click();
    await ann.page.getByText('Who are you?').waitFor();
    await picture(ann, 'oidc-provider-desktop');
    await ann.page.getByRole('button', { name: 'ann' }).click();
    await bob.page.getByRole('button', { name: 'Log in' }).click();
    await bob.page.getByText('Who are you?').waitFor();
    await picture(bob, 'oidc-provider-phone-dark');
    await bob.page.getByRole('button', { name: 'bob' }).click();
    for (const tab of [ann, bob]) await tab.until(`${settled}[data-way=oidc]`);
    assert.deepEqual([await ann.says('identity'), await bob.says('identity')], ['dev:user-41', 'dev:user-42']);
    await cutForEachOther(ann, bob, 23);
    await picture(ann, 'oidc-board-desktop');
    await picture(bob, 'oidc-board-phone-dark');

    await ann.page.reload();
    await ann.until(`${settled}[data-identity="dev:user-41"]`);
    const second = await openTabIn(ann.page.context(), localhost);
    await second.until(`${settled}[data-identity="dev:user-41"]`);
    assert.equal(new URL(second.page.url()).search, '', 'nothing of the login stays in the address');
    const kept = await second.page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    assert.doesNotMatch(String(kept), /eyJ|login/);

    await ann.page.getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByText('Log out?').waitFor();
    await picture(ann, 'oidc-logout');
    await ann.page.getByRole('button', { name: 'Log out' }).click();
    for (const tab of [ann, second]) await tab.until('[data-connection=loggedOut]');
    await chooseAccount(ann, 'cleo');
    await ann.until(`${settled}[data-identity="dev:user-43"]`);
    for (const tab of [ann, bob, second]) assert.deepEqual(tab.faults, []);
  },
);

test(
  '[TOK21] [TOK22] [TLC3] when tokens end: who is known goes on, a random name changes, another user starts anew',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const [anonymous, random, oidc, login] = await Promise.all([
      stage.quickstart(),
      stage.quickstart({ IDENTITY: 'random', TOKEN_TTL: '10' }),
      stage.quickstart({ IDENTITY: 'oidc', TOKEN_TTL: '10' }),
      stage.quickstart({ IDENTITY: 'login', TOKEN_TTL: '10' }),
    ]);
    const visitor = await openTab(stage.browser, anonymous, desktop);
    const guest = await openTab(stage.browser, random, { ...phone, colorScheme: 'dark' });
    const [cleo, ann, bob] = await Promise.all([oidc, login, login].map((url) => openTab(stage.browser, url, desktop)));
    assert.ok(cleo && ann && bob);
    await chooseAccount(cleo, 'cleo');
    await typeLogin(ann, 'ann', 'hazel');
    await typeLogin(bob, 'bob', 'birch');
    await visitor.until(`${settled}[data-way=anonymous][data-identity^=visitor-]`);
    await guest.until(`${settled}[data-way=random][data-identity^=guest-]`);
    for (const tab of [cleo, ann, bob]) await tab.until(settled);
    const before = { visitor: await visitor.says('identity'), guest: await guest.says('identity') };
    await cutForEachOther(visitor, guest, 23);
    await picture(visitor, 'anonymous-desktop');
    await picture(guest, 'random-phone-dark');
    await visitor.page.reload();
    await visitor.until(settled);
    assert.equal(await visitor.says('identity'), before.visitor);

    // The two have lost their sessions. The board stays in sight behind the door, and what is typed there is left alone.
    for (const tab of [ann, bob]) await tab.page.context().clearCookies();
    const [asked, renewed] = [ann.tokenRequests(), Number(await ann.says('renewals'))];
    for (const tab of [ann, bob]) await tab.page.locator('#user-name').waitFor();
    await ann.page.keyboard.type('an');
    await picture(ann, 'login-over-board');
    await ann.until('[data-connection=denied]');
    assert.equal(ann.tokenRequests(), asked + 1, 'asked at the end of the token, and then waits for the login');
    await typeLogin(ann, 'n', 'hazel');
    await ann.until(`${settled}[data-renewals="${renewed + 1}"][data-identity=user-41]`);
    const anew = bob.page.waitForEvent('load');
    await typeLogin(bob, 'cleo', 'alder');
    await anew;
    await bob.until(`${settled}[data-identity=user-43]`);

    // The access token of the provider ends with the token here: both are renewed, and nobody is asked.
    await cleo.until(`${settled}[data-renewals]:not([data-renewals="0"])[data-identity="dev:user-43"]`);
    await guest.until(`${settled}[data-renewals]:not([data-renewals="0"])`);
    assert.notEqual(await guest.says('identity'), before.guest);
    for (const tab of [guest, cleo, ann, bob]) {
      await cut(tab, 'loaves');
      assert.deepEqual([await tab.says('troubles'), tab.faults], ['', []]);
    }
    await cutForEachOther(cleo, guest, 25);
    await untilCount(visitor, 'loaves', 11);
  },
);

test(
  '[TOK27] too many requests for tokens: the page says so, and asks again when the backend said',
  { skip: withoutChromium },
  async (t) => {
    const stage = await setStage(t);
    const url = await stage.quickstart();
    const tab = await openTab(stage.browser, 'about:blank', phone);
    await tab.page.route('**/token', (route) =>
      route.fulfill({ status: 429, headers: { 'Retry-After': '3' }, json: { message: 'Too many requests' } }),
    );
    const began = performance.now();
    await tab.page.goto(url);
    await tab.page.getByText('Next try in 3 s').waitFor();
    await picture(tab, 'too-many-phone');
    await tab.page.unroute('**/token');
    await tab.until(`${settled}[data-troubles=""]`);
    assert.ok(performance.now() - began >= 3_000);
    assert.equal(tab.tokenRequests(), 2);
  },
);
