/** A token endpoint that trusts a test provider, and what it answers to an Authorization header. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { tokenEndpoint } from '../src/endpoint.ts';
import { oidcBearer } from '../src/oidc-bearer.ts';
import type { OidcBearerOptions } from '../src/oidc-bearer.ts';
import { account, key, now, secret, world } from './forge.ts';
import { audience, startProvider } from './oidc-provider.ts';
import type { Provider } from './oidc-provider.ts';

export interface Answer {
  readonly status: number;
  readonly identity: unknown;
  readonly message: unknown;
  readonly challenge: string | null;
  readonly retryAfter: string | null;
}

export interface Backend {
  readonly provider: Provider;
  /** What `onError` was told. */
  readonly told: unknown[];
  readonly ask: (authorization?: string) => Promise<Answer>;
}

/** A provider, and a token endpoint that trusts it. The clock stands still unless the test ticks it. */
export async function backend(t: TestContext, options: Partial<OidcBearerOptions> = {}): Promise<Backend> {
  t.mock.timers.reset();
  t.mock.timers.enable({ apis: ['Date'], now: now * 1000 });
  const provider = await startProvider(t, now);
  return { provider, ...trusting(provider, options) };
}

export function trusting(provider: Provider, options: Partial<OidcBearerOptions>): Omit<Backend, 'provider'> {
  const told: unknown[] = [];
  const endpoint = tokenEndpoint({
    accountSid: account,
    keySid: key,
    secret,
    now: world.now,
    identity: oidcBearer({ issuer: provider.issuer, audience, name: 'corp', ...options }),
    onError: (error) => told.push(error),
  });
  const ask = async (authorization?: string): Promise<Answer> => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await endpoint(new Request('http://app.example/token', { headers }));
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const { identity, message } = { identity: undefined, message: undefined, ...Object(await response.json()) };
    const challenge = response.headers.get('www-authenticate');
    return { status: response.status, identity, message, challenge, retryAfter: response.headers.get('retry-after') };
  };
  return { told, ask };
}

/** Checks all that a 401 has in common, and that nothing of the token is in it. */
export function assertRefused(answer: Answer, token: string, complaint: RegExp): void {
  assert.equal(answer.status, 401);
  assert.match(String(answer.message), complaint);
  assert.equal(answer.challenge, `Bearer error="invalid_token", error_description="${String(answer.message)}"`);
  for (const part of token.split('.')) {
    assert.ok(part.length < 5 || !JSON.stringify(answer).includes(part), 'the answer quotes the token');
  }
}
