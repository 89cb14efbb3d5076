/** The service in a child process: started, asked, and killed from outside. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './service-child.ts';

export interface ServiceOptions {
  readonly directory: string;
  /** Flags of the service beside directory, port and log level. */
  readonly flags?: readonly string[];
  /** A command and its arguments that start the process elsewhere, as in another mount namespace. */
  readonly under?: readonly string[];
  /** A folder in which processes leave their compiled modules for those after them. */
  readonly compileCache?: string;
}

export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  #onReport: () => void = () => {};
  #addresses: { readonly url: string; readonly socketUrl: string } | undefined;
  /** Resolves to the exit code, or to the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  /** Loads the modules; nothing is opened before `start`. */
  constructor({ directory, flags = [], under = [], compileCache }: ServiceOptions) {
    const file = fileURLToPath(new URL('service-child.ts', import.meta.url));
    const own = ['--data-dir', directory, '--port', '0', '--log-level', 'silent'];
    const line = [...under, process.execPath, '--expose-gc', '--conditions=@tallystick/source', file, ...own, ...flags];
    // The runner's variables would make the child speak the runner's protocol.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    const env = compileCache === undefined ? inherited : { ...inherited, NODE_COMPILE_CACHE: compileCache };
    this.#child = spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
    this.#child.on('message', (report: Report) => {
      this.#reports.push(report);
      this.#onReport();
    });
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      this.#onReport();
      return (code ?? signal) as number | NodeJS.Signals | null;
    });
  }

  /** Opens data and port. Throws with the service's own words when it refuses. */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    await service.start();
    return service;
  }

  async start(): Promise<void> {
    await this.#next((report) => report.loaded);
    this.#tell('start');
    const started = await this.#next((report) => report.started ?? report.refused);
    if (typeof started === 'string') throw new Error(started);
    this.#addresses = started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get socketUrl(): string {
    return this.#addresses?.socketUrl ?? '';
  }

  get url(): string {
    return this.#addresses?.url ?? '';
  }

  /** The status of `/health/ready`. */
  async ready(): Promise<number> {
    return (await fetch(`${this.url}/health/ready`)).status;
  }

  memory(): Promise<{ readonly resident: number; readonly used: number }> {
    this.#tell('memory');
    return this.#next((report) => report.memory);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** For the end of a test, whatever became of the process. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.ended;
  }

  #tell(order: Order): void {
    this.#child.send(order);
  }

  async #next<T>(pick: (report: Report) => T | undefined): Promise<T> {
    for (;;) {
      while (this.#reports.length > 0) {
        const picked = pick(this.#reports.shift() ?? {});
        if (picked !== undefined) return picked;
      }
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the service has ended');
      await new Promise<void>((resolve) => {
        this.#onReport = resolve;
      });
    }
  }
}
