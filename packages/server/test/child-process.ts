/** Runs a TypeScript file of this folder as a process of its own, as tests of crashes and locks need. */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';

export type Child = ChildProcessByStdio<null, Readable, null>;

/** `under`: a command and its arguments that start and observe the process, such as a tracer. */
export function startChild(file: string, args: readonly string[], under: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const line = [...under, process.execPath, '--conditions=@tallystick/source', path, ...args];
  // The runner's variables would make the child speak the runner's protocol.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], env });
}

/** Resolves when the process is gone and all that it wrote was read. */
export async function ended(child: Child): Promise<void> {
  await once(child, 'close');
}
