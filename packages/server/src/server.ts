/** The only place that chooses implementations, and that orders start, drain and stop. */

import { pino } from 'pino';
import type { FastifyInstance } from 'fastify';
import { createAuthenticate } from './auth.ts';
import { createLocalBus } from './bus/local.ts';
import type { Config, Credentials } from './config.ts';
import { Engine } from './engine/engine.ts';
import { systemClock, systemIds } from './platform.ts';
import type { Clock, Log } from './platform.ts';
import { StartError } from './start-error.ts';
import { openMemory } from './storage/memory.ts';
import { openSqlite } from './storage/sqlite.ts';
import { StorageRefused } from './storage/storage.ts';
import type { Storage } from './storage/storage.ts';
import { createCompatDoor } from './transport/compat/door.ts';
import type { CompatDoor } from './transport/compat/door.ts';
import { createHttp } from './transport/http.ts';
import { attachSockets } from './transport/websocket.ts';
import type { Sockets } from './transport/websocket.ts';

/** For programs that put something into the data directory before the service runs. */
export { makeDirectory } from './storage/sqlite/directory.ts';

export interface Server {
  /** The port that is listened on; of interest when 0 was asked for. */
  readonly port: number;
  /** Origin under which clients reach the service, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Address of the socket for clients, `ws:` or `wss:`. */
  readonly socketUrl: string;
  /** Drains, then closes. The same promise however often it is called; bounded by `drainMs` and a second. [OPS3] */
  stop(): Promise<void>;
}

/** What tests and embedders may replace. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly log?: Log;
}

/** The time that clients have for their side of the close handshake. */
const closeMs = 1000;

const socketPath = '/v3/wsconnect';

/** Resolves when the service listens. Throws StartError with one clear line for what the operator can mend. */
export async function createServer(
  config: Config & { readonly credentials: Credentials },
  surroundings: Surroundings = {},
): Promise<Server> {
  const clock = surroundings.clock ?? systemClock;
  const log = surroundings.log ?? pino({ level: config.logLevel, base: null });
  const storage = await openStorage(config, clock, log);
  const engine = new Engine({ storage, bus: createLocalBus(), clock, ids: systemIds, log, options: config });
  const health = { isReady: () => isRunning && engine.takesWrites };
  const http = createHttp(health);
  let isRunning = false;
  try {
    await engine.start();
    await settle(engine, config.credentials);
    const port = await listen(http, config);
    const url = config.publicUrl ?? `http://${urlHost(config.host)}:${port}`;
    const authenticate = createAuthenticate(engine.directory, clock.now);
    const door = createCompatDoor({
      engine,
      authenticate,
      clock,
      ids: systemIds,
      log,
      options: { ...config, publicUrl: url },
    });
    const options = { path: socketPath, maxFrameBytes: config.maxFrameBytes };
    const sockets = attachSockets(http.server, options, (link) => door.accept(link), log);
    door.start();
    isRunning = true;
    log.info({ url, store: config.store }, 'listening');
    const socketUrl = `${url.replace(/^http/, 'ws')}${socketPath}`;
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      isRunning = false;
      stopped ??= stopInOrder({ http, sockets, door, engine, storage, clock, log });
      return stopped;
    };
    return { port, url, socketUrl, stop };
  } catch (error) {
    await engine.stop();
    await http.close();
    await storage.close();
    throw error;
  }
}

interface Parts {
  readonly http: FastifyInstance;
  readonly sockets: Sockets;
  readonly door: CompatDoor;
  readonly engine: Engine;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
}

/** From the outside in: nothing is closed while something before it may still need it. */
async function stopInOrder({ http, sockets, door, engine, storage, clock, log }: Parts): Promise<void> {
  log.info({ connections: door.connections }, 'draining');
  sockets.refuse();
  await door.drain();
  await closeHandshakes(sockets, clock);
  sockets.drop();
  await http.close();
  await engine.stop();
  await storage.close();
  log.info({}, 'stopped');
}

/** A socket that is dropped while bytes arrive is reset, and its client may lose the last answers with it. [CON6] */
async function closeHandshakes(sockets: Sockets, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(closeMs, resolve);
    void sockets.ended().then(() => {
      cancel();
      resolve();
    });
  });
}

async function openStorage(config: Config, clock: Clock, log: Log): Promise<Storage> {
  const now = (): number => clock.now();
  if (config.store === 'memory') {
    log.warn({}, 'store is memory: nothing outlives this process');
    return openMemory({ epoch: systemIds.secret(12), now });
  }
  try {
    return await openSqlite({
      directory: config.dataDir,
      now,
      onFailure: (error) => log.error({ err: error }, 'the storage thread failed; no write is taken any more'),
    });
  } catch (error) {
    if (error instanceof StorageRefused) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

/** Makes the account, its default service and the given key what the credentials say. [ACC1] [ACC2] */
async function settle(engine: Engine, credentials: Credentials): Promise<void> {
  const { accountSid, authToken, apiKey, apiSecret, serviceSid } = credentials;
  const { directory } = engine;
  if (directory.account !== undefined && directory.account.sid !== accountSid) {
    throw new StartError(
      `the data belongs to account ${directory.account.sid}, but TALLYSTICK_ACCOUNT_SID is ${accountSid}; ` +
        'use another data directory or the credentials that belong to it',
    );
  }
  const uniqueName = directory.service(undefined) === undefined ? 'default' : null;
  const isUnchanged =
    directory.account?.authToken === authToken &&
    directory.service(serviceSid) !== undefined &&
    directory.key(apiKey)?.secret === apiSecret;
  if (isUnchanged) return;
  await engine.administer([
    { type: 'putAccount', sid: accountSid, authToken },
    { type: 'putService', sid: serviceSid, account: accountSid, uniqueName },
    { type: 'putKey', sid: apiKey, account: accountSid, secret: apiSecret },
  ]);
}

async function listen(http: FastifyInstance, config: Config): Promise<number> {
  try {
    await http.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw new StartError(listenProblem(error, config), { cause: error });
  }
  const address = http.server.address();
  return typeof address === 'object' && address !== null ? address.port : config.port;
}

function listenProblem(error: unknown, { host, port }: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use; set TALLYSTICK_PORT to another, or to 0 for any free one`;
  if (code === 'EACCES')
    return `port ${port} needs rights that this process has not; set TALLYSTICK_PORT to one above 1023`;
  return `cannot listen on ${host}:${port} (${error instanceof Error ? error.message : String(error)}); check TALLYSTICK_HOST`;
}

/** An IPv6 address stands in brackets, and "any address" is no address to connect to. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
