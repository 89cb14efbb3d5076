/** The real command as a child process: what it wrote, when it wrote it, and how it ended. */

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '../bin/tallystick.js');

export interface Running {
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the match when stdout has it; rejects when the process ends before. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => boolean;
}

/** Starts `tallystick` in a directory, without any of our variables but those of `env`. */
export function start(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  nodeArgs: readonly string[] = [],
): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(TALLYSTICK|TWILIO|NODE|PORT$)/.test(name));
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  // A grandchild that was left behind keeps the pipes open; the test is to fail then, not to hang.
  child.once('exit', () => {
    const timer = setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream.destroy()), 2000);
    child.once('close', () => clearTimeout(timer));
  });
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(out);
        if (match !== null) resolve(match);
      };
      child.stdout.on('data', look);
      child.once('close', () => reject(new Error(`ended before ${pattern}:\n${out}\n${err}`)));
      look();
    });
  return { out: () => out, err: () => err, printed, ended: ended.promise, kill: (signal) => child.kill(signal) };
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const listener = createServer();
  return await new Promise((resolve, reject) => {
    listener.once('error', reject).listen(0, () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
