/** The server half, on a port of its own and without the service: what `/token` answers, and what else is served. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { cookieOf, credentials, start, tokenOf, untilTooMany } from './app-harness.ts';
import { missingCredentials, readSettings, SettingError } from './settings.ts';

test('[TOK16] /token answers identity, token and the address of the service', async (t) => {
  const ask = await start(t, { ...credentials, TOKEN_TTL: '600', TALLYSTICK_SOCKET_URL: 'wss://sync.example.test/ws' });
  const response = await ask('/token');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('vary'), 'Cookie, Authorization');
  assert.equal(response.headers.get('etag'), null);
  const { identity, url, claims } = await tokenOf(response);
  assert.equal(url, 'wss://sync.example.test/ws');
  assert.equal(claims['iss'], credentials.TWILIO_API_KEY);
  assert.equal(claims['sub'], credentials.TWILIO_ACCOUNT_SID);
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 600);
  assert.deepEqual(claims['grants'], { identity, data_sync: { service_sid: 'default' } });
});

test('[TOK21] a browser keeps its identity; no cookie and a made-up one get a new one', async (t) => {
  const ask = await start(t, credentials);
  const first = await ask('/token');
  const cookie = cookieOf(first);
  assert.match(first.headers.get('set-cookie') ?? '', /; HttpOnly; SameSite=Lax/);
  const { identity } = await tokenOf(first);
  assert.equal((await tokenOf(await ask('/token', { cookie }))).identity, identity);
  const others = [{}, { cookie: cookie.replace(/.$/, (end) => (end === 'A' ? 'Q' : 'A')) }, { cookie: 'visitor=ann' }];
  for (const headers of others) assert.notEqual((await tokenOf(await ask('/token', headers))).identity, identity);
});

test('[TOK17] the query does not name the identity', async (t) => {
  const ask = await start(t, credentials);
  assert.match((await tokenOf(await ask('/token?identity=ann'))).identity, /^visitor-/);
});

test('[TOK22] IDENTITY=random gives each request another name', async (t) => {
  const ask = await start(t, { ...credentials, IDENTITY: 'random' });
  const names = [await ask('/token'), await ask('/token')].map(tokenOf);
  const [one, two] = await Promise.all(names);
  assert.match(one?.identity ?? '', /^guest-[\w-]{22}$/);
  assert.notEqual(one?.identity, two?.identity);
});

test('[TOK27] a browser gets 20 tokens at once, strangers 120 random names; then 429 with Retry-After', async (t) => {
  const ask = await start(t, credentials);
  const cookie = cookieOf(await ask('/token'));
  // The first one, without a cookie, counted for the same identity.
  const { went, wait } = await untilTooMany(() => ask('/token', { cookie }), 20);
  assert.equal(went, 19);
  assert.ok(wait >= 1 && wait <= 60, `${wait} s`);
  assert.equal((await ask('/token')).status, 200, 'another browser at the same address');

  const random = await start(t, { ...credentials, IDENTITY: 'random' });
  assert.equal((await untilTooMany(() => random('/token'), 120)).went, 120);
});

test('/way tells the page what it must know to be let in, and no more', async (t) => {
  for (const way of ['anonymous', 'login', 'random']) {
    const ask = await start(t, { ...credentials, IDENTITY: way });
    assert.deepEqual(await (await ask('/way')).json(), { way });
  }
  const outside = { OIDC_ISSUER: 'https://login.example', OIDC_AUDIENCE: 'tally', OIDC_CLIENT_ID: 'page' };
  const ask = await start(t, { ...credentials, IDENTITY: 'oidc', ...outside });
  const facts = { way: 'oidc', issuer: 'https://login.example', clientId: 'page', audience: 'tally' };
  assert.deepEqual(await (await ask('/way')).json(), facts);
  const policy = (await ask('/')).headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes("connect-src 'self' ws://127.0.0.1:8080 https://login.example;"), policy);
});

test('[TOK19] requests of other sites are refused, and nobody else may read an answer', async (t) => {
  const ask = await start(t, credentials);
  const refused = await ask('/token', { 'sec-fetch-site': 'cross-site', origin: 'https://else.example' });
  assert.equal(refused.status, 403);
  assert.equal(refused.headers.get('set-cookie'), null);
  assert.doesNotMatch(await refused.text(), /eyJ/);
  const own = await ask('/token', { 'sec-fetch-site': 'same-origin', origin: 'https://else.example' });
  assert.equal(own.status, 200);
  assert.equal(own.headers.get('access-control-allow-origin'), null);
});

test('[TOK18] without credentials /token is 500 and the page is served; the console line names what is missing', async (t) => {
  for (const missing of Object.keys(credentials)) {
    const environment = { ...credentials, [missing]: '' };
    const ask = await start(t, environment);
    const response = await ask('/token');
    assert.equal(response.status, 500);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const text = await response.text();
    for (const value of Object.values(credentials)) assert.ok(!text.includes(value));
    assert.equal((await ask('/')).status, 200);
    const line = missingCredentials(readSettings(environment)) ?? '';
    assert.match(line, new RegExp(`^Not set: ${missing}\\b`));
    assert.doesNotMatch(line, /\n/);
  }
  assert.equal(missingCredentials(readSettings(credentials)), undefined);
});

test('settings that cannot be used are refused, by name', () => {
  const wrong = [
    ['TOKEN_TTL', '1h'],
    ['TOKEN_TTL', '3600.5'],
    ['TOKEN_TTL', '9'],
    ['TOKEN_TTL', '86401'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['TALLYSTICK_SOCKET_URL', 'http://127.0.0.1:8080'],
    ['TALLYSTICK_SOCKET_URL', 'nonsense'],
    ['IDENTITY', 'Login'],
    ['IDENTITY', 'constructor'],
    ['OIDC_PORT', 'any'],
    ['OIDC_ISSUER', 'http://login.example'],
    ['OIDC_ISSUER', 'https://login.example/?tenant=1'],
    ['TRUST_PROXY', 'everybody'],
  ] as const;
  for (const [name, value] of wrong) {
    assert.throws(
      () => readSettings({ [name]: value }),
      (error) =>
        error instanceof SettingError && error.message.startsWith(name) && error.message.includes(`"${value}"`),
    );
  }
  assert.equal(readSettings({}).tokenTtl, 3600);
  assert.equal(readSettings({}).serviceSid, 'default');
  assert.equal(readSettings({}).identity, 'anonymous');
});

test('what is for development only is refused in production, and a secret too short or a provider half given always', () => {
  const production = { NODE_ENV: 'production' };
  const outside = { OIDC_ISSUER: 'https://login.example', OIDC_AUDIENCE: 'tally', OIDC_CLIENT_ID: 'page' };
  const refused: readonly [Record<string, string>, RegExp][] = [
    [{ ...production, IDENTITY: 'login' }, /^IDENTITY=login lets in users whose passwords/],
    [{ ...production, IDENTITY: 'oidc' }, /^OIDC_ISSUER is missing/],
    [{ SESSION_SECRET: 'x'.repeat(31) }, /^SESSION_SECRET must be text of at least 32 characters[^x]*$/],
    [{ ...outside, OIDC_CLIENT_ID: '' }, /OIDC_CLIENT_ID is missing/],
    [{ OIDC_AUDIENCE: 'tally' }, /OIDC_AUDIENCE is given alone/],
  ];
  for (const [environment, reason] of refused) {
    assert.throws(
      () => readSettings(environment),
      (error) => error instanceof SettingError && reason.test(error.message),
    );
  }
  for (const way of ['anonymous', 'random']) assert.equal(readSettings({ ...production, IDENTITY: way }).identity, way);
  assert.equal(readSettings({ ...production, IDENTITY: 'oidc', ...outside }).oidc.issuer, 'https://login.example');
});

test('the official browser builds are served from here', async (t) => {
  const ask = await start(t, {});
  const marks = {
    jquery: 'getJSON',
    'twilio-sync': 'SyncClient',
    'twilio-common': 'AccessManager',
    oauth4webapi: 'authorizationCodeGrantRequest',
  };
  for (const [name, mark] of Object.entries(marks)) {
    const response = await ask(`/vendor/${name}.js`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/javascript/);
    assert.ok((await response.text()).includes(mark), name);
  }
  assert.equal((await ask('/vendor/twilio.js')).status, 404);
  assert.equal((await ask('/server.ts')).status, 404);
});

test('every answer has a policy that allows this site, the service, and nothing else', async (t) => {
  const ask = await start(t, { TALLYSTICK_SOCKET_URL: 'wss://sync.example.test:8443/v3/wsconnect' });
  for (const path of ['/', '/app.js', '/token', '/vendor/jquery.js', '/nothing']) {
    const { headers } = await ask(path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.ok(policy.startsWith("default-src 'none'; script-src 'self';"), path);
    assert.ok(policy.includes("connect-src 'self' wss://sync.example.test:8443;"), path);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-powered-by'), null);
  }
});

/** The program itself; `output` is all it has printed so far. */
function run(t: TestContext, environment: Record<string, string>) {
  const program = new URL('server.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--conditions=@tallystick/source', program], {
    env: { ...process.env, ...credentials, ...environment },
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, ended: once(child, 'close'), output: () => output };
}

test('the program prints where it is, and ends in order when told to', async (t) => {
  const { child, ended, output } = run(t, { PORT: '0' });
  while (!output().includes('\n')) await once(child.stdout, 'data');
  const [, url = ''] = /^Quickstart on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(output()) ?? [];
  assert.equal((await fetch(url)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});

test('a taken port ends the program with one line that says what to do', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const port = String(address.port);
  const app = run(t, { PORT: port });
  const provider = run(t, { PORT: '0', IDENTITY: 'oidc', OIDC_PORT: port });
  assert.deepEqual(await app.ended, [1, null]);
  assert.match(app.output(), new RegExp(`^Port ${port} is taken .* PORT=\\d+\\.\n$`));
  assert.deepEqual(await provider.ended, [1, null]);
  const said = provider.output().replaceAll(/^oidc-provider .*\n/gm, '');
  assert.match(said, new RegExp(`^Port ${port} is taken .* OIDC_PORT=\\d+\\.\n$`));
});

test('the provider for development ends with the program', async (t) => {
  const { child, ended, output } = run(t, { PORT: '0', OIDC_PORT: '0', IDENTITY: 'oidc' });
  while (!output().includes('Quickstart on')) await once(child.stdout, 'data');
  const [url = ''] = /http:\/\/\S+/.exec(output().slice(output().indexOf('Quickstart on'))) ?? [];
  const way = (await (await fetch(`${url}/way`)).json()) as { issuer: string };
  assert.equal((await fetch(`${way.issuer}/.well-known/openid-configuration`)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
