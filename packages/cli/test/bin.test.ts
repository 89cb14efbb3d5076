import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { start } from './process.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-bin-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function outcome(args: readonly string[], nodeArgs: readonly string[] = []) {
  const running = start(folder, args, {}, nodeArgs);
  const code = await running.ended;
  return { code, out: running.out(), err: running.err() };
}

test('[CFG11] the command answers --help and --version, with or without the source condition', async () => {
  const help = await outcome(['--help']);
  assert.deepEqual({ code: help.code, err: help.err }, { code: 0, err: '' });
  assert.match(help.out, /Usage: tallystick <command>/);
  const direct = await outcome(['--version'], ['--conditions=@tallystick/source']);
  assert.deepEqual({ ...direct, out: '' }, { code: 0, out: '', err: '' });
  assert.match(direct.out, /^tallystick \d+\.\d+\.\d+\n$/);
});

test('[CFG7] bad words are refused on stderr in one line, exit code 1', async () => {
  assert.deepEqual(await outcome(['serv']), {
    code: 1,
    out: '',
    err: 'tallystick: "serv" is no command; did you mean serve?\n',
  });
  assert.deepEqual(await outcome(['dev', '--prot', '1']), {
    code: 1,
    out: '',
    err: 'tallystick: --prot is no option; did you mean --port?\n',
  });
});

test('[CFG8] init makes a private file in ./data, whatever the umask lets others do', async () => {
  assert.equal((await outcome(['init'])).code, 0);
  assert.equal((await stat(join(folder, 'data'))).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, 'data/credentials.env'))).mode & 0o777, 0o600);
});

test('[CFG10] serve without credentials names the command that makes them', async () => {
  const { code, out, err } = await outcome(['serve']);
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.match(err, /^tallystick: no credentials: .*: tallystick init\n$/);
});

test('[CFG7] a Node that is too old is told so in one line', async () => {
  const disguise = join(folder, 'old.cjs');
  await writeFile(disguise, `Object.defineProperty(process, 'versions', { value: { node: '22.12.0' } });`);
  const { code, out, err } = await outcome(['--version'], ['--require', disguise]);
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.match(err, /^tallystick: this is Node 22\.12\.0, and Tallystick needs 24 or newer; install .*\n$/);
});
