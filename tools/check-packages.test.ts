import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkPackage, typeScriptImports } from './check-packages.ts';

async function packageOf(t: TestContext, files: Readonly<Record<string, string>>, more: object = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'check-packages-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const manifest = {
    name: 'some-package',
    version: '1.0.0',
    license: 'Apache-2.0',
    type: 'module',
    files: ['dist'],
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    ...more,
  };
  await mkdir(join(folder, 'dist'));
  const all = { 'package.json': JSON.stringify(manifest), 'README.md': '# Some\n', LICENSE: 'Mine.\n', ...files };
  for (const [path, text] of Object.entries(all)) await writeFile(join(folder, path), text);
  return folder;
}

test('built code that imports TypeScript is found in every form of import', () => {
  const code = `import a from './a.ts';\nexport * from "../b.mts";\nawait import('./c.ts');\n`;
  assert.deepEqual(typeScriptImports(code), ['./a.ts', '../b.mts', './c.ts']);
  assert.deepEqual(typeScriptImports(`import a from './a.js';\nimport 'x.ts';\nconst b = './b.ts';\n`), []);
});

test('a sound package has no problems', async (t) => {
  const folder = await packageOf(t, {
    'dist/index.js': 'export const one = 1;\n',
    'dist/index.d.ts': 'export declare const one: number;\n',
  });
  assert.deepEqual(await checkPackage(folder), []);
});

test('a package that does not load, lacks its types, its licence and a working command, is told so', async (t) => {
  const folder = await packageOf(
    t,
    {
      'dist/index.js': "export { one } from './one.ts';\n",
      'dist/command.js': "#!/usr/bin/env node\nimport './index.js';\n",
    },
    { bin: { some: 'dist/command.js' } },
  );
  await rm(join(folder, 'LICENSE'));
  const problems = await checkPackage(folder);
  const expected = [
    /^packs no LICENSE$/,
    /^dist\/index\.js imports \.\/one\.ts$/,
    /^publint --strict\n[^]*index\.d\.ts/,
    /^node --input-type=module [^]*ERR_MODULE_NOT_FOUND/,
    /^node dist\/command\.js --help\n[^]*ERR_MODULE_NOT_FOUND/,
  ];
  assert.equal(problems.length, expected.length);
  for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern);
});

test('types that do not resolve are told', async (t) => {
  const folder = await packageOf(t, {
    'dist/index.js': 'export const one = 1;\n',
    'dist/index.d.ts': "export { one } from './one.js';\n",
  });
  const problems = await checkPackage(folder);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^attw --pack /);
});

test('a package that is not built is told so', async (t) => {
  assert.deepEqual(await checkPackage(await packageOf(t, {})), ['dist is empty; run `npm run build` first']);
});
