/** The app that `tallystick dev` runs beside the service: one child process, and the port it is to answer on. */

import { StartError } from '@tallystick/server';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** From SIGTERM to SIGKILL, in milliseconds. */
const graceMs = 5000;
const pollMs = 100;

export interface App {
  /** Resolves with the way it ended: `code` is its exit code, or 1 after a signal. Never rejects. */
  readonly ended: Promise<AppEnd>;
  /** Asks it to end, and makes it after 5 s. Resolves when it has. */
  stop(): Promise<void>;
}

interface AppEnd {
  readonly code: number;
  /** "ended with code 3"; goes on after "the app". */
  readonly how: string;
}

/** Runs a command with the standard streams of this process. Throws StartError when there is no such command. */
export async function startApp(command: readonly string[], env: NodeJS.ProcessEnv): Promise<App> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { env, stdio: 'inherit' });
  const ended = Promise.withResolvers<AppEnd>();
  // However this process ends, the app must not be left behind on its port.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', (code, signal) => {
    process.removeListener('exit', kill);
    ended.resolve({ code: code ?? 1, how: signal === null ? `ended with code ${code}` : `was ended by ${signal}` });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.removeListener('exit', kill);
      reject(new StartError(`cannot run ${JSON.stringify(file)} (${error.code}); is it installed?`, { cause: error }));
    });
  });

  return {
    ended: ended.promise,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(kill, graceMs);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}

/** Whether something takes TCP connections on a port of this machine. */
export async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: 'localhost', timeout: 1000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

/** Asks again and again until the port answers, the time (in milliseconds) is over or the signal aborts. */
export async function untilAnswers(port: number, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!signal.aborted) {
    if (await answers(port)) return true;
    if (performance.now() + pollMs > end) return false;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
