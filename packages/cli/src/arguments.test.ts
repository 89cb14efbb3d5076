import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';

const form = {
  flags: {
    identity: { value: 'ID', required: true, prose: '' },
    ttl: { value: 'SECONDS', prose: '' },
    json: { prose: '' },
  },
  word: { name: 'FILE' },
  options: ['dataDir'],
} as const;

function problems(argv: readonly string[], env: Record<string, string> = {}): string[] {
  try {
    readArguments(argv, form, env);
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message.split('\n');
  }
  return [];
}

test('[CFG12] flags, switches, the word and options of the service come out with their values', () => {
  const given = readArguments(['--identity', 'a', '--json', '-', '--data-dir=/d'], form, { TALLYSTICK_PORT: '81' });
  assert.deepEqual(given.flags, { identity: 'a', ttl: undefined, json: true });
  assert.equal(given.word, '-');
  assert.deepEqual([given.config.dataDir, given.config.port], ['/d', 81]);
  assert.deepEqual(readArguments(['--identity=--a'], form, {}).flags, { identity: '--a', ttl: undefined, json: false });
});

test('[CFG12] all problems are told at once, each in a line that names the flag', () => {
  assert.deepEqual(problems(['--idenity', 'x', '--json=yes', 'file', 'another', '--ttl'], { TALLYSTICK_PORT: 'x' }), [
    '--idenity is no option; did you mean --identity?',
    '--json takes no value',
    '"another" is not expected here; see --help',
    '--ttl needs a value',
    '--identity ID is missing',
    'TALLYSTICK_PORT is "x"; give a whole number from 0 to 65535',
  ]);
  assert.deepEqual(problems(['--identity=a', '--ttl', '--json']), ['--ttl needs a value']);
  assert.deepEqual(problems(['--identity=a', '-json']), ['-j is no option; --help lists them all']);
  assert.deepEqual(problems(['--identity=a', '--port=1']), ['--port is no option; --help lists them all']);
  assert.match(problems(['--identity=a'], { TALLYSTICK_PROT: '1' }).join(), /did you mean TALLYSTICK_PORT/);
});

test('[CFG12] a word that must be there is named when it is missing', () => {
  const revoke = { flags: {}, word: { name: 'SID', required: true } } as const;
  assert.throws(() => readArguments([], revoke, {}), { message: 'SID is missing; see --help' });
  assert.throws(() => readArguments(['a'], { flags: {} }, {}), { message: '"a" is not expected here; see --help' });
});

test('[CFG13] secrets are refused as flags with the place for them, and no value is quoted', () => {
  const secret = 'hush-hush-hush';
  const lines = [
    ...problems([
      '--identity=a',
      '--token',
      secret,
      '--secret',
      secret,
      '--api-secret',
      secret,
      '--auth-token',
      secret,
    ]),
    ...problems(['--identity=a', `--token=${secret}`, '--unheard-of', secret, '-x', secret]),
  ];
  assert.match(lines[0] ?? '', /^--token is not taken as a flag, .*; give it in a file or on standard input$/);
  assert.match(lines[2] ?? '', /; set TALLYSTICK_API_SECRET instead$/);
  assert.match(lines[3] ?? '', /; set TALLYSTICK_AUTH_TOKEN instead$/);
  assert.equal(lines.length, 7);
  assert.ok(lines.every((line) => !line.includes(secret)));
});

test('[CFG13] a part of the credentials in the environment is no hindrance to a command that needs none', () => {
  assert.deepEqual(problems(['--identity=a'], { TALLYSTICK_AUTH_TOKEN: 'short', TALLYSTICK_API_KEY: 'SK' }), []);
});
