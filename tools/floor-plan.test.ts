/**
 * Shows that the floor plan in `.oxlintrc.json` bites: every kind of forbidden import is written once into a copy of the
 * folder tree and must be refused with the message of its folder, and the allowed ones must pass. A rule whose path
 * pattern matches nothing refuses nothing, in silence; this is the test that notices.
 */
import { execFile } from 'node:child_process';
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, suite, test } from 'node:test';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const config = join(root, '.oxlintrc.json');
const rules = new Set([
  'eslint(no-restricted-imports)',
  'eslint(no-restricted-globals)',
  'eslint(no-restricted-properties)',
]);

const entries = /Packages meet at their public entries/;
const detour = /detour/;
const protocol = /protocol imports nothing outside itself/;
const token = /token imports @tallystick\/protocol, node:, jose and rate-limiter-flexible/;
const core = /core imports @tallystick\/protocol and core itself/;
const port = /the storage port imports core and protocol/;
const adapter = /a storage adapter imports the port/;
const bus = /a bus imports its port/;
const engine = /engine imports core, protocol, platform and the ports/;
const transport = /transport knows engine, auth, core and protocol/;
const doors = /the doors do not know each other/;
const chooses = /server\.ts alone chooses/;
const auth = /auth imports token, core, protocol/;
const adopts = /credentials uses the engine and the storage port/;
const leaves = /platform, config and options know no other part/;
const cli = /cli imports the public entries/;

type Case = readonly [file: string, line: string, message: RegExp];

/** `line` is an import specifier, or a whole statement if it ends in a semicolon. */
const refused: readonly Case[] = [
  ['packages/protocol/src/a.ts', 'node:fs', protocol],
  ['packages/protocol/src/b.ts', 'ws', protocol],
  ['packages/protocol/src/c.ts', '@tallystick/token', protocol],
  ['packages/protocol/src/d.ts', '../../server/src/core/document.ts', protocol],
  ['packages/protocol/src/e.ts', 'export const home = process.cwd();', /also runs in browsers/],
  ['packages/protocol/src/f.ts', "export const bytes = Buffer.from('a');", /also runs in browsers/],

  ['packages/token/src/a.ts', '@tallystick/server', token],
  ['packages/token/src/b.ts', 'express', token],
  ['packages/token/src/c.ts', '../../protocol/src/errors.ts', token],

  ['packages/server/src/core/a.ts', 'node:crypto', core],
  ['packages/server/src/core/b.ts', '../storage/storage.ts', core],
  ['packages/server/src/core/c.ts', '../platform.ts', core],
  ['packages/server/src/core/d.ts', '@tallystick/token', core],
  ['packages/server/src/core/e.ts', './../engine/engine.ts', core],
  ['packages/server/src/core/f.ts', "import type { Bus } from '../bus/bus.ts';", core],
  ['packages/server/src/core/g.ts', "export { Bus } from '../bus/bus.ts';", core],
  ['packages/server/src/core/h.ts', "export const late = import('../bus/bus.ts');", core],
  ['packages/server/src/core/i.ts', 'setTimeout(() => 1, 1);', /no timers/],
  ['packages/server/src/core/j.ts', 'setInterval(() => 1, 1);', /no timers/],
  ['packages/server/src/core/k.ts', 'setImmediate(() => 1);', /no timers/],
  ['packages/server/src/core/l.ts', 'export const now = Date.now();', /no clock/],
  ['packages/server/src/core/m.ts', 'export const now = performance.now();', /no clock/],
  ['packages/server/src/core/n.ts', 'export const x = process.pid;', /no surroundings/],
  ['packages/server/src/core/o.ts', 'export const x = Math.random();', /no chance/],
  ['packages/server/src/core/p.ts', 'export const x = crypto.randomUUID();', /no chance/],
  ['packages/server/src/core/q.ts', 'export const x = globalThis.Date;', /no surroundings/],
  ['packages/server/src/core/r.ts', 'export const x = fetch;', /no I\/O/],
  ['packages/server/src/core/s.ts', 'queueMicrotask(() => 1);', /no timers/],

  ['packages/server/src/storage/storage.ts', './memory.ts', port],
  ['packages/server/src/storage/apply.ts', './sqlite.ts', port],
  ['packages/server/src/storage/page.ts', './sqlite/worker.ts', port],
  ['packages/server/src/storage/a.ts', 'node:sqlite', port],
  ['packages/server/src/storage/b.ts', '../engine/engine.ts', port],
  ['packages/server/src/storage/memory.ts', './sqlite.ts', adapter],
  ['packages/server/src/storage/memory.ts', './sqlite/worker.ts', adapter],
  ['packages/server/src/storage/memory.ts', '../engine/engine.ts', adapter],
  ['packages/server/src/storage/memory/tables.ts', '../sqlite.ts', adapter],
  ['packages/server/src/storage/memory/tables.ts', '../../engine/engine.ts', adapter],
  ['packages/server/src/storage/sqlite.ts', './memory.ts', adapter],
  ['packages/server/src/storage/sqlite.ts', '../bus/bus.ts', adapter],
  ['packages/server/src/storage/sqlite.ts', '../transport/http.ts', adapter],
  ['packages/server/src/storage/sqlite/worker.ts', '../memory.ts', adapter],
  ['packages/server/src/storage/sqlite/worker.ts', '../../engine/engine.ts', adapter],
  ['packages/server/src/storage/sqlite/worker.ts', '../../bus/bus.ts', adapter],
  ['packages/server/src/storage/sqlite/worker.ts', 'ws', adapter],

  ['packages/server/src/bus/local.ts', '../storage/storage.ts', bus],
  ['packages/server/src/bus/local.ts', '../engine/hub.ts', bus],
  ['packages/server/src/bus/local.ts', './nats.ts', bus],
  ['packages/server/src/bus/bus.ts', './local.ts', bus],

  ['packages/server/src/engine/engine.ts', '../storage/memory.ts', engine],
  ['packages/server/src/engine/engine.ts', '../storage/sqlite.ts', engine],
  ['packages/server/src/engine/engine.ts', '../storage/apply.ts', engine],
  ['packages/server/src/engine/hub.ts', '../bus/local.ts', engine],
  ['packages/server/src/engine/hub.ts', '../transport/http.ts', engine],
  ['packages/server/src/engine/hub.ts', '../auth.ts', engine],
  ['packages/server/src/engine/hub.ts', 'ws', engine],

  ['packages/server/src/transport/http.ts', '../storage/storage.ts', transport],
  ['packages/server/src/transport/http.ts', '../bus/bus.ts', transport],
  ['packages/server/src/transport/http.ts', '../server.ts', transport],
  ['packages/server/src/transport/http.ts', '@tallystick/server', transport],
  ['packages/server/src/transport/http.ts', '../../../token/src/verify.ts', entries],
  ['packages/server/src/transport/rest/lists.ts', '../../storage/sqlite/worker.ts', transport],
  ['packages/server/src/transport/compat/codec.ts', '../../storage/storage.ts', transport],
  ['packages/server/src/transport/compat/codec.ts', '../../bus/local.ts', transport],
  ['packages/server/src/transport/compat/codec.ts', '../../server.ts', transport],
  ['packages/server/src/transport/compat/codec.ts', '../native/codec.ts', doors],
  ['packages/server/src/transport/native/codec.ts', '../compat/codec.ts', doors],
  ['packages/server/src/transport/compat/codec.ts', '../admin/routes.ts', doors],
  ['packages/server/src/transport/rest/documents.ts', '../compat/resources.ts', doors],
  ['packages/server/src/transport/admin/routes.ts', '../rest/call.ts', doors],
  ['packages/server/src/transport/native/codec.ts', '../rest/../compat/codec.ts', detour],

  ['packages/server/src/index.ts', './storage/sqlite.ts', chooses],
  ['packages/server/src/main.ts', './bus/local.ts', chooses],
  ['packages/server/src/main.ts', './transport/http.ts', chooses],
  ['packages/server/src/main.ts', './engine/engine.ts', chooses],
  ['packages/server/src/server.ts', '../../token/src/verify.ts', entries],
  ['packages/server/src/auth.ts', './storage/storage.ts', auth],
  ['packages/server/src/auth.ts', './engine/engine.ts', auth],
  ['packages/server/src/auth.ts', './config.ts', auth],
  ['packages/server/src/auth.ts', 'fastify', auth],
  ['packages/server/src/credentials.ts', './storage/memory.ts', adopts],
  ['packages/server/src/credentials.ts', './transport/http.ts', adopts],
  ['packages/server/src/config.ts', './engine/engine.ts', leaves],
  ['packages/server/src/options.ts', './server.ts', leaves],
  ['packages/server/src/platform.ts', './storage/storage.ts', leaves],

  ['packages/cli/src/serve.ts', '@tallystick/client', cli],
  ['packages/cli/src/serve.ts', '@tallystick/server/src/server.ts', cli],
  ['packages/cli/src/serve.ts', '../../server/src/server.ts', cli],

  ['examples/quickstart/server.ts', '../../packages/token/src/index.ts', entries],
  ['bench/src/main.ts', '../../packages/server/src/index.ts', entries],
  ['bench/src/main.ts', '@tallystick/server/dist/index.js', entries],
  ['conformance/src/wire.test.ts', '../../packages/server/src/server.ts', entries],
  ['tools/a.ts', '../packages/protocol/src/errors.ts', entries],
  ['tools/a.ts', './spec/../check-spec.ts', detour],
  ['packages/server/src/core/list.test.ts', '../../../protocol/src/errors.ts', entries],
  ['packages/server/test/storage-contract.ts', '../../token/src/verify.ts', entries],
];

const allowed: readonly (readonly [file: string, specifiers: readonly string[]])[] = [
  ['packages/protocol/src/ok.ts', ['./errors.ts']],
  ['packages/protocol/src/ok.test.ts', ['node:test', 'fast-check', './errors.ts']],
  ['packages/token/src/ok.ts', ['@tallystick/protocol', 'node:crypto', 'jose', 'rate-limiter-flexible', './verify.ts']],
  ['packages/token/src/ok.test.ts', ['twilio', 'node:test', './verify.ts']],
  ['packages/server/src/core/ok.ts', ['@tallystick/protocol', './revision.ts']],
  ['packages/server/src/core/ok.test.ts', ['node:test', 'fast-check', './list.ts', '../storage/memory.ts']],
  ['packages/server/src/storage/ok.ts', ['./storage.ts', './apply.ts', '../core/change.ts', '@tallystick/protocol']],
  [
    'packages/server/src/storage/memory.ts',
    ['./storage.ts', './apply.ts', './memory/tables.ts', '../core/change.ts', '@tallystick/protocol'],
  ],
  [
    'packages/server/src/storage/sqlite.ts',
    ['./storage.ts', './sqlite/worker.ts', '../core/change.ts', 'node:sqlite', 'node:fs/promises'],
  ],
  [
    'packages/server/src/storage/sqlite/ok.ts',
    ['./schema.ts', '../storage.ts', '../apply.ts', '../../core/change.ts', 'node:sqlite', '@tallystick/protocol'],
  ],
  ['packages/server/src/storage/memory.test.ts', ['../../test/storage-contract.ts', './memory.ts', './sqlite.ts']],
  ['packages/server/src/bus/ok.ts', ['./bus.ts', '../core/change.ts', '@tallystick/protocol']],
  [
    'packages/server/src/engine/ok.ts',
    ['./hub.ts', '../core/list.ts', '../storage/storage.ts', '../bus/bus.ts', '../platform.ts', '@tallystick/protocol'],
  ],
  ['packages/server/src/transport/ok.ts', ['./compat/codec.ts', '../engine/engine.ts', '../auth.ts', 'fastify', 'ws']],
  ['packages/server/src/transport/rest/ok.ts', ['./call.ts', '../http.ts', '../../engine/engine.ts', 'fastify']],
  ['packages/server/src/transport/compat/ok.ts', ['./frame.ts', '../http.ts', '../../engine/session.ts', 'node:http']],
  ['packages/server/src/auth.ts', ['./core/permission.ts', './platform.ts', '@tallystick/token', 'node:crypto']],
  ['packages/server/src/credentials.ts', ['./engine/engine.ts', './config.ts', './storage/storage.ts']],
  ['packages/server/src/config.ts', ['./platform.ts', './options.ts', '@tallystick/protocol', 'node:fs']],
  ['packages/server/src/index.ts', ['./server.ts', './config.ts', './storage/storage.ts', './bus/bus.ts']],
  [
    'packages/server/src/server.ts',
    ['./storage/sqlite.ts', './bus/local.ts', './engine/engine.ts', './transport/http.ts'],
  ],
  ['packages/server/test/ok.ts', ['../src/storage/storage.ts', 'node:assert/strict']],
  [
    'packages/cli/src/ok.ts',
    ['@tallystick/server', '@tallystick/token', '@tallystick/protocol', 'node:util', './serve.ts'],
  ],
  ['examples/quickstart/ok.ts', ['@tallystick/token', 'express', './public.ts']],
  ['bench/src/ok.ts', ['@tallystick/server', '../data.ts']],
];

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly help: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

interface Placed {
  readonly at: string;
  readonly statement: string;
}

/** Where each statement of a file stands. */
const files = new Map<string, string[]>();

function place(file: string, line: string): Placed {
  const statement = line.endsWith(';') ? line : `import '${line}';`;
  const lines = files.get(file) ?? [];
  files.set(file, lines);
  return { at: `${file}:${lines.push(statement)}`, statement };
}

suite('the floor plan', () => {
  /** What the linter said to each `file:line`. */
  const told = new Map<string, string>();
  const bad = refused.map(([file, line, message]) => ({ ...place(file, line), message }));
  const good = allowed.flatMap(([file, specifiers]) => specifiers.map((line) => place(file, line)));

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'floor-plan-'));
    try {
      await copyFile(config, join(folder, '.oxlintrc.json'));
      for (const [file, lines] of files) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), `${lines.join('\n')}\n`);
      }
      for (const { code, message, help, filename, labels } of await lint(folder)) {
        if (!rules.has(code)) continue;
        const at = `${filename}:${labels[0]?.span.line}`;
        told.set(at, `${told.get(at) ?? ''}${message} ${help}\n`);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('refuses each kind of forbidden import with the message of its folder', () => {
    const passed = bad.filter(({ at, message }) => !message.test(told.get(at) ?? ''));
    assert.deepEqual(passed, []);
  });

  test('lets the allowed ones in', () => {
    const refusals = good.filter(({ at }) => told.has(at)).map((each) => ({ ...each, told: told.get(each.at) }));
    assert.deepEqual(refusals, []);
  });

  test('has no rule that never bites', async () => {
    const everything = [...told.values()].join('');
    const messages = [...(await readFile(config, 'utf8')).matchAll(/"message": "([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(messages.length > 20);
    assert.deepEqual(
      messages.filter((message) => !everything.includes(message)),
      [],
    );
  });
});

async function lint(folder: string): Promise<readonly Diagnostic[]> {
  const binary = join(root, 'node_modules/oxlint/bin/oxlint');
  const run = promisify(execFile)(process.execPath, [binary, '--format=json', '.'], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  });
  // It exits with 1 when it found something, which it must here.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report: { readonly diagnostics: readonly Diagnostic[] } = JSON.parse(stdout);
  return report.diagnostics;
}
