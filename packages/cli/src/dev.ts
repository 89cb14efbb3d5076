/**
 * `tallystick dev`: the service with credentials of its own and, beside it, the app under development. They live and die
 * together. Not for production, and refused there.
 */

import { loadConfig, StartError } from '@tallystick/server';
import type { Config, Credentials, Server } from '@tallystick/server';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, startApp, untilAnswers } from './app.ts';
import type { App } from './app.ts';
import { backendVariables, credentialsPath, makeCredentials, readCredentials } from './credentials-file.ts';
import { stop } from './serve.ts';
import { startCard } from './start-card.ts';
import type { Surroundings } from './surroundings.ts';

/** How long the start card waits for the app, in milliseconds. */
const appStartMs = 10_000;
/** How much later than to the app a signal may come to us, in milliseconds. */
const signalSpareMs = 100;

export async function dev(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env } = surroundings;
  if (env['NODE_ENV'] === 'production') {
    throw new StartError('dev is for development, and NODE_ENV is production; use tallystick serve');
  }
  const split = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const command = argv.slice(split + 1);
  const quiet = { ...env, TALLYSTICK_LOG_LEVEL: env['TALLYSTICK_LOG_LEVEL'] || 'warn' };
  const config = loadConfig({ argv: argv.slice(0, split), env: quiet });
  const appPort = await freePortOfApp(command, config, env);
  const { credentials, where } = await findCredentials(config);
  const server = await surroundings.createServer({ ...config, credentials });

  const base = { serviceUrl: server.url, socketUrl: server.socketUrl, credentials: where };
  const card = { ...base, dataDir: config.store === 'memory' ? undefined : config.dataDir };
  if (command.length === 0) {
    surroundings.out(startCard({ ...card, app: undefined }, surroundings.styled));
    await surroundings.stopRequested;
    return await stop(server, config, surroundings);
  }
  const app = await startBeside(server, command, {
    ...env,
    ...backendVariables(credentials),
    TALLYSTICK_SOCKET_URL: server.socketUrl,
    PORT: String(appPort),
  });
  const printCard = (answers: boolean) => {
    const url = `http://localhost:${appPort}`;
    surroundings.out(startCard({ ...card, app: { url, answers } }, surroundings.styled));
  };
  const code = await runBeside(app, appPort, printCard, surroundings);
  return Math.max(code, await stop(server, config, surroundings));
}

/** The port the app is to listen on; 3000 unless PORT says otherwise. Refused when something else answers there. */
async function freePortOfApp(command: readonly string[], config: Config, env: Surroundings['env']): Promise<number> {
  const text = env['PORT'] || '3000';
  const port = Number(text);
  if (command.length === 0) return port;
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new StartError(`PORT, where the app is to listen, is ${JSON.stringify(text)}; give a number from 1 to 65535`);
  }
  if (port === config.port || (await answers(port))) {
    throw new StartError(`port ${port}, where the app is to listen, is taken; set PORT to a free one`);
  }
  return port;
}

/** Those of the environment, else those of the data directory, made if need be. */
async function findCredentials(config: Config): Promise<{ credentials: Credentials; where: string }> {
  if (config.credentials !== undefined) return { credentials: config.credentials, where: 'from the environment' };
  const path = credentialsPath(config.dataDir);
  const existing = await readCredentials(config.dataDir);
  if (existing !== undefined) return { credentials: existing, where: path };
  const { credentials, made } = await makeCredentials(config.dataDir);
  return { credentials, where: made ? `${path} (made just now)` : path };
}

async function startBeside(server: Server, command: readonly string[], env: Surroundings['env']): Promise<App> {
  try {
    return await startApp(command, env);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Prints the card once the app answers, and resolves when the app has ended: by itself, or asked to. */
async function runBeside(
  app: App,
  port: number,
  printCard: (answers: boolean) => void,
  surroundings: Surroundings,
): Promise<number> {
  const over = new AbortController();
  const started = untilAnswers(port, appStartMs, over.signal).then((answered) => {
    if (!over.signal.aborted) printCard(answered);
  });
  const end = await Promise.race([surroundings.stopRequested, app.ended]);
  over.abort();
  await started;
  // Ctrl+C reaches the app too, and its end may be seen before our own signal.
  if (end === undefined || (await isSettled(surroundings.stopRequested))) {
    await app.stop();
    return 0;
  }
  surroundings.err(`tallystick: the app ${end.how}; stopping the service`);
  return end.code;
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return await Promise.race([promise.then(() => true), sleep(signalSpareMs, false)]);
}
