/** Shows that `.ci/run` is red when it must be, on a stub of the repository whose `npm` prints what a test gives it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';

const real = join(import.meta.dirname, '../.ci/run');
const commands = '# Stub\n\nnpm ci && npm test\nnpm run check\nnpm run test:e2e\n';

/** What node:test prints at the end. */
function counts(pass: number, fail = 0, skipped = 0): string {
  const tests = pass + fail + skipped;
  return `ℹ tests ${tests}\nℹ suites 1\nℹ pass ${pass}\nℹ fail ${fail}\nℹ cancelled 0\nℹ skipped ${skipped}\nℹ todo 0\n`;
}

interface Stub {
  readonly readme?: string;
  readonly contributing?: string;
  readonly test?: string;
  readonly testCode?: number;
  readonly checkCode?: number;
  readonly e2e?: string;
}

async function ci(stub: Stub): Promise<{ status: number | null; lines: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'ci-run-'));
  try {
    const bin = join(folder, 'node_modules/.bin');
    await mkdir(join(folder, '.ci'));
    await mkdir(bin, { recursive: true });
    await copyFile(real, join(folder, '.ci/run'));
    await writeFile(join(folder, 'README.md'), stub.readme ?? commands);
    await writeFile(join(folder, 'CONTRIBUTING.md'), stub.contributing ?? commands);
    await writeFile(join(folder, 'test.txt'), stub.test ?? counts(3));
    await writeFile(join(folder, 'e2e.txt'), stub.e2e ?? counts(2));
    const npm = `#!/bin/sh
case "$*" in
  ci) ;;
  test) cat test.txt; exit ${stub.testCode ?? 0} ;;
  'run check') exit ${stub.checkCode ?? 0} ;;
  'run test:e2e') cat e2e.txt ;;
  *) echo "unexpected: npm $*"; exit 9 ;;
esac
`;
    const nothing = '#!/bin/sh\n';
    const others = ['chromium', 'strace', 'openssl', 'nginx', 'systemd-analyze', 'unshare'];
    const programs = [['npm', npm] as const, ...others.map((name) => [name, nothing] as const)];
    for (const [name, text] of programs) {
      await writeFile(join(bin, name), text);
      await chmod(join(bin, name), 0o755);
    }
    const { status, stdout } = spawnSync('bash', [join(folder, '.ci/run')], { encoding: 'utf8' });
    return { status, lines: stdout.trimEnd().split('\n') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

suite('.ci/run', () => {
  test('is green when all passed and nothing was skipped', async () => {
    const { status, lines } = await ci({});
    assert.equal(lines.at(-1), '5 passed, 0 failed, 0 skipped');
    assert.equal(status, 0);
  });

  const red: readonly (readonly [why: string, stub: Stub, problem: RegExp, last: string])[] = [
    ['a test is skipped', { test: counts(3, 0, 1) }, /1 tests were skipped/, '5 passed, 0 failed, 1 skipped'],
    [
      'a suite is skipped whole',
      { e2e: `﹣ s (0.6ms) # SKIP\n${counts(1)}` },
      /1 tests/,
      '4 passed, 0 failed, 1 skipped',
    ],
    ['a test failed', { test: counts(2, 1), testCode: 1 }, /1 tests failed/, '4 passed, 1 failed, 0 skipped'],
    ['no test ran', { e2e: counts(0) }, /e2e: no test ran/, '3 passed, 0 failed, 0 skipped'],
    ['a suite tells no counts', { test: 'all fine\n' }, /test: no test ran/, '2 passed, 0 failed, 0 skipped'],
    ['a command fails though its tests passed', { testCode: 7 }, /npm test` failed/, '5 passed, 0 failed, 0 skipped'],
    ['a check fails', { checkCode: 1 }, /run check` failed/, '5 passed, 0 failed, 0 skipped'],
    [
      'the README tells another command',
      { readme: commands.replace('npm run check', 'npm run verify') },
      /README\.md does not contain the command: npm run check/,
      '5 passed, 0 failed, 0 skipped',
    ],
    [
      'CONTRIBUTING tells another command',
      { contributing: commands.replace('npm ci', 'npm install') },
      /CONTRIBUTING\.md does not contain the command: npm ci && npm test/,
      '5 passed, 0 failed, 0 skipped',
    ],
  ];
  for (const [why, stub, problem, last] of red) {
    test(`is red when ${why}`, async () => {
      const { status, lines } = await ci(stub);
      assert.match(lines.filter((line) => line.startsWith('PROBLEM ')).join('\n'), problem);
      assert.equal(lines.at(-1), last);
      assert.equal(status, 1);
    });
  }
});
