/** A child process of the benchmark: started with the probe, asked over the built-in channel, ended by its id. */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  /** Used in messages. */
  readonly name: string;
  readonly program: URL;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** For node itself, such as --cpu-prof. */
  readonly nodeArgs?: readonly string[];
}

/** Methods, so that an answer fits whatever was asked for. */
interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A server that took 1,000 connections under load needs a moment; a hung one must not hang the run. */
const patienceMs = 60_000;
/** From the polite signal to the one that cannot be refused. */
const stopMs = 5000;
const keptOutput = 4000;

export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #address = Promise.withResolvers<URL>();
  readonly #exited: Promise<unknown>;
  #output = '';
  #lastId = 0;

  constructor(options: ChildOptions) {
    this.#name = options.name;
    this.#process = fork(fileURLToPath(options.program), options.args ?? [], {
      execArgv: [
        '--conditions=@tallystick/source',
        `--import=${new URL('./cpu-probe.ts', import.meta.url).href}`,
        ...(options.nodeArgs ?? []),
      ],
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#exited = once(this.#process, 'exit');
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#process.on('message', (answer: Answer) => this.#settle(answer));
    this.#process.on('close', (code, signal) => this.#fail(`ended (${signal ?? code})`));
    this.#process.on('error', (error) => this.#fail(error.message));
    this.#address.promise.catch(() => undefined);
  }

  /** The first ws:// address that the program prints. */
  address(): Promise<URL> {
    return this.#patiently('its address', this.#address.promise);
  }

  /** The answer is taken for what the program is known to send. Rejects with what it threw, or its last output when it ended. */
  ask<T>(command: string, input?: unknown): Promise<T> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<T>();
    this.#waiting.set(id, waiting);
    if (this.#process.connected) this.#process.send({ id, command, input });
    else this.#fail('is gone');
    return this.#patiently(command, waiting.promise);
  }

  /** Ends it, politely first, so that a profile gets written. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const force = setTimeout(() => this.#process.kill('SIGKILL'), stopMs);
    await this.#exited;
    clearTimeout(force);
  }

  #read(text: string): void {
    this.#output = (this.#output + text).slice(-keptOutput);
    // Only with what follows it: output comes in pieces.
    const address = /(wss?:\/\/[^\s"')]+)[\s"')]/.exec(this.#output)?.[1];
    if (address !== undefined) this.#address.resolve(new URL(address));
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.#name}: ${error}`));
  }

  #fail(why: string): void {
    const error = new Error(`${this.#name} ${why}; its last output:\n${this.#output.trimEnd()}`);
    this.#address.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  async #patiently<T>(what: string, promise: Promise<T>): Promise<T> {
    const limit = setTimeout(() => this.#fail(`did not answer: ${what}`), patienceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(limit);
    }
  }
}
