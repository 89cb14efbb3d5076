/** The service as users run it: a process of its own that can be stopped, killed, and started again in the same place. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from './credentials.ts';
import { within } from './deadline.ts';
import { atEnd } from './process-check.ts';

export interface ServiceProcess {
  readonly port: number;
  readonly socketUrl: string;
  /** Ends it by SIGTERM (and fails unless it exits with 0) or SIGKILL. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again: same port, same data. */
  start(): Promise<void>;
}

const program = fileURLToPath(new URL('../../packages/cli/bin/tallystick.js', import.meta.url));

/** Lives until the end of the file, which fails if it ever wrote an error. */
export async function startServiceProcess(options: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tallystick-'));
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    TALLYSTICK_DATA_DIR: directory,
    TALLYSTICK_LOG_LEVEL: 'error',
    // Half of it is for answering what is open, and disks can be slow.
    TALLYSTICK_DRAIN_MS: '8000',
    TALLYSTICK_ACCOUNT_SID: credentials.accountSid,
    TALLYSTICK_AUTH_TOKEN: credentials.authToken,
    TALLYSTICK_API_KEY: credentials.apiKey,
    TALLYSTICK_API_SECRET: credentials.apiSecret,
    TALLYSTICK_SERVICE_SID: credentials.serviceSid,
  };
  for (const [name, value] of Object.entries(options)) env[`TALLYSTICK_${name}`] = value;
  let running = await startChild({ ...env, TALLYSTICK_PORT: '0' });
  const { port } = running;
  const outputs: string[] = [];
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    running.child.kill(signal);
    const code = await running.exited;
    // Only errors are logged, and the one line that says where it listens.
    const output = running.output().replace(/^Tallystick serves .*\n/, '');
    if (output !== '') outputs.push(output);
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`exit code ${code} after SIGTERM; ${running.output()}`);
  };
  atEnd(async () => {
    await end('SIGTERM');
    await rm(directory, { recursive: true });
    if (outputs.length > 0) throw new Error(`the service wrote: ${outputs.join('')}`);
  });
  return {
    port,
    socketUrl: `ws://127.0.0.1:${port}/v3/wsconnect`,
    end,
    async start() {
      running = await startChild({ ...env, TALLYSTICK_PORT: String(port) });
    },
  };
}

interface Child {
  readonly child: ChildProcess;
  readonly port: number;
  /** The exit code; null after a signal. */
  readonly exited: Promise<number | null>;
  output(): string;
}

async function startChild(env: Readonly<Record<string, string>>): Promise<Child> {
  const child = spawn(process.execPath, [program, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let output = '';
  const listening = Promise.withResolvers<number>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const port = /^Tallystick serves http:\/\/[^\s]+:(\d+) /m.exec(output)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    });
  }
  void exited.then((code) => listening.reject(new Error(`the service ended with ${code}: ${output}`)));
  return { child, port: await within('the service starts', listening.promise), exited, output: () => output };
}
