import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeOperatorApi, newSecret } from '../test/fake-operator-api.ts';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import type { Replaced } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

const [a, b] = [`SK${'a'.repeat(32)}`, `SK${'b'.repeat(32)}`];
const made = `SK${'9'.repeat(32)}`;

async function keys(argv: readonly string[], service: FakeOperatorApi, replaced: Replaced = {}) {
  const surroundings = testSurroundings(fiveVariables, { fetch: service.fetch, ...replaced });
  const code = await run(['keys', ...argv, '--data-dir=/nowhere'], surroundings);
  return { code, ...surroundings.written };
}

function twoKeys(): FakeOperatorApi {
  const service = new FakeOperatorApi();
  service.addKey(a, 'backend');
  service.addKey(b);
  return service;
}

test('[CFG16] create shows key and secret once, the lines for the backend, and the way to rotate', async () => {
  const service = new FakeOperatorApi();
  const { code, out, err } = await keys(['create', '--name', 'shop'], service);
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.deepEqual(service.requests[0]?.body, { name: 'shop' });
  assert.match(out, new RegExp(`^ {2}TWILIO_API_KEY=${made}\n {2}TWILIO_API_SECRET=${newSecret}$`, 'm'));
  assert.equal(out.split(newSecret).length, 2);
  assert.match(out, /\(shop\).*this once[^]*1\. Restart[^]*2\. Wait[^]*3\. tallystick keys revoke/);
  assert.doesNotMatch((await keys(['list'], service)).out, new RegExp(newSecret));
});

test('[CFG16] create --env prints lines for a file and nothing else; --json one value', async () => {
  const service = new FakeOperatorApi();
  const env = await keys(['create', '--env'], service);
  assert.equal(env.out, `TWILIO_API_KEY=${made}\nTWILIO_API_SECRET=${newSecret}\n`);
  assert.match(env.err, /chmod 600/);
  assert.doesNotMatch(env.err, new RegExp(newSecret));
  assert.deepEqual(service.requests[0]?.body, {});
  const json = JSON.parse((await keys(['create', '--json'], service)).out) as Record<string, unknown>;
  assert.deepEqual([json['sid'], json['secret'], json['name']], [made, newSecret, null]);
  const both = await keys(['create', '--json', '--env'], service);
  assert.deepEqual([both.code, both.out, service.requests.length], [1, '', 2]);
});

test('[CFG16] list shows all keys in aligned columns, and what names would do to a terminal as text', async () => {
  const service = twoKeys();
  service.addKey(made, 'a\u001b[2Jb\u202e', '2026-02-03T04:05:06.000Z');
  const { out } = await keys(['list'], service);
  assert.deepEqual(out.trimEnd().split('\n'), [
    `KEY${' '.repeat(33)}CREATED           STATE                     NAME`,
    `${made}  2026-01-03 10:20  revoked 2026-02-03 04:05  a\\u{1b}[2Jb\\u{202e}`,
    `${b}  2026-01-02 10:20  in force`,
    `${a}  2026-01-01 10:20  in force                  backend`,
  ]);
  assert.deepEqual(JSON.parse((await keys(['list', '--json'], service)).out), service.keys);
  assert.match((await keys(['list'], new FakeOperatorApi())).out, /no keys.*keys create/);
});

test('[CFG16] revoke asks, with the name of the key and where it is taken from; only yes revokes', async () => {
  const service = twoKeys();
  const questions: string[] = [];
  const answer = (agreed: boolean) => ({
    confirm: async (question: string) => {
      questions.push(question);
      return agreed;
    },
  });
  const no = await keys(['revoke', a], service, answer(false));
  assert.deepEqual([no.code, no.out, no.err], [1, '', 'tallystick: nothing was revoked\n']);
  assert.ok(service.keys.every(({ revokedAt }) => revokedAt === null));
  const yes = await keys(['revoke', a], service, answer(true));
  assert.deepEqual([yes.code, yes.err], [0, '']);
  assert.match(yes.out, new RegExp(`^Revoked ${a}\\. Its tokens are refused, .* within a minute\\.\n$`));
  assert.ok(service.keys.some(({ sid, revokedAt }) => sid === a && revokedAt !== null));
  assert.match(questions[0] ?? '', new RegExp(`^Revoke ${a} \\(backend\\), and end`));

  service.addKey(made);
  const own = await keys(['revoke', b], service, answer(true));
  assert.match(questions.at(-1) ?? '', /, the one of TALLYSTICK_API_SECRET, and end/);
  assert.match(own.out, /\nTALLYSTICK_API_SECRET still holds it: put a key in force there\.\n$/);
});

test('[CFG16] without a terminal revoke needs --yes; unknown and revoked keys are refused before anything is asked', async () => {
  const service = twoKeys();
  const unasked = await keys(['revoke', a], service);
  assert.deepEqual([unasked.code, unasked.out], [1, '']);
  assert.match(unasked.err, /no terminal to ask on; give --yes/);
  assert.deepEqual(JSON.parse((await keys(['revoke', a, '--yes', '--json'], service)).out), { revoked: a });
  assert.match((await keys(['revoke', a, '--yes'], service)).err, /was revoked already: 2026-02-03 04:05 UTC\n$/);
  assert.match(
    (await keys(['revoke', made, '--yes'], service)).err,
    /is no key of this service; see tallystick keys list\n$/,
  );
  assert.equal(service.requests.filter(({ method }) => method === 'DELETE').length, 1);
});

test('[CFG16] the last key in force is only revoked with --last', async () => {
  const service = twoKeys();
  await keys(['revoke', b, '--yes'], service);
  const last = await keys(['revoke', a, '--yes'], service, { confirm: async () => true });
  assert.equal(last.code, 1);
  assert.match(last.err, /is the last key in force: .*keys create, or give --last\n$/);
  assert.equal((await keys(['revoke', a, '--yes', '--last'], service)).code, 0);
  assert.ok(service.keys.every(({ revokedAt }) => revokedAt !== null));
});

test('[CFG13] what is no sid is refused without being quoted: it may be a secret', async () => {
  const { code, err } = await keys(['revoke', 'hush-hush', '--yes'], twoKeys());
  assert.deepEqual([code, err], [1, 'tallystick: SID is not acceptable; give SK and 32 lower-case hex digits\n']);
});
