import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { account, decoded, defaultService, key, now, secret, service, world } from '../test/forge.ts';
import { tokenEndpoint } from './endpoint.ts';
import type { TokenEndpoint, TokenEndpointOptions } from './endpoint.ts';
import { IdentityUnavailable } from './identity-source.ts';
import { verifyAccessToken } from './verify.ts';

const settings = { accountSid: account, keySid: key, secret, now: world.now };

function endpointOf(options: Partial<TokenEndpointOptions> = {}): TokenEndpoint {
  return tokenEndpoint({ ...settings, identity: () => 'alice', ...options });
}

function get(path = '/token', headers: Record<string, string> = {}): Request {
  return new Request(`http://app.example${path}`, { headers });
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  assert.equal(response.headers.get('content-type'), 'application/json');
  const body: unknown = await response.json();
  return { ...Object(body) };
}

/** The refusal's message; checks what every refusal has in common. */
async function assertRefused(response: Response, status: number): Promise<string> {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const { message, ...rest } = await bodyOf(response);
  assert.deepEqual(rest, { status });
  return String(message);
}

test('[TOK16] identity and a token that the server accepts, not to be cached', async () => {
  const response = await endpointOf({ serviceSid: service, ttl: 600 })(get());
  assert.equal(response.status, 200);
  assert.deepEqual(Object.fromEntries(response.headers), {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    vary: 'Cookie, Authorization',
  });
  const { token, ...rest } = await bodyOf(response);
  assert.deepEqual(rest, { identity: 'alice' });
  assert.deepEqual(verifyAccessToken(token, world), {
    account,
    key,
    identity: 'alice',
    service,
    endpoint: undefined,
    expiresAt: (now + 600) * 1000,
  });
});

test('[TOK16] without a service sid the token opens the default service', async () => {
  for (const serviceSid of [undefined, '', 'default']) {
    const { token } = await bodyOf(await endpointOf({ serviceSid })(get()));
    assert.equal(verifyAccessToken(token, world).service, defaultService);
  }
});

test('[TOK16] further members are added, but replace neither identity nor token', async () => {
  const extra = async (identity: string, request: Request): Promise<object> => ({
    greeting: `hello ${identity}`,
    path: new URL(request.url).pathname,
    identity: 'admin',
    token: 'x',
  });
  const { token, ...rest } = await bodyOf(await endpointOf({ extra })(get()));
  assert.deepEqual(rest, { greeting: 'hello alice', path: '/token', identity: 'alice' });
  assert.equal(verifyAccessToken(token, world).identity, 'alice');
});

test('[TOK17] neither query nor headers name the identity; the function alone does', async () => {
  const endpoint = endpointOf({ identity: async (request) => request.headers.get('x-user') });
  const request = get('/token?identity=admin&user=admin&device=phone', { 'x-user': 'bob' });
  const { identity, token } = await bodyOf(await endpoint(request));
  assert.equal(identity, 'bob');
  assert.equal(verifyAccessToken(token, world).identity, 'bob');
  await assertRefused(await endpoint(get('/token?identity=admin')), 401);
});

for (const nobody of [null, undefined]) {
  test(`[TOK17] ${nobody} is 401 in JSON without a token`, async () => {
    const message = await assertRefused(await endpointOf({ identity: () => nobody })(get()), 401);
    assert.equal(message, 'Not logged in');
  });
}

test('[TOK17] headers of the function stand beside 200 and 401', async () => {
  for (const answer of ['alice', null]) {
    const endpoint = endpointOf({
      identity: (_request, { headers }) => {
        headers.append('Set-Cookie', 'a=1');
        headers.append('Set-Cookie', 'b=2');
        headers.set('WWW-Authenticate', 'Bearer');
        headers.set('Cache-Control', 'public');
        return answer;
      },
    });
    const { headers } = await endpoint(get());
    assert.deepEqual(headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(headers.get('www-authenticate'), 'Bearer');
    assert.equal(headers.get('cache-control'), 'no-store');
  }
});

test('[TOK17] a Response of the function is the answer, not to be cached either', async () => {
  const identity = () => Response.json({ wait: true }, { status: 429, headers: { 'Retry-After': '7' } });
  const response = await endpointOf({ identity })(get());
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), '7');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), { wait: true });
});

for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']) {
  test(`[TOK18] ${method} is 405, and nobody is asked for the identity`, async () => {
    const endpoint = endpointOf({ identity: () => assert.fail('asked') });
    const response = await endpoint(new Request('http://app.example/token', { method }));
    assert.equal(response.headers.get('allow'), 'GET');
    await assertRefused(response, 405);
  });
}

test('[TOK18] missing settings are 500 that names them, but no value', async () => {
  const told: unknown[] = [];
  for (const missing of [undefined, '']) {
    const endpoint = endpointOf({ secret: missing, keySid: missing, onError: (error) => told.push(error) });
    const message = await assertRefused(await endpoint(get()), 500);
    assert.match(message, /not configured: it lacks keySid, secret$/);
    assert.ok(!message.includes(account));
  }
  assert.deepEqual(told, []);
});

test('[TOK18] a failing function is 500 without its reason; onError is told', async () => {
  const failures: TokenEndpointOptions['identity'][] = [
    () => {
      throw new Error(`database at 10.0.0.1, ${secret}`);
    },
    () => Promise.reject(new Error(`database at 10.0.0.1, ${secret}`)),
  ];
  for (const identity of failures) {
    const told: unknown[] = [];
    const response = await endpointOf({ identity, onError: (error) => told.push(error) })(get());
    const message = await assertRefused(response, 500);
    assert.ok(!message.includes('database') && !message.includes(secret));
    assert.match(String(told[0]), /database/);
    assert.equal((await endpointOf({ identity })(get())).status, 500);
  }
});

test('[TOK18] what decides being out of reach is 503 with Retry-After, in whole seconds; onError is told', async () => {
  for (const [retryAfterSeconds, header] of [
    [5, '5'],
    [0.2, '1'],
    [1.5, '2'],
  ] as const) {
    const told: unknown[] = [];
    const reason = new IdentityUnavailable('sessions at 10.0.0.1 are down', { retryAfterSeconds });
    const identity = () => Promise.reject(reason);
    const response = await endpointOf({ identity, onError: (error) => told.push(error) })(get());
    assert.equal(response.headers.get('retry-after'), header);
    assert.doesNotMatch(await assertRefused(response, 503), /10\.0/);
    assert.deepEqual(told, [reason]);
  }
});

for (const impossible of ['', 'a'.repeat(257), 'a\u0000', '\ud800', { id: 1 }, false, 1.5]) {
  test(`[TOK18] the impossible identity ${inspect(impossible).slice(0, 20)} is 500, never a token`, async () => {
    const told: unknown[] = [];
    const options = { ...settings, identity: () => impossible, onError: (error: unknown) => told.push(error) };
    const endpoint: TokenEndpoint = Reflect.apply(tokenEndpoint, undefined, [options]);
    await assertRefused(await endpoint(get()), 500);
    assert.match(String(told[0]), /TypeError: identity/);
  });
}

for (const [what, options, message] of [
  ['an unknown option', { identiy: () => 'a' }, /tokenEndpoint has no option 'identiy'/],
  ['no identity function', { identity: undefined }, /identity must be a function/],
  ['a fixed identity', { identity: 'alice' }, /identity must be a function/],
  ['ttl as text', { ttl: '3600' }, /ttl must be a number/],
  ['another sid', { accountSid: key }, /accountSid/],
  ['a service name', { serviceSid: 'mine' }, /serviceSid/],
  ['an app with a colon', { app: 'a:b' }, /app must be/],
  ['no app name', { app: '' }, /app must be/],
  ['options in place of limits', { limits: { perSession: 5 } }, /limits must be what tokenLimits/],
  ['a wildcard origin', { cors: { origins: ['*'] } }, /cors\.origins/],
  ['the null origin', { cors: { origins: ['null'] } }, /cors\.origins/],
  ['an origin with a path', { cors: { origins: ['https://a.example/'] } }, /without a path or wildcard/],
  ['one origin without a list', { cors: { origins: 'https://a.example' } }, /cors\.origins must be a list/],
  ['an unknown member of cors', { cors: { origin: [] } }, /cors has no option 'origin'/],
] as const) {
  test(`[TOK5] the endpoint refuses ${what} when it is made`, () => {
    const all = { ...settings, identity: () => 'a', ...options };
    assert.throws(() => Reflect.apply(tokenEndpoint, undefined, [all]), { name: 'TypeError', message });
  });
}

function corsHeaders(response: Response): string[] {
  return [...response.headers.keys()].filter((name) => name.startsWith('access-control-'));
}

test('[TOK19] scripts of other sites are refused, of the own site served; no CORS headers at all', async () => {
  const endpoint = endpointOf();
  const crossSite = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
  const refused = await endpoint(get('/token', crossSite));
  assert.deepEqual(corsHeaders(refused), []);
  await assertRefused(refused, 403);
  for (const site of ['same-origin', 'same-site', 'none']) {
    const response = await endpoint(get('/token', { 'Sec-Fetch-Site': site, Origin: 'https://evil.example' }));
    assert.equal(response.status, 200);
    assert.deepEqual(corsHeaders(response), []);
  }
});

const listed = 'https://app.example';
const crossSite = (origin: string): Record<string, string> => ({ 'Sec-Fetch-Site': 'cross-site', Origin: origin });

test('[TOK19] a listed origin may read, others still may not', async () => {
  const endpoint = endpointOf({ cors: { origins: [listed] } });
  const response = await endpoint(get('/token', crossSite(listed)));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('access-control-allow-origin'), listed);
  assert.deepEqual(corsHeaders(response), ['access-control-allow-origin']);
  assert.equal(response.headers.get('vary'), 'Cookie, Authorization, Origin');
  for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'null', 'HTTPS://APP.EXAMPLE']) {
    const other = await endpoint(get('/token', crossSite(origin)));
    assert.equal(other.status, 403, origin);
    assert.deepEqual(corsHeaders(other), []);
    assert.match(other.headers.get('vary') ?? '', /Origin/);
  }
});

test('[TOK19] refusals can be read by a listed origin, and cookies need a word of their own', async () => {
  const endpoint = endpointOf({ cors: { origins: [listed], credentials: true }, identity: () => null });
  const response = await endpoint(get('/token', crossSite(listed)));
  assert.equal(response.status, 401);
  assert.equal(response.headers.get('access-control-allow-origin'), listed);
  assert.equal(response.headers.get('access-control-allow-credentials'), 'true');
  assert.equal(response.headers.get('access-control-expose-headers'), null);
});

test('[TOK19] a listed origin can read how long it is to wait', async () => {
  const identity = () => Response.json({}, { status: 429, headers: { 'Retry-After': '7' } });
  const endpoint = endpointOf({ cors: { origins: [listed] }, identity });
  const exposed = async (origin: string) =>
    (await endpoint(get('/token', { Origin: origin }))).headers.get('access-control-expose-headers');
  assert.equal(await exposed(listed), 'Retry-After');
  assert.equal(await exposed('https://evil.example'), null);
});

test('[TOK19] a preflight is answered without asking for the identity', async () => {
  const endpoint = endpointOf({ cors: { origins: [listed] }, identity: () => assert.fail('asked') });
  const preflight = (origin: string) =>
    endpoint(new Request('http://app.example/token', { method: 'OPTIONS', headers: crossSite(origin) }));
  const good = await preflight(listed);
  assert.equal(good.status, 204);
  assert.equal(good.headers.get('access-control-allow-methods'), 'GET');
  assert.equal(good.headers.get('access-control-allow-headers'), 'Authorization');
  assert.deepEqual(corsHeaders(await preflight('https://evil.example')), []);
});

test('[TOK20] a device gives an endpoint id of app, identity and device', async () => {
  for (const [app, expected] of [
    ['board', 'board:alice:phone-1'],
    [undefined, 'app:alice:phone-1'],
  ] as const) {
    const { token } = await bodyOf(await endpointOf({ app })(get('/token?device=phone-1')));
    assert.equal(verifyAccessToken(token, world).endpoint, expected);
  }
});

test('[TOK20] without a device the grant has no endpoint id', async () => {
  const { token } = await bodyOf(await endpointOf()(get('/token?other=1')));
  assert.deepEqual(decoded(String(token)).claims['grants'], { identity: 'alice', data_sync: {} });
});

for (const query of [
  'device=',
  'device',
  'device=a&device=b',
  'device=a&device=a',
  'device[]=a',
  'device%5Bid%5D=a',
  'device=a&device[x]=b',
  'device=a:b',
  'device=a%20b',
  'device=%C3%A9',
  'device=a%0A',
  `device=${'a'.repeat(129)}`,
]) {
  test(`[TOK20] ${query.slice(0, 40)} is 400, and nobody is asked for the identity`, async () => {
    const endpoint = endpointOf({ identity: () => assert.fail('asked') });
    assert.match(await assertRefused(await endpoint(get(`/token?${query}`)), 400), /device must be given once/);
  });
}

test('[TOK20] the longest device is taken, unless the endpoint id becomes too long with it', async () => {
  const device = 'Az09._-'.padEnd(128, 'x');
  const { token } = await bodyOf(await endpointOf()(get(`/token?device=${device}`)));
  assert.equal(verifyAccessToken(token, world).endpoint, `app:alice:${device}`);
  const identity = () => '😀'.repeat(123);
  assert.equal((await endpointOf({ identity })(get(`/token?device=${device}`))).status, 200);
  const longer = () => '😀'.repeat(124);
  const response = await endpointOf({ identity: longer })(get(`/token?device=${device}`));
  assert.match(await assertRefused(response, 400), /too long/);
});
