/**
 * What the end-to-end tests play on: the real service, the quickstart, a headless Chromium and the official client for
 * Node. Everything is on a free port and is taken down after the test.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createNodeServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer, loadConfig } from '@tallystick/server';
import type { Server } from '@tallystick/server';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { SyncClient } from 'twilio-sync';
import { openQuickstart } from '../server.ts';
import { readSettings } from '../settings.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Given to `test` as `skip`: false, or why nothing can be tested here. */
export const withoutChromium: string | false = existsSync(executablePath)
  ? false
  : `SKIPPED: there is no Chromium at ${executablePath}; set CHROMIUM to where it is`;

const chromiumArguments =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

const credentials = {
  accountSid: `AC${'1'.repeat(32)}`,
  authToken: 'auth-token-of-the-end-to-end-tests',
  apiKey: `SK${'2'.repeat(32)}`,
  apiSecret: 'api-secret-of-the-end-to-end-tests',
  serviceSid: `IS${'3'.repeat(32)}`,
};

/** How long any single thing may take, in milliseconds. Only a failing test ever waits this long. */
const patience = 30_000;

export interface Stage {
  readonly browser: Browser;
  readonly service: () => Server;
  /** Stops the service; the answer starts it again on the same port and data. */
  readonly stopService: () => Promise<() => Promise<void>>;
  /** A quickstart with these settings beside those that fit the service. */
  readonly quickstart: (environment?: Record<string, string>) => Promise<string>;
}

export async function setStage(t: TestContext): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tallystick-e2e-'));
  t.after(() => rm(dataDir, { recursive: true }));
  let service = await startService(dataDir, 0);
  t.after(() => service.stop());
  const stopService = async (): Promise<() => Promise<void>> => {
    const { port } = service;
    await service.stop();
    return async () => {
      service = await startService(dataDir, port);
    };
  };
  const browser = await chromium.launch({ executablePath, args: chromiumArguments.split(' ') });
  t.after(() => browser.close());
  const quickstart = async (environment: Record<string, string> = {}): Promise<string> => {
    const { app, close } = await openQuickstart(
      readSettings({
        OIDC_PORT: '0',
        TWILIO_ACCOUNT_SID: credentials.accountSid,
        TWILIO_API_KEY: credentials.apiKey,
        TWILIO_API_SECRET: credentials.apiSecret,
        TALLYSTICK_SOCKET_URL: service.socketUrl,
        ...environment,
      }),
    );
    const server = createNodeServer(app);
    const listening = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    t.after(() => {
      close();
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return `http://127.0.0.1:${address.port}`;
  };
  return { browser, service: () => service, stopService, quickstart };
}

function startService(dataDir: string, port: number): Promise<Server> {
  const env = {
    TALLYSTICK_DATA_DIR: dataDir,
    TALLYSTICK_PORT: String(port),
    TALLYSTICK_LOG_LEVEL: 'silent',
    TALLYSTICK_DRAIN_MS: '0',
  };
  return createServer({ ...loadConfig({ argv: [], env }), credentials });
}

/** One tab, in a browser profile of its own. */
export interface Tab {
  readonly page: Page;
  /** Waits until `body` matches a selector, such as `[data-connection=connected]`. */
  readonly until: (state: string) => Promise<void>;
  /** What `body` says about itself, `data-` left out. */
  readonly says: (name: string) => Promise<string>;
  readonly tokenRequests: () => number;
  readonly sockets: () => number;
  /** Objects that were asked to be subscribed to, over all sockets. */
  readonly subscribed: () => readonly string[];
  /** What went wrong inside the page: uncaught errors and breaches of its own policy. */
  readonly faults: readonly string[];
}

export async function openTab(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> {
  return openTabIn(await browser.newContext(options), url);
}

/** Another tab of a profile that has some: it shares their cookies. */
export async function openTabIn(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const faults: string[] = [];
  const subscribed: string[] = [];
  let tokenRequests = 0;
  let sockets = 0;
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/token') tokenRequests += 1;
  });
  page.on('websocket', (socket) => {
    sockets += 1;
    socket.on('framesent', ({ payload }) => subscribed.push(...subscriptionsIn(payload.toString())));
  });
  await page.goto(url);
  return {
    page,
    until: (state) => page.locator(`body${state}`).waitFor({ state: 'attached' }),
    says: async (name) => (await page.locator('body').getAttribute(`data-${name}`)) ?? '',
    tokenRequests: () => tokenRequests,
    sockets: () => sockets,
    subscribed: () => subscribed,
    faults,
  };
}

function subscriptionsIn(frame: string): string[] {
  if (!frame.includes('"action":"establish"')) return [];
  return [...frame.matchAll(/"object_sid":"(\w+)"/g)].map(([, sid = '']) => sid);
}

/** Opened, live, and nothing under way. */
export const settled = '[data-connection=connected][data-board][data-pending="0"]';

/** Presses plus or minus of a stick, and waits until the service has acknowledged it. */
export async function cut(tab: Tab, stick: string, button: 'more' | 'less' = 'more'): Promise<void> {
  await tab.page.locator(`#sticks [data-id="${stick}"] .${button}`).click();
  await tab.until(settled);
}

export async function untilCount(tab: Tab, stick: string, count: number): Promise<void> {
  await tab.page.locator(`#sticks [data-id="${stick}"][data-count="${count}"]`).waitFor();
}

export interface StoredBoard {
  readonly sticks: readonly { readonly id: string; readonly name: string; readonly count: number }[];
  readonly notes: readonly { readonly id: string; readonly text: string }[];
  readonly turn: number;
}

/** The document as the service holds it, read by an official client that has never seen it. */
export async function storedBoard(stage: Stage, url: string): Promise<StoredBoard> {
  return withClient(stage, url, async (client) => (await client.document('board')).data as StoredBoard);
}

export async function withClient<Result>(
  stage: Stage,
  url: string,
  use: (client: SyncClient) => Promise<Result>,
): Promise<Result> {
  const answer: unknown = await (await fetch(`${url}/token`)).json();
  assert.ok(typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string');
  const options = { twilsock: { uri: stage.service().socketUrl }, Sync: { enableSessionStorage: false } };
  const client = new SyncClient(answer.token, options);
  try {
    return await use(client);
  } finally {
    await client.shutdown();
  }
}

/** Writes a picture to the folder `screenshots` when SCREENSHOTS=1. */
export async function picture(tab: Tab, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== '1') return;
  const path = fileURLToPath(new URL(`../screenshots/${name}.png`, import.meta.url));
  await tab.page.screenshot({ path, animations: 'disabled' });
}
