/** The only place that chooses implementations, and that orders start, drain and stop. */

import { pino } from 'pino';
import type { FastifyInstance } from 'fastify';
import { createAuthenticate } from './auth.ts';
import { createLocalBus } from './bus/local.ts';
import type { Config, Credentials } from './config.ts';
import { adoptCredentials, openSealing } from './credentials.ts';
import type { Sealing } from './credentials.ts';
import { Engine } from './engine/engine.ts';
import { systemClock, systemIds } from './platform.ts';
import type { Clock, Log } from './platform.ts';
import { createSealer } from './sealing.ts';
import { StartError } from './start-error.ts';
import { openMemory } from './storage/memory.ts';
import { openSqlite } from './storage/sqlite.ts';
import { StorageRefused } from './storage/storage.ts';
import type { Storage } from './storage/storage.ts';
import { adminDoor } from './transport/admin/routes.ts';
import { Admission } from './transport/admission.ts';
import { clientAddresses } from './transport/client-address.ts';
import { createCompatDoor } from './transport/compat/door.ts';
import type { CompatDoor, DoorOptions } from './transport/compat/door.ts';
import { createFailureLimit } from './transport/failure-limit.ts';
import { createHttp, useKeyPair } from './transport/http.ts';
import { listen, urlHost } from './transport/listening.ts';
import { addMetrics, createMetricsHttp } from './transport/metrics-door.ts';
import { createMetrics } from './transport/metrics.ts';
import { restDoor } from './transport/rest/routes.ts';
import { UnderWay } from './transport/rest/under-way.ts';
import { readKeyPair, warnOfEnd, watchKeyPair } from './transport/tls.ts';
import type { KeyFiles, KeyPair } from './transport/tls.ts';
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
  /**
   * Drains, then closes. The same promise however often it is called; bounded by `drainMs` and three seconds. Rejects
   * when storage did not close in time: the process should end without waiting for its threads. [OPS3] [OPS8]
   */
  stop(): Promise<void>;
}

/** What tests and embedders may replace. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly log?: Log;
}

/** The time that clients have for their side of the close handshake, and to read their last answers. */
const closeMs = 1000;

/** The time that storage has at a stop for what is under way. */
const storageMs = 2000;

const socketPath = '/v3/wsconnect';

/** Resolves when the service listens. Throws StartError with one clear line for what the operator can mend. */
export async function createServer(
  config: Config & { readonly credentials: Credentials },
  surroundings: Surroundings = {},
): Promise<Server> {
  const clock = surroundings.clock ?? systemClock;
  const log = surroundings.log ?? pino({ level: config.logLevel, base: null });
  const tls = await tlsOf(config);
  const storage = await openStorage(config, clock, log);
  const sealing = await sealingOf(config, storage);
  const { sealer } = sealing;
  const bus = createLocalBus();
  const engine = new Engine({ storage, bus, clock, ids: systemIds, log, sealer, options: config });
  const isTls = tls !== undefined;
  const { http, admission } = openHttp({ config, engine, clock, log, pair: tls?.pair, isRunning: () => isRunning });
  const opened: FastifyInstance[] = [http];
  let isRunning = false;
  try {
    await engine.start();
    await adoptCredentials(engine, config.credentials, sealing, config.lostSecrets, log);
    await http.register(adminDoor({ engine, log, failures: createFailureLimit(clock) }), { prefix: '/admin/v1' });
    let url = '';
    const underWay = new UnderWay();
    // Failures of its own: a back end with old credentials keeps no operator out.
    const rest = { engine, log, failures: createFailureLimit(clock), origin: () => url, underWay };
    await http.register(restDoor(rest), { prefix: '/v1' });
    let door: CompatDoor | undefined;
    const metrics = await openMetrics(http, config, engine, () => door?.connections ?? 0, log);
    if (metrics !== undefined) opened.push(metrics);
    const port = await listen(http, { ...config, variable: 'TALLYSTICK_PORT' });
    url = config.publicUrl ?? `${isTls ? 'https' : 'http'}://${urlHost(config.host)}:${port}`;
    door = openDoor(engine, { ...config, publicUrl: url }, clock, log);
    const sockets = openSockets({ http, engine, door, config, admission, clock, log });
    const stopWatching = isTls ? useTls(http, tls, clock, log) : () => {};
    door.start();
    isRunning = true;
    log.info({ url, store: config.store }, 'listening');
    const parts = { opened, sockets, door, underWay, engine, storage, clock, log };
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      isRunning = false;
      stopWatching();
      stopped ??= stopInOrder(parts);
      return stopped;
    };
    return { port, url, socketUrl: `${url.replace(/^http/, 'ws')}${socketPath}`, stop };
  } catch (error) {
    await engine.stop();
    for (const each of opened) await each.close();
    await storage.close();
    throw error;
  }
}

function openHttp(parts: {
  readonly config: Config;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly pair: KeyPair | undefined;
  readonly isRunning: () => boolean;
}): { readonly http: FastifyInstance; readonly admission: Admission } {
  const { config, engine, clock, log, isRunning } = parts;
  const addresses = clientAddresses(config.trustedProxies ?? []);
  const admission = new Admission({ options: config, addresses, clock, random: Math.random, tally: engine.tally, log });
  const health = { isReady: () => isRunning() && engine.takesWrites };
  const http = createHttp(health, {
    ...config,
    trusts: (address) => addresses.trusts(address),
    tls: parts.pair,
    clock,
    onConnection: (socket) => admission.opened(socket),
  });
  return { http, admission };
}

/** Whoever asked for metrics gets them; returns the listener that they have for themselves. [MET2] [MET3] */
async function openMetrics(
  http: FastifyInstance,
  { metricsHost: host, metricsPort: port, metricsToken: token }: Config,
  engine: Engine,
  connections: () => number,
  log: Log,
): Promise<FastifyInstance | undefined> {
  if (port === undefined && token === undefined) return undefined;
  const metrics = createMetrics(engine.tally, () => ({ connections: connections(), ...engine.present() }), true);
  if (token !== undefined) addMetrics(http, metrics, token);
  if (port === undefined) return undefined;
  const own = createMetricsHttp(metrics);
  const taken = await listen(own, { host, port, variable: 'TALLYSTICK_METRICS_PORT' });
  log.info({ url: `http://${urlHost(host)}:${taken}/metrics` }, 'metrics');
  return own;
}

function openDoor(engine: Engine, options: DoorOptions, clock: Clock, log: Log): CompatDoor {
  const authenticate = createAuthenticate(engine.directory, clock.now);
  return createCompatDoor({ engine, authenticate, clock, ids: systemIds, log, options });
}

function openSockets(parts: {
  readonly http: FastifyInstance;
  readonly engine: Engine;
  readonly door: CompatDoor;
  readonly config: Config;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly log: Log;
}): Sockets {
  const { http, engine, door, config, admission, clock, log } = parts;
  return attachSockets({
    server: http.server,
    options: { ...config, path: socketPath },
    admission,
    accept: (link, arrival) => door.accept(link, arrival),
    clock,
    tally: engine.tally,
    log,
  });
}

interface Parts {
  /** What listens. */
  readonly opened: readonly FastifyInstance[];
  readonly sockets: Sockets;
  readonly door: CompatDoor;
  readonly underWay: UnderWay;
  readonly engine: Engine;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
}

/** From the outside in: nothing is closed while something before it may still need it. */
async function stopInOrder({ opened, sockets, door, underWay, engine, storage, clock, log }: Parts): Promise<void> {
  log.info({ connections: door.connections }, 'draining');
  sockets.refuse();
  const answered = underWay.end();
  await door.drain();
  await atMost(closeMs, Promise.all([sockets.ended(), answered]), clock);
  sockets.drop();
  for (const each of opened) await each.close();
  await closeStorage(engine, storage, clock);
  log.info({}, 'stopped');
}

/** Storage that hangs is given up. [OPS8] */
async function closeStorage(engine: Engine, storage: Storage, clock: Clock): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const cancel = clock.after(storageMs, () =>
      reject(new Error('storage does not answer; nobody knows whether its last writes were applied')),
    );
    const closed = engine.stop().then(() => storage.close());
    closed.then(resolve, reject).finally(cancel);
  });
}

/** A connection that is dropped while bytes arrive is reset, and its client may lose the last answers with it. [CON6] */
async function atMost(ms: number, ended: Promise<unknown>, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, resolve);
    void ended.then(() => {
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

/** Nothing of the memory store outlives the process, so its key need not either. */
async function sealingOf(config: Config, storage: Storage): Promise<Sealing> {
  if (config.store === 'memory') {
    const key = { key: systemIds.secret(32), origin: 'this process' };
    return { sealer: createSealer(key.key), key };
  }
  try {
    return await openSealing(config, storage);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

interface Tls {
  readonly files: KeyFiles;
  readonly pair: KeyPair;
}

/** Undefined: without TLS. [OPS4] */
async function tlsOf({ tlsCert: cert, tlsKey: key }: Config): Promise<Tls | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  const files = { cert, key };
  const pair = await readKeyPair(files);
  if (typeof pair === 'string') throw new StartError(pair);
  return { files, pair };
}

/** From now on a changed certificate is used for new connections. Returns the end of that. [OPS5] */
function useTls(http: FastifyInstance, { files, pair }: Tls, clock: Clock, log: Log): () => void {
  warnOfEnd(pair, clock.now(), log);
  return watchKeyPair({ files, pair, clock, log, replace: (changed) => useKeyPair(http.server, changed) });
}
