/** The process: command line, environment, streams and signals; nothing else. Runs when imported. */

import { createServer } from '@tallystick/server';
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { run } from './dispatch.ts';

/** One Ctrl+C can arrive twice, from the terminal and from npm; only a signal later than this (ms) is a second one. */
const echoMs = 500;

const stopRequested = Promise.withResolvers<void>();
let firstAt: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (firstAt !== undefined && performance.now() - firstAt > echoMs) process.exit(1);
    firstAt ??= performance.now();
    stopRequested.resolve();
  });
}

// Not by `process.stdin`, which opens it: in `dev` the app alone may read from there.
const inputIsTerminal = isatty(0);

async function confirm(question: string): Promise<boolean> {
  // As lines and not as keys, so that Ctrl+C stays a signal; on stderr, since a program may read stdout.
  const lines = createInterface({ input: process.stdin });
  process.stderr.write(`${question} [y/N] `);
  const answer = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  });
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  styled: process.stdout.isTTY && !process.env['NO_COLOR'],
  stopRequested: stopRequested.promise,
  createServer,
  // `process.exit` would wait for the threads.
  abandon: () => process.kill(process.pid, 'SIGKILL'),
  now: Date.now,
  fetch,
  input: () => ({ isTerminal: inputIsTerminal, chunks: process.stdin }),
  confirm: inputIsTerminal && isatty(2) ? confirm : undefined,
});
process.exit(code);
