/** The provider for development, as a client meets it that follows the protocol by a library, and the app behind it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as oauth from 'oauth4webapi';
import { assertRefused, credentials, start, tokenOf } from './app-harness.ts';
import { startDevelopmentProvider } from './development-provider.ts';

const clientId = 'quickstart';
const audience = 'https://quickstart.example/tokens';
const client: oauth.Client = { client_id: clientId };
const here = 'http://localhost:3000/';
const insecure = { [oauth.allowInsecureRequests]: true };

async function startProvider(t: TestContext, port = 0) {
  // It warns of itself: it is for development.
  t.mock.method(console, 'warn', () => {});
  t.mock.method(console, 'info', () => {});
  const provider = await startDevelopmentProvider({ port, clientId, audience, tokenTtl: 60 });
  t.after(provider.close);
  return provider;
}

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const address = new URL(issuer);
  return await oauth.processDiscoveryResponse(address, await oauth.discoveryRequest(address, insecure));
}

/** A browser in small: keeps cookies, follows redirects as far as they stay at the provider. */
function browser(issuer: string) {
  const cookies = new Map<string, string>();
  return async function visit(address: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, connection: 'close' };
    const response = await fetch(address, { ...init, headers, redirect: 'manual' });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const next = new URL(response.headers.get('location') ?? here, address).href;
    return response.status === 303 && next.startsWith(issuer) ? await visit(next) : response;
  };
}

function authorization(server: oauth.AuthorizationServer, parameters: Record<string, string>): string {
  const url = new URL(server.authorization_endpoint ?? '');
  const asked = { response_type: 'code', client_id: clientId, redirect_uri: here, scope: 'openid', ...parameters };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return url.href;
}

/** All that a login gives: an access token for the backend, an ID token for the page. */
async function logIn(issuer: string, account: string) {
  const server = await discover(issuer);
  const verifier = oauth.generateRandomCodeVerifier();
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  const asked = {
    state: 's',
    nonce: 'n',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: audience,
  };
  const visit = browser(issuer);
  const page = await (await visit(authorization(server, asked))).text();
  const [, action = ''] = /action="(\/login\/[\w-]+)"/.exec(page) ?? [];
  const back = await visit(`${issuer}${action}`, { method: 'POST', body: new URLSearchParams({ account }) });
  const location = back.headers.get('location') ?? '';
  assert.ok(location.startsWith(here), `${back.status} ${location}`);
  const answer = oauth.validateAuthResponse(server, client, new URL(location), 's');
  const reply = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    here,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply, { expectedNonce: 'n' });
  return { server, tokens, visit };
}

const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` });

test('[TOK26] a login gives an access token that the backend takes, and an ID token that it does not', async (t) => {
  const provider = await startProvider(t);
  const outside = { OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: audience, OIDC_CLIENT_ID: clientId };
  const ask = await start(t, { ...credentials, IDENTITY: 'oidc', ...outside });
  const { server, tokens } = await logIn(provider.issuer, 'user-41');
  const { identity } = await tokenOf(await ask('/token', bearer(tokens.access_token)));
  assert.equal(identity, `127.0.0.1-${new URL(provider.issuer).port}:user-41`);
  await assertRefused(await ask('/token', bearer(tokens.id_token)));

  const renewal = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.None(),
    tokens.refresh_token ?? '',
    insecure,
  );
  const renewed = await oauth.processRefreshTokenResponse(server, client, renewal);
  assert.notEqual(renewed.access_token, tokens.access_token);
  assert.equal((await tokenOf(await ask('/token', bearer(renewed.access_token)))).identity, identity);
  const again = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.None(),
    tokens.refresh_token ?? '',
    insecure,
  );
  assert.equal(again.status, 400, 'a refresh token is good once');
});

test('[TOK26] its keys end with it: a token of before a restart opens nothing', async (t) => {
  const before = await startProvider(t);
  const { tokens } = await logIn(before.issuer, 'user-42');
  before.close();
  const { issuer } = await startProvider(t, Number(new URL(before.issuer).port));
  assert.equal(issuer, before.issuer);
  const outside = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_CLIENT_ID: clientId };
  const ask = await start(t, { ...credentials, IDENTITY: 'oidc', ...outside });
  await assertRefused(await ask('/token', bearer(tokens.access_token)));
  const { tokens: current } = await logIn(issuer, 'user-42');
  assert.equal((await ask('/token', bearer(current.access_token))).status, 200);
});

test('the app starts it by itself, with its own audience, and lets the page reach it', async (t) => {
  t.mock.method(console, 'warn', () => {});
  t.mock.method(console, 'info', () => {});
  const ask = await start(t, { ...credentials, IDENTITY: 'oidc' });
  const way = (await (await ask('/way')).json()) as { issuer: string };
  const policy = (await ask('/')).headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes(`connect-src 'self' ws://127.0.0.1:8080 ${way.issuer};`), policy);
  const { tokens } = await logIn(way.issuer, 'user-43');
  assert.equal((await tokenOf(await ask('/token', bearer(tokens.access_token)))).identity, 'dev:user-43');
});

test('it sends nobody to a page elsewhere, wants PKCE, and answers pages of this computer only', async (t) => {
  const { issuer } = await startProvider(t);
  await assert.rejects(fetch(issuer.replace('127.0.0.1', '127.0.0.2')), 'it listens on one address');
  const server = await discover(issuer);
  const visit = browser(issuer);
  const s256 = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
  const elsewhere = await visit(authorization(server, { ...s256, redirect_uri: 'https://else.example/' }));
  assert.deepEqual([elsewhere.status, elsewhere.headers.get('location')], [400, null]);
  assert.match(await elsewhere.text(), /That did not work/);
  for (const parameters of [{}, { ...s256, code_challenge_method: 'plain' }]) {
    const refused = await visit(authorization(server, parameters));
    assert.match(refused.headers.get('location') ?? '', /^http:\/\/localhost:3000\/\?error=invalid_request/);
  }
  const silent = await visit(authorization(server, { ...s256, prompt: 'none' }));
  assert.match(silent.headers.get('location') ?? '', /\?error=login_required/);

  for (const [origin, allowed] of [
    ['http://localhost:3000', true],
    ['https://else.example', false],
    ['null', false],
  ] as const) {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: clientId });
    const response = await fetch(server.token_endpoint ?? '', {
      method: 'POST',
      body,
      headers: { origin, connection: 'close' },
    });
    assert.equal(response.headers.get('access-control-allow-origin'), allowed ? origin : null);
    await response.body?.cancel();
  }
});

test('an account that does not exist is nobody, and a page that is not awaited is an error without a stack', async (t) => {
  const { issuer } = await startProvider(t);
  const unknown = await fetch(`${issuer}/login/x`, { headers: { connection: 'close' } });
  assert.equal(unknown.status, 400);
  assert.doesNotMatch(await unknown.text(), /\bat .*\.js/);
  const post = await fetch(`${issuer}/login/x`, {
    method: 'POST',
    body: new URLSearchParams({ account: 'user-1' }),
    headers: { connection: 'close' },
  });
  assert.equal(post.status, 400);
});
