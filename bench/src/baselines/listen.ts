/** Listens on a free port of the loopback and prints the address, which is how a server of the benchmark says it is ready. */

import type { Server } from 'node:http';
import process from 'node:process';

export function listen(server: Server, path: string): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    process.stdout.write(`ws://127.0.0.1:${address.port}${path}\n`);
  });
}
