/** The process: command line, environment, streams and signals; nothing else. Runs when imported. */

import { createServer } from '@tallystick/server';
import { run } from './commands.ts';

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

const code = await run(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  styled: process.stdout.isTTY && !process.env['NO_COLOR'],
  stopRequested: stopRequested.promise,
  createServer,
});
process.exit(code);
