import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { FakeOperatorApi } from '../test/fake-operator-api.ts';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

const { TALLYSTICK_ACCOUNT_SID: account, TALLYSTICK_API_KEY: key, TALLYSTICK_API_SECRET: secret } = fiveVariables;

function minted(keySid = key, keySecret: string = secret): string {
  const token = new AccessToken(account, keySid, keySecret, { identity: 'ann', now: () => 1_800_000_000_000 });
  token.addGrant(new SyncGrant());
  return token.toJwt();
}

async function explained(
  token: string,
  argv: readonly string[],
  env: Record<string, string>,
  service?: FakeOperatorApi,
) {
  const fetch = service === undefined ? {} : { fetch: service.fetch };
  const surroundings = testSurroundings(env, { stdin: token, ...fetch });
  const code = await run(['token', 'explain', '--data-dir=/nowhere', ...argv], surroundings);
  return { code, ...surroundings.written };
}

test('[CFG18] the exit code is 0 for accepted, 1 for refused, 2 for undecided, with a table of the rules', async () => {
  const service = new FakeOperatorApi();
  service.addKey(key);
  service.addKey(`SK${'c'.repeat(32)}`);
  const good = await explained(minted(), ['-'], fiveVariables, service);
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.match(good.out, /^Accepted\.\n\n {2}TOK8 {3}form {7}ok {2}three parts/);
  assert.match(good.out, /\nJudged by the keys and services of http:\/\/127\.0\.0\.1:8080\.\n$/);

  const bad = await explained(minted(key, 'another'), [], fiveVariables, service);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /^Refused with 20107 by rule TOK11: it was signed with another secret, or altered\.\n/);
  assert.match(bad.out, /\n {2}TOK11 {2}signature {2}refused {6}it was[^]*\n {2}TOK12 {2}time {7}not reached\n/);
  assert.match(bad.out, /\nWhat to do: Compare the backend's TWILIO_API_SECRET/);

  const open = await explained(minted(`SK${'c'.repeat(32)}`), [], fiveVariables, service);
  assert.equal(open.code, 2);
  assert.match(open.out, /^Not decided: .*\n[^]*TOK11 {2}signature {2}open/);
  for (const { out } of [good, bad, open]) assert.ok(!out.includes(secret) && !out.includes('eyJ'));
});

test('[CFG18] --json gives verdict, refusal and rules', async () => {
  const json = JSON.parse((await explained(minted(key, 'x'), ['--offline', '--json'], fiveVariables)).out) as Record<
    string,
    unknown
  >;
  assert.deepEqual([json['verdict'], json['code'], json['rule']], ['refused', 20107, 'TOK11']);
  assert.equal((json['rules'] as unknown[]).length, 7);
  assert.match(String(json['judgedBy']), /credentials at hand alone; the service was not asked/);
});

test('[CFG18] the service is asked if it is there; one that was named must answer', async () => {
  const silent = await explained(minted(), [], fiveVariables);
  assert.equal(silent.code, 0);
  assert.match(silent.out, /Judged by the credentials at hand alone; no service answers at http:\/\/127\.0\.0\.1:8080/);
  const named = await explained(minted(), ['--url=http://127.0.0.1:9'], fiveVariables);
  assert.deepEqual([named.code, named.out], [1, '']);
  assert.match(named.err, /^tallystick: no service answers at http:\/\/127\.0\.0\.1:9;/);
  const service = new FakeOperatorApi();
  await explained(minted(), ['--offline'], fiveVariables, service);
  assert.equal(service.requests.length, 0);
  const wrong = { ...fiveVariables, TALLYSTICK_AUTH_TOKEN: 'a-wrong-auth-token' };
  assert.match((await explained(minted(), [], wrong, service)).out, /alone; .* refuses the credentials/);
  assert.equal(service.requests.length, 1, 'wrong credentials are shown once');
});

test('[CFG18] the variables of a backend are enough, and none at all is refused in one line', async () => {
  const backend = { TWILIO_ACCOUNT_SID: account, TWILIO_API_KEY: key, TWILIO_API_SECRET: secret };
  const named = `IS${'7'.repeat(32)}`;
  assert.match((await explained(minted(), [], { ...backend, TWILIO_SYNC_SERVICE_SID: named })).out, /TOK14 .* IS7+\n/);
  assert.match(
    (await explained(minted(), [], { ...backend, TWILIO_SYNC_SERVICE_SID: 'default' })).out,
    /the default one/,
  );
  const none = await explained(minted(), [], {});
  assert.deepEqual([none.code, none.out], [1, '']);
  assert.match(none.err, /^tallystick: no key is at hand to judge by, and no credentials: .*\n$/);
});
