/** The real service inside the test's process, on a free port and a directory of its own, seen through a watch. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, loadConfig } from '@tallystick/server';
import type { Log } from '@tallystick/server';
import { credentials } from './credentials.ts';
import { atEnd } from './process-check.ts';
import { startRelay } from './relay.ts';
import type { Relay } from './relay.ts';
import { WireWatch } from './wire-watch.ts';

export interface Service {
  /** Of the service itself, past the relay. */
  readonly port: number;
  /** Through the relay that the watch sees. */
  readonly socketUrl: string;
  readonly relay: Relay;
  readonly watch: WireWatch;
}

/**
 * Lives until the end of the file, which fails if the service logged an error or sent an ill-formed frame. `options` as
 * environment variables without their prefix: `{ PING_INTERVAL_MS: '100' }`.
 * `others` are further services of the same installation.
 */
export async function startService(
  options: Readonly<Record<string, string>> = {},
  others: readonly string[] = [],
): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), 'tallystick-'));
  const env: Record<string, string> = { TALLYSTICK_PORT: '0', TALLYSTICK_DATA_DIR: directory };
  for (const [name, value] of Object.entries(options)) env[`TALLYSTICK_${name}`] = value;
  const errors: unknown[] = [];
  const config = loadConfig({ argv: [], env });
  const log = errorLog(errors);
  // A start with another default service adds that one to the data.
  for (const serviceSid of others) {
    const other = await createServer({ ...config, credentials: { ...credentials, serviceSid } }, { log });
    await other.stop();
  }
  const server = await createServer({ ...config, credentials }, { log });
  const watch = new WireWatch();
  const relay = await startRelay({
    targetPort: server.port,
    onMessage: (message) => {
      watch.observe(message);
      return 'pass';
    },
  });
  atEnd(async () => {
    await server.stop();
    await relay.close();
    await rm(directory, { recursive: true });
    assert.deepEqual(errors, [], 'errors in the log of the service');
    assert.deepEqual(watch.problems, [], 'problems on the wire');
  });
  return { port: server.port, socketUrl: relay.socketUrl, relay, watch };
}

/** Services on every store of the server, with the same options. */
export async function startEveryStore(
  options: Readonly<Record<string, string>> = {},
): Promise<readonly (readonly [store: string, service: Service])[]> {
  const stores = ['sqlite', 'memory'];
  return await Promise.all(
    stores.map(async (store) => [store, await startService({ ...options, STORE: store })] as const),
  );
}

function errorLog(errors: unknown[]): Log {
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: ignore, error: (fields, message) => errors.push([message, fields]) };
}
