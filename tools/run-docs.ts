/**
 * Runs the code blocks of the READMEs, because documentation that nobody runs goes stale. Marked blocks only, by the words
 * after the language: ```js run, ```ts run, ```sh run. With `with-service` as well, the block finds a running
 * development service through its environment (see `docs-service.ts`).
 * Each block runs alone, in a folder of its own in which the workspace's packages resolve, for at most half a minute.
 */
import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Service, startService } from './docs-service.ts';

export interface Block {
  readonly path: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: Language;
  readonly withService: boolean;
  readonly code: string;
}

export interface Result {
  readonly ok: boolean;
  /** All that the block wrote, or why it could not run. */
  readonly output: string;
}

type Language = 'js' | 'ts' | 'sh';

/** File name and command of a block; `set -e`, so that each line of a shell block counts. */
const runners: Readonly<Record<Language, readonly [file: string, ...command: string[]]>> = {
  js: ['block.mjs', 'node', 'block.mjs'],
  ts: ['block.ts', 'node', 'block.ts'],
  sh: ['block.sh', 'bash', '-euo', 'pipefail', 'block.sh'],
};
const root = join(import.meta.dirname, '..');
const timeLimit = 30_000;

/** The runnable blocks of a Markdown text. Throws on a marked block that cannot be run: a typo must not hide it. */
export function blocksOf(path: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const opening = /^(`{3,})(.*)$/.exec(lines[index]!);
    if (!opening) continue;
    const line = index + 1;
    const end = lines.indexOf(opening[1]!, line);
    if (end === -1) throw new Error(`${path}:${line}: this code block is never closed`);
    index = end;
    const [language, ...marks] = opening[2]!.trim().split(/\s+/);
    if (marks.length === 0) continue;
    const unknown = marks.find((mark) => mark !== 'run' && mark !== 'with-service');
    if (unknown !== undefined || !marks.includes('run') || !isLanguage(language)) {
      throw new Error(
        `${path}:${line}: cannot run "${opening[2]}"; write js, ts or sh, then run, then maybe with-service`,
      );
    }
    const code = `${lines.slice(line, end).join('\n')}\n`;
    blocks.push({ path, line, language, withService: marks.includes('with-service'), code });
  }
  return blocks;
}

function isLanguage(word: string | undefined): word is Language {
  return word !== undefined && Object.hasOwn(runners, word);
}

/** Runs one block in a folder of its own. */
export async function runBlock(
  block: Block,
  startService: () => Promise<Service>,
  limit: number = timeLimit,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'run-docs-'));
  let service: Service | undefined;
  try {
    if (block.withService) service = await startService();
    const [file, program, ...args] = runners[block.language];
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, file), block.code);
    return await run(program!, args, folder, service?.env ?? {}, limit);
  } catch (error) {
    return { ok: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  limit: number,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: {
        ...process.env,
        PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
        NODE_OPTIONS: '--conditions=@tallystick/source',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what the block leaves running ends with it.
      detached: true,
    });
    const stop = (): void => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // The whole group is gone already.
      }
    };
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const timer = setTimeout(() => {
      output += `\nstopped after ${limit} ms`;
      stop();
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', stop);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, output });
    });
  });
}

async function main(): Promise<void> {
  const paths = globSync(['README.md', 'packages/*/README.md', 'examples/*/README.md'], { cwd: root }).sort();
  const blocks = paths.flatMap((path) => blocksOf(path, readFileSync(join(root, path), 'utf8')));
  let failed = 0;
  for (const block of blocks) {
    const started = performance.now();
    const { ok, output } = await runBlock(block, startService);
    const where = `${block.path}:${block.line} (${block.language})`;
    if (ok) {
      console.log(`ok ${where} ${Math.round(performance.now() - started)} ms`);
    } else {
      failed += 1;
      console.error(`FAILED ${where}\n${output.replaceAll(/^/gm, '    ')}`);
    }
  }
  console.log(`${blocks.length} blocks of ${paths.length} files, ${failed} failed`);
  if (blocks.length === 0) console.error('no block is marked as runnable, so nothing was checked');
  if (failed > 0 || blocks.length === 0) process.exitCode = 1;
}

if (import.meta.main) await main();
