/**
 * Looks at the built packages as their users will meet them, after `npm run build`: they pack well (publint), their types
 * resolve (attw), and what is packed has a README and a licence, imports no .ts file, and runs in plain Node, without our
 * source condition: every entry loads, every command prints its help. The tests run from source and would notice none of
 * this.
 */
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '..');

/** The relative imports in built JavaScript that name a TypeScript file: no Node can load them from a package. */
export function typeScriptImports(javaScript: string): string[] {
  const specifiers = javaScript.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"]+\.[cm]?ts)['"]/g);
  return [...specifiers].map((match) => match[1]!);
}

/** The problems of the built package in `folder`; empty means that it can be published. */
export async function checkPackage(folder: string): Promise<string[]> {
  const { name, exports = {}, bin = {} } = manifestOf(folder);
  if (globSync('dist/**/*.js', { cwd: folder }).length === 0) return ['dist is empty; run `npm run build` first'];
  const entries = Object.keys(exports).map((path) => name + path.slice(1));
  const place = await mkdtemp(join(tmpdir(), 'check-packages-'));
  try {
    const unpacked = await unpack(folder, place);
    if (typeof unpacked === 'string') return [unpacked];
    const runs = [run(folder, 'publint', ['--strict'])];
    if (entries.length > 0) {
      const types = ['--pack', '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', '--no-emoji'];
      runs.push(run(folder, 'attw', types));
    }
    for (const entry of entries) {
      runs.push(run(unpacked.folder, 'node', ['--input-type=module', '--eval', `await import('${entry}');`]));
    }
    for (const file of Object.values(bin)) runs.push(run(unpacked.folder, 'node', [file, '--help']));
    const told = await Promise.all(runs);
    return [...filesProblems(unpacked.folder), ...told.filter((problem) => problem !== undefined)];
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Packs the package and unpacks it in `place`, where its dependencies resolve; or tells why that failed. */
async function unpack(folder: string, place: string): Promise<string | { readonly folder: string }> {
  const packed = await run(folder, 'npm', ['pack', '--pack-destination', place]);
  if (packed !== undefined) return packed;
  const unpacked = await run(place, 'tar', ['-xzf', ...globSync('*.tgz', { cwd: place })]);
  if (unpacked !== undefined) return unpacked;
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  return { folder: join(place, 'package') };
}

function filesProblems(folder: string): string[] {
  const missing = ['README.md', 'LICENSE'].filter((file) => !existsSync(join(folder, file)));
  const leftovers = globSync('dist/**/*.js', { cwd: folder }).flatMap((file) =>
    typeScriptImports(readFileSync(join(folder, file), 'utf8')).map((specifier) => `${file} imports ${specifier}`),
  );
  return [...missing.map((file) => `packs no ${file}`), ...leftovers];
}

/** Runs a program in `folder`; tells what it wrote if it failed. */
function run(folder: string, program: string, args: readonly string[]): Promise<string | undefined> {
  const own = join(root, 'node_modules/.bin', program);
  const file = program === 'node' ? process.execPath : existsSync(own) ? own : program;
  const { NODE_OPTIONS: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(file, args, { cwd: folder, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (!error) resolve(undefined);
      else resolve(`${program} ${args.join(' ')}\n${stripVTControlCharacters(stdout + stderr)}`.trimEnd());
    });
  });
}

async function main(): Promise<void> {
  const manifests = globSync('packages/*/package.json', { cwd: root }).sort();
  let found = 0;
  for (const path of manifests) {
    const folder = join(root, path, '..');
    const { name, private: isPrivate } = manifestOf(folder);
    if (isPrivate) continue;
    const problems = await checkPackage(folder);
    for (const problem of problems) console.error(`${name}: ${problem}`);
    if (problems.length === 0) console.log(`ok ${name}`);
    found += problems.length;
  }
  if (found > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
