/** What the tests of the backend stand on: the app on a port of its own, and how to ask it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { openQuickstart } from './server.ts';
import { readSettings } from './settings.ts';

export const credentials = {
  TWILIO_ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  TWILIO_API_KEY: `SK${'b'.repeat(32)}`,
  TWILIO_API_SECRET: 'the-secret-that-nobody-may-ever-see',
};

export type Ask = (path: string, headers?: Record<string, string>, init?: RequestInit) => Promise<Response>;

/** Starts the app as the environment says, and answers how to ask it. */
export async function start(t: TestContext, environment: Record<string, string>): Promise<Ask & { origin: string }> {
  const { app, close } = await openQuickstart(readSettings({ OIDC_PORT: '0', ...environment }));
  t.after(close);
  const server = app.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const origin = `http://127.0.0.1:${address.port}`;
  const ask: Ask = (path, headers = {}, init = {}) =>
    fetch(`${origin}${path}`, { ...init, redirect: 'manual', headers: { ...headers, connection: 'close' } });
  return Object.assign(ask, { origin });
}

export async function tokenOf(
  response: Response,
): Promise<{ identity: string; url: string; claims: Record<string, unknown> }> {
  assert.equal(response.status, 200);
  const body: unknown = await response.json();
  assert.ok(typeof body === 'object' && body !== null && 'identity' in body && 'token' in body && 'url' in body);
  const [, payload = ''] = String(body.token).split('.');
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return { identity: String(body.identity), url: String(body.url), claims };
}

/** An answer to somebody who does not get in: JSON, no redirect, no token, nothing for a cache. */
export async function assertRefused(response: Response, status = 401): Promise<void> {
  assert.equal(response.status, status);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const text = await response.text();
  assert.equal(JSON.parse(text).status, status);
  assert.doesNotMatch(text, /eyJ/);
}

/** What a browser would send back. */
export function cookieOf(response: Response): string {
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

/** Asks until it is too much; answers how often it went well, and the seconds to wait that came then. */
export async function untilTooMany(
  ask: () => Promise<Response>,
  most: number,
): Promise<{ went: number; wait: number }> {
  for (let went = 0; went <= most; went++) {
    const response = await ask();
    if (response.status !== 429) {
      await response.body?.cancel();
      continue;
    }
    await assertRefused(response, 429);
    return { went, wait: Number(response.headers.get('retry-after')) };
  }
  throw new Error(`more than ${most} requests were answered`);
}
