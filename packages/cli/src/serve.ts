/** `tallystick serve`: the service in production, from start to an orderly stop. */

import { loadConfig, StartError } from '@tallystick/server';
import type { Config, Credentials, Server } from '@tallystick/server';
import { credentialsPath, readCredentials } from './credentials-file.ts';
import type { Surroundings } from './surroundings.ts';

/** What a stop may take beyond the draining, in milliseconds, before the process gives up on it. */
const stopSpareMs = 5000;

export async function serve(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const config = loadConfig({ argv, env: surroundings.env });
  const credentials = config.credentials ?? (await credentialsOfFile(config));
  const server = await surroundings.createServer({ ...config, credentials });
  surroundings.out(`Tallystick serves ${server.url} (socket ${server.socketUrl})`);
  await surroundings.stopRequested;
  return await stop(server, config, surroundings);
}

async function credentialsOfFile(config: Config): Promise<Credentials> {
  const credentials = await readCredentials(config.dataDir);
  if (credentials !== undefined) return credentials;
  const path = credentialsPath(config.dataDir);
  throw new StartError(
    `no credentials: neither the environment nor ${path} holds them; make them once with: tallystick init`,
  );
}

/** Stops the service; 0 when it ended in time, 1 when it had to be given up. [CFG10] [OPS8] */
export async function stop(server: Server, config: Config, surroundings: Surroundings): Promise<number> {
  const deadline = Promise.withResolvers<number>();
  const timer = setTimeout(() => {
    surroundings.err(`tallystick: the service did not stop within ${config.drainMs + stopSpareMs} ms; exiting anyway`);
    deadline.resolve(1);
  }, config.drainMs + stopSpareMs);
  try {
    return await Promise.race([server.stop().then(() => 0), deadline.promise]);
  } catch (error) {
    surroundings.err(`tallystick: ${error instanceof Error ? error.message : String(error)}`);
    surroundings.abandon();
    return 1;
  } finally {
    clearTimeout(timer);
  }
}
