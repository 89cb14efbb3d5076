/** The service as a process of its own, configured by its environment. Asked, it collects garbage and tells what it holds. */

import { createServer, loadConfig } from '@tallystick/server';

/** `sockets`: without a collection, which would keep others waiting. */
export type Question = 'all' | 'sockets';

/** What the process holds at one moment, in bytes and pieces. */
export interface Holding {
  /** Alive in the heap and beside it, after a collection. */
  readonly live: number;
  /** The most memory that the process ever had. */
  readonly peak: number;
  readonly sockets: number;
}

const { credentials, ...config } = loadConfig({ argv: [], env: process.env });
if (credentials === undefined) throw new Error('the test gives credentials');
const server = await createServer({ ...config, credentials });

process.on('message', (question: Question) => {
  // What the first collection frees may let go of more.
  for (let i = 0; question === 'all' && i < 2; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const holding: Holding = {
    live: heapUsed + external,
    peak: process.resourceUsage().maxRSS * 1024,
    sockets: process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length,
  };
  process.send?.(holding);
});
process.once('SIGTERM', () => void server.stop().then(() => process.disconnect?.()));
process.send?.(server.port);
