import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeOperatorApi } from '../test/fake-operator-api.ts';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

const made = `IS${'9'.repeat(32)}`;
const standard = fiveVariables.TALLYSTICK_SERVICE_SID;

async function outcome(argv: readonly string[], service: FakeOperatorApi) {
  const surroundings = testSurroundings(fiveVariables, { fetch: service.fetch });
  const code = await run([...argv, '--data-dir=/nowhere'], surroundings);
  return { code, ...surroundings.written };
}

test('[CFG19] services are made and listed, in columns or as JSON', async () => {
  const service = new FakeOperatorApi();
  const { code, out } = await outcome(['service', 'create', '--name', 'shop\u0007'], service);
  assert.equal(code, 0);
  assert.match(out, /^Service made \(shop\\u\{7\}\)\./);
  assert.match(out, new RegExp(`^ {2}TWILIO_SYNC_SERVICE_SID=${made}$`, 'm'));
  assert.deepEqual((await outcome(['service', 'list'], service)).out.split('\n'), [
    `SERVICE${' '.repeat(29)}CREATED           DEFAULT  NAME`,
    `${made}  2026-01-02 00:00           shop\\u{7}`,
    `${standard}  2026-01-01 00:00  yes      default`,
    '',
  ]);
  assert.deepEqual(JSON.parse((await outcome(['service', 'list', '--json'], service)).out), service.services);
  assert.equal(
    (await outcome(['service', 'create', '--json'], service)).out,
    `${JSON.stringify(service.services[0])}\n`,
  );
  const taken = await outcome(['service', 'create', '--name', 'taken'], service);
  assert.deepEqual([taken.code, taken.err], [1, 'tallystick: Unique name exists (409 / 54301)\n']);
});

test('[CFG19] disconnect tells how many connections ended, of one identity in one service', async () => {
  const service = new FakeOperatorApi();
  service.connections.set('default ann/ü', 2).set(`${standard} ben`, 1);
  const two = await outcome(['disconnect', '--identity', 'ann/ü'], service);
  assert.equal(two.code, 0);
  assert.match(two.out, /^Dropped 2 connections of ann\/ü\.\nA client comes back while its token is good/);
  const one = await outcome(['disconnect', '--identity=ben', `--service=${standard}`], service);
  assert.match(one.out, /^Dropped 1 connection of ben\.\n/);
  const none = await outcome(['disconnect', '--identity', 'a\nb'], service);
  assert.deepEqual([none.code, none.out], [0, 'a\\u{a}b had no connection.\n']);
  assert.equal((await outcome(['disconnect', '--identity=ann/ü', '--json'], service)).out, '{"dropped":2}\n');
});

test('[CFG19] disconnect refuses what can be no identity and no service', async () => {
  const service = new FakeOperatorApi();
  const long = await outcome(['disconnect', '--identity', 'x'.repeat(257)], service);
  assert.deepEqual([long.code, long.err], [1, 'tallystick: --identity is longer than 256 characters\n']);
  const bad = await outcome(['disconnect', '--identity', 'a', '--service', 'IS1'], service);
  assert.match(bad.err, /^tallystick: --service is not acceptable; give IS and .*, or default\n$/);
  assert.equal(service.requests.length, 0);
});
