/**
 * A file system of a few megabytes, in a mount namespace of its own: nothing else sees it, and it is gone with the
 * process that holds it. Needs the right to mount, which ordinary users have where they may make user namespaces.
 */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { makeDataDirectory } from '../data-directory.ts';

const isRoot = process.getuid?.() === 0;
const unshare = 'unshare';
const alone = isRoot ? '-m' : '-rm';
const enter: readonly string[] = isRoot ? ['-m'] : ['-U', '-m', '--preserve-credentials'];

/** False when a small file system can be mounted here, else why not. */
export function cannotMount(): string | false {
  const directory = makeDataDirectory();
  const { status } = spawnSync(unshare, [alone, 'mount', '-t', 'tmpfs', 'tmpfs', directory.path]);
  directory.remove();
  return status === 0 ? false : 'needs the right to mount a file system: nothing shows here what a full disk does';
}

export class SmallDisk {
  readonly #holder: ChildProcessByStdio<Writable, Readable, null>;
  readonly #directory: ReturnType<typeof makeDataDirectory>;

  private constructor(directory: ReturnType<typeof makeDataDirectory>, kilobytes: number) {
    this.#directory = directory;
    // Its input ends with this process, and then it ends too.
    const script = `mount -t tmpfs -o size=${kilobytes}k tmpfs '${directory.path}' && echo mounted && exec cat`;
    this.#holder = spawn(unshare, [alone, 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  static async mount(kilobytes: number): Promise<SmallDisk> {
    const disk = new SmallDisk(makeDataDirectory(), kilobytes);
    await once(disk.#holder.stdout, 'data');
    return disk;
  }

  /** The command that starts a process which sees the file system. */
  get under(): readonly string[] {
    return ['nsenter', '-t', String(this.#holder.pid), ...enter];
  }

  /** The path of the file system for such a process. */
  get path(): string {
    return this.#directory.path;
  }

  /** Writes a file until there is no room left. */
  fill(): void {
    const chunk = Buffer.alloc(4096);
    try {
      for (;;) writeFileSync(this.#ballast, chunk, { flag: 'a' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }

  /** Takes that file away. */
  clear(): void {
    rmSync(this.#ballast, { force: true });
  }

  async unmount(): Promise<void> {
    this.#holder.stdin.end();
    if (this.#holder.exitCode === null) await once(this.#holder, 'exit');
    this.#directory.remove();
  }

  /** Seen from outside, through the process that holds it. */
  get #ballast(): string {
    return join(`/proc/${this.#holder.pid}/root${this.#directory.path}`, 'ballast');
  }
}
