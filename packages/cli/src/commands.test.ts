import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { run } from './commands.ts';

async function outcome(argv: readonly string[], env: Record<string, string> = {}) {
  const surroundings = testSurroundings(env);
  const code = await run(argv, surroundings);
  return { code, ...surroundings.written, created: surroundings.created };
}

test('[CFG11] --help lists every command, and each command has help of its own within 80 columns', async () => {
  const general = await outcome(['--help']);
  assert.equal(general.code, 0);
  assert.equal(general.err, '');
  const names = [...general.out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1] ?? '');
  assert.deepEqual(names, ['dev', 'serve', 'init']);
  for (const name of names) {
    const { code, out, err } = await outcome([name, '--port', 'x', '--help']);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, new RegExp(`^Usage: tallystick ${name} `));
    assert.match(out, /--data-dir +TALLYSTICK_DATA_DIR +default \.\/data/);
    assert.ok(out.split('\n').every((line) => line.length <= 80));
  }
  assert.doesNotMatch((await outcome(['init', '-h'])).out, /--port/);
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
