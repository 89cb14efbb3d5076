/** Opening the port, and telling in one line why that failed. */

import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StartError } from '../start-error.ts';

export interface ListeningOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The option to name in a message; that of the host differs in its end alone. */
  readonly variable: 'TALLYSTICK_PORT' | 'TALLYSTICK_METRICS_PORT';
}

/** The addresses of `localhost`. */
type FindLocal = () => Promise<readonly { readonly address: string }[]>;

/** Returns the port that was taken. */
export async function listen(
  http: FastifyInstance,
  options: ListeningOptions,
  findLocal: FindLocal = () => lookup('localhost', { all: true }),
): Promise<number> {
  try {
    await http.listen({ host: options.host, port: options.port });
  } catch (error) {
    throw new StartError(listenProblem(error, options), { cause: error });
  }
  const address = http.server.address();
  if (typeof address !== 'object' || address === null) return options.port;
  if (options.host === 'localhost') await listenBeside(http.server, address, await findLocal());
  return address.port;
}

/** `localhost` has an address in each family. What comes in at the other one is handed to the same server. */
async function listenBeside(
  server: Server,
  taken: AddressInfo,
  addresses: Awaited<ReturnType<FindLocal>>,
): Promise<void> {
  const others = new Set(addresses.map(({ address }) => address).filter((address) => address !== taken.address));
  for (const host of others) {
    const other = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
    server.once('close', () => other.close());
    other.listen({ host, port: taken.port });
    // A machine may know an address that it does not have.
    await once(other, 'listening').catch(() => {});
  }
}

function listenProblem(error: unknown, { host, port, variable }: ListeningOptions): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use; set ${variable} to another, or to 0 for any free one`;
  if (code === 'EACCES')
    return `port ${port} needs rights that this process has not; set ${variable} to one above 1023`;
  return `cannot listen on ${host}:${port} (${error instanceof Error ? error.message : String(error)}); check ${variable.replace('PORT', 'HOST')}`;
}

/** How clients write the host: an IPv6 address stands in brackets, and "any address" is no address to connect to. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
