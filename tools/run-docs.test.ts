import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Service, startService } from './docs-service.ts';
import { type Block, blocksOf, runBlock } from './run-docs.ts';

const fence = '```';

function noService(): Promise<Service> {
  throw new Error('no service in this test');
}

function block(language: Block['language'], code: string, withService = false): Block {
  return { path: 'README.md', line: 1, language, withService, code };
}

suite('run-docs', () => {
  test('finds the marked blocks and where they stand', () => {
    const text = `# A\n\n${fence}js\nleft();\n${fence}\n\n${fence}sh run with-service\necho 1\necho 2\n${fence}\n`;
    assert.deepEqual(blocksOf('README.md', text), [
      { path: 'README.md', line: 7, language: 'sh', withService: true, code: 'echo 1\necho 2\n' },
    ]);
  });

  test('does not look inside a longer fence', () => {
    assert.deepEqual(blocksOf('a.md', `\`\`\`\`\n${fence}js run\nx();\n${fence}\n\`\`\`\`\n`), []);
  });

  test('refuses what it cannot run, and a block without an end', () => {
    for (const info of ['js runn', 'python run', 'js with-service']) {
      assert.throws(() => blocksOf('a.md', `x\n${fence}${info}\n${fence}\n`), /^Error: a\.md:2: cannot run/, info);
    }
    assert.throws(() => blocksOf('a.md', `${fence}js run\nx();\n`), /^Error: a\.md:1: .*never closed/);
  });

  test('runs JavaScript, TypeScript and shell with the packages of the workspace', async () => {
    const use = "import { limits } from '@tallystick/protocol';\nif (!limits) throw new Error('none');\n";
    for (const each of [
      block('js', use),
      block('ts', `${use}const one: number = 1;\nvoid one;\n`),
      block('sh', 'true\n'),
    ]) {
      assert.deepEqual(await runBlock(each, noService), { ok: true, output: '' });
    }
  });

  test('fails with the output of the block', async () => {
    const { ok, output } = await runBlock(
      block('js', "console.log('so far');\nthrow new Error('broken');\n"),
      noService,
    );
    assert.equal(ok, false);
    assert.match(output, /so far[^]*Error: broken/);
    assert.equal(
      (await runBlock(block('sh', 'false\ntrue\n'), noService)).ok,
      false,
      'every line of a shell block counts',
    );
  });

  test('stops a block that does not end, and what it left running', async () => {
    const { ok, output } = await runBlock(block('sh', 'sleep 1000 &\nsleep 1000\n'), noService, 300);
    assert.equal(ok, false);
    assert.match(output, /stopped after 300 ms/);
    assert.equal((await runBlock(block('sh', 'sleep 1000 &\n'), noService)).ok, true);
  });

  test('starts the service for the blocks that ask for it, and stops it', async () => {
    let running = 0;
    const service = async (): Promise<Service> => {
      running += 1;
      return { env: { TALLYSTICK_URL: 'http://localhost:1' }, stop: async () => void (running -= 1) };
    };
    const code = 'echo "$TALLYSTICK_URL"\n';
    assert.deepEqual(await runBlock(block('sh', code, true), service), { ok: true, output: 'http://localhost:1\n' });
    assert.equal(running, 0);
    assert.match((await runBlock(block('sh', code, true), noService)).output, /no service in this test/);
  });

  test('the real service answers a block', async () => {
    const code = `
      const socket = new WebSocket(process.env.TALLYSTICK_SOCKET_URL);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      socket.close();
      if (!process.env.TWILIO_API_KEY) throw new Error('no key');
    `;
    assert.deepEqual(await runBlock(block('js', code, true), startService), { ok: true, output: '' });
  });
});
