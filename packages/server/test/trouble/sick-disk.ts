/** Makes the syncs of a running service fail or hang, as a sick disk does: a tracer answers in place of the kernel. */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const tracer = 'strace';
/** Longer than any test waits: a hanging sync is let go by hand. */
const hangMicroseconds = 600_000_000;

/** `failing`: each sync fails at once. `hanging`: it does not come back before the disk is well again. */
export type Illness = 'failing' | 'hanging';

const injections: Readonly<Record<Illness, string>> = {
  failing: 'error=EIO',
  hanging: `delay_enter=${hangMicroseconds}`,
};

/** False when a process can be traced here, else why not. */
export function cannotTrace(): string | false {
  const { status } = spawnSync(tracer, ['-f', '-o', '/dev/null', 'true']);
  return status === 0 ? false : 'needs strace, and the right to trace: nothing shows here what a sick disk does';
}

export class SickDisk {
  readonly #tracer: ChildProcessByStdio<null, null, Readable>;

  private constructor(pid: number, directory: string, kind: Illness) {
    const calls = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:${injections[kind]}`];
    const log = join(directory, 'tallystick.db-wal');
    this.#tracer = spawn(tracer, ['-f', '-p', String(pid), '-P', log, ...calls, '-o', '/dev/null'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** From its return on, the log of that service's data directory cannot be synced. */
  static async of(pid: number, directory: string, kind: Illness): Promise<SickDisk> {
    const disk = new SickDisk(pid, directory, kind);
    // It says that it has attached.
    await once(disk.#tracer.stderr, 'data');
    disk.#tracer.stderr.resume();
    return disk;
  }

  /** Syncs are those of the kernel again; what hangs goes on. */
  async heal(): Promise<void> {
    this.#tracer.kill('SIGTERM');
    if (this.#tracer.exitCode === null && this.#tracer.signalCode === null) await once(this.#tracer, 'exit');
  }
}
