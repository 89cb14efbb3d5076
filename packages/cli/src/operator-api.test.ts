import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broken, FakeOperatorApi, refused } from '../test/fake-operator-api.ts';
import { fiveVariables } from '../test/surroundings.ts';
import { OperatorApi } from './operator-api.ts';

const { TALLYSTICK_ACCOUNT_SID: accountSid, TALLYSTICK_AUTH_TOKEN: authToken } = fiveVariables;
const access = { url: 'https://sync.example.org', accountSid, authToken, from: 'the environment' };

async function problem(
  next: Response | Error,
  ask = (api: OperatorApi): Promise<unknown> => api.keys(),
): Promise<string> {
  const fake = new FakeOperatorApi();
  fake.next = next;
  const error = await ask(new OperatorApi(access, fake.fetch)).then(
    () => assert.fail('accepted'),
    (e: unknown) => e,
  );
  assert.ok(error instanceof Error && error.name === 'StartError', String(error));
  assert.ok(!error.message.includes(authToken) && !error.message.includes('\n'));
  return error.message;
}

test('[CFG14] where nobody answers, one line names the address, the start command and --url', async () => {
  const line =
    'no service answers at https://sync.example.org; start it with tallystick serve, or name another address with --url';
  assert.equal(await problem(broken('ECONNREFUSED')), line);
  assert.match(await problem(broken('ENOTFOUND')), /^no service answers at \S+ \(no such host\); start it/);
  assert.match(await problem(broken('ECONNRESET')), /cannot be asked \(ECONNRESET\); is it a Tallystick service\?/);
  assert.match(
    await problem(broken('DEPTH_ZERO_SELF_SIGNED_CERT')),
    /certificate that is not trusted here \(DEPTH_\w+\); .*--url.*NODE_EXTRA_CA_CERTS$/,
  );
});

test('[CFG14] a service that does not answer is given up after ten seconds; a change may have happened', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const deaf: typeof fetch = (_input, init) =>
    new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const api = new OperatorApi(access, deaf);
  const asked = Promise.allSettled([api.keys(), api.createKey(undefined)]);
  t.mock.timers.tick(9999);
  t.mock.timers.tick(1);
  const [list, create] = (await asked).map((one) => (one.status === 'rejected' ? String(one.reason) : ''));
  assert.match(list ?? '', /did not answer within 10 s; is it/);
  assert.match(create ?? '', /did not answer within 10 s; what was asked for may have been done/);
});

test('[CFG14] wrong credentials, too many of them, and refusals of the service are told in one line', async () => {
  assert.match(await problem(refused(401, 20003, 'x')), /refuses the credentials from the environment; .*20003/);
  const late = await problem(refused(429, 20429, 'x', { 'retry-after': '17' }));
  assert.match(late, /after too many failed ones; try again in 17 s$/);
  assert.match(await problem(refused(429, 20429, 'x', { 'retry-after': '\u009b' })), /try again later$/);
  assert.equal(await problem(refused(409, 54301, 'Unique name exists')), 'Unique name exists (409 / 54301)');
  assert.match(await problem(refused(500, 20500, 'a\u001b[31m\nb')), /^a\\u\{1b\}\[31m\\u\{a\}b \(500/);
});

test('[CFG14] a redirect is not followed, and what is no Tallystick is told so', async () => {
  const moved = new Response(null, { status: 301, headers: { location: 'https://other.example.org' } });
  assert.match(await problem(moved), /sends elsewhere, and credentials do not follow; .*--url/);
  assert.match(
    await problem(new Response('<html>', { status: 502 })),
    /answers with HTTP status 502; is it a Tallystick/,
  );
  const kept = await problem(new Response('<html>', { status: 404 }));
  assert.match(kept, /has no \/admin\/v1; proxies keep it inside: .* --url http:\/\/127/);
  for (const body of ['<html>', '[]', '{"keys":[{"sid":5}]}', '{"keys":{}}', '']) {
    assert.match(await problem(new Response(body)), /answers something else than expected/);
  }
  assert.match(await problem(Response.json({ sid: 'SK' }), (api) => api.createKey('a')), /something else/);
  assert.match(await problem(Response.json({ sid: 'IS' }), (api) => api.createService('a')), /something else/);
  assert.match(await problem(Response.json({}), (api) => api.disconnect('default', 'a')), /something else/);
  assert.match(await problem(Response.json({ services: [{}] }), (api) => api.services()), /something else/);
});

test('[CFG14] an endless answer is cut off', async () => {
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_048_576)) });
  assert.match(await problem(new Response(endless)), /cannot be asked \(no answer\)/);
});

test('[CFG14] sids and identities stand in the address as one part each', async () => {
  const fake = new FakeOperatorApi();
  const api = new OperatorApi(access, fake.fetch);
  await api.disconnect('default', 'a/b?c&d=ü');
  const { url, method } = fake.requests[0]!;
  assert.equal(method, 'DELETE');
  assert.equal(url.pathname, '/admin/v1/services/default/connections');
  assert.deepEqual([...url.searchParams], [['identity', 'a/b?c&d=ü']]);
});
