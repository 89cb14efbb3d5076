/**
 * The real service as a process of its own, which its parent tells what to do: `start` once its modules are loaded,
 * `memory` to collect garbage and measure what is left. It ends with its parent, and in good order on SIGTERM.
 */

import { flushCompileCache } from 'node:module';
import { loadConfig } from '../../src/config.ts';
import { createServer } from '../../src/server.ts';
import { credentials } from './credentials.ts';

export type Order = 'start' | 'memory';

export interface Report {
  readonly loaded?: true;
  readonly started?: { readonly url: string; readonly socketUrl: string };
  /** Why the service did not start. */
  readonly refused?: string;
  /** Bytes after a collection of garbage. */
  readonly memory?: { readonly resident: number; readonly used: number };
}

function report(report: Report): void {
  process.send?.(report);
}

async function start(): Promise<void> {
  try {
    const config = loadConfig({ argv: process.argv.slice(2), env: {} });
    const server = await createServer({ ...config, credentials });
    process.once('SIGTERM', () => void server.stop().then(() => process.exit(0), die));
    report({ started: { url: server.url, socketUrl: server.socketUrl } });
    // Most of these processes are killed, which leaves no time for it.
    flushCompileCache();
  } catch (error) {
    report({ refused: error instanceof Error ? error.message : String(error) });
  }
}

function measure(): void {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  report({ memory: { resident: rss, used: heapUsed + external } });
}

/** Without waiting for a thread that may hang. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

process.once('disconnect', die);
process.on('message', (order: Order) => {
  if (order === 'start') void start();
  else measure();
});
report({ loaded: true });
