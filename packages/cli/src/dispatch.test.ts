import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

async function outcome(argv: readonly string[], env: Record<string, string> = {}) {
  const surroundings = testSurroundings(env);
  const code = await run(argv, surroundings);
  return { code, ...surroundings.written, created: surroundings.created };
}

const names = (help: string): string[] => [...help.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1] ?? '');

test('[CFG11] --help lists every command, and each command has help of its own within 80 columns', async () => {
  const general = await outcome(['--help']);
  assert.equal(general.code, 0);
  assert.equal(general.err, '');
  assert.deepEqual(names(general.out), ['dev', 'serve', 'init', 'keys', 'token', 'service', 'disconnect']);
  for (const name of ['dev', 'serve', 'init', 'disconnect']) {
    const { code, out, err } = await outcome([name, '--port', 'x', '--help']);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, new RegExp(`^Usage: tallystick ${name} `));
    assert.match(out, /--data-dir +TALLYSTICK_DATA_DIR +default \.\/data/);
    assert.ok(out.split('\n').every((line) => line.length <= 80));
  }
  assert.doesNotMatch((await outcome(['init', '-h'])).out, /--port/);
});

test('[CFG12] a noun lists its verbs, and each verb has help of its own within 80 columns', async () => {
  const verbs = {
    keys: ['create', 'list', 'revoke'],
    token: ['create', 'inspect', 'explain'],
    service: ['create', 'list'],
  };
  for (const [noun, expected] of Object.entries(verbs)) {
    const { code, out } = await outcome([noun, '--help']);
    assert.equal(code, 0);
    assert.deepEqual(names(out), expected);
    assert.deepEqual(await outcome([noun]), { code: 1, out: '', err: out, created: [] });
    for (const verb of expected) {
      const help = await outcome([noun, verb, 'x', '--help']);
      assert.deepEqual({ code: help.code, err: help.err }, { code: 0, err: '' });
      assert.match(help.out, new RegExp(`^Usage: tallystick ${noun} ${verb} `));
      assert.match(help.out, /^ {2}--json {2,}\S/m);
      for (const line of help.out.split('\n')) assert.ok(line.length <= 80, line);
    }
  }
});

test('[CFG12] an unknown verb is refused with the one that was probably meant', async () => {
  const refusals = {
    lst: 'tallystick: "lst" is no verb of keys; did you mean list?\n',
    '--json': 'tallystick: "--json" is no verb of keys; see tallystick keys --help\n',
  };
  for (const [verb, err] of Object.entries(refusals)) {
    assert.deepEqual(await outcome(['keys', verb]), { code: 1, out: '', err, created: [] });
  }
  assert.match((await outcome(['tokens', 'create'])).err, /did you mean token\?/);
});

test('[CFG13] a token on the command line is refused in whichever place, and not shown again', async () => {
  const token = `eyJhbGciOiJIUzI1NiJ9.${'p'.repeat(40)}.${'s'.repeat(43)}`;
  const lines = [
    [token],
    ['token', token],
    ['token', 'explain', token],
    ['token', 'inspect', ` "${token}"`],
    ['token', 'inspect', '--', token],
    ['token', 'inspect', `Bearer ${token}`],
    ['token', 'create', `--identity=${token}`],
    ['keys', 'revoke', token.replace('eyJ', 'abc')],
    ['serve', token],
  ];
  for (const argv of lines) {
    const { code, out, err } = await outcome(argv, fiveVariables);
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /^tallystick: a token is not taken from the command line, .* history .*standard input\n$/);
  }
});

test('[CFG12] a command that waits for nothing is left at once when the process is asked to stop', async () => {
  const answer = Promise.withResolvers<Response>();
  const surroundings = testSurroundings(fiveVariables, { fetch: () => answer.promise });
  const code = run(['keys', 'list'], surroundings);
  surroundings.requestStop();
  assert.equal(await code, 130);
  answer.reject(new Error('left'));
});

test('[CFG11] help after -- belongs to the app', async () => {
  const { code, err, out } = await outcome(['dev', '--', 'node', '--help'], { NODE_ENV: 'production' });
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /NODE_ENV/);
});

test('[CFG11] without a command the help goes to stderr and the exit code is 1', async () => {
  const { code, out, err } = await outcome([]);
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.match(err, /Usage: tallystick <command>/);
});

test('[CFG11] an unknown command is refused with the one that was probably meant', async () => {
  assert.deepEqual((await outcome(['sevre'])).err, 'tallystick: "sevre" is no command; did you mean serve?\n');
  assert.deepEqual((await outcome(['--port'])).err, 'tallystick: "--port" is no command; see tallystick --help\n');
  assert.equal((await outcome(['sevre'])).code, 1);
});

test('[CFG7] a refusal is one line a problem on stderr, exit code 1, and nothing is started', async () => {
  const { code, out, err, created } = await outcome(['serve', '--prot', '1', '--store=x'], fiveVariables);
  assert.deepEqual({ code, out, created }, { code: 1, out: '', created: [] });
  assert.equal(
    err,
    'tallystick: --prot is no option; did you mean --port?\ntallystick: --store is "x"; give one of sqlite, memory\n',
  );
  assert.equal((await outcome(['serve', '--', 'x'], fiveVariables)).code, 1);
});

test('[CFG7] what is no refusal is not hidden', async () => {
  const surroundings = testSurroundings(fiveVariables);
  const broken = { ...surroundings, createServer: () => Promise.reject(new TypeError('a bug')) };
  await assert.rejects(run(['serve'], broken), /a bug/);
});
