/** `tallystick init`: the credentials of a new service, made once. Prints where they are, never what they are. */

import { loadConfig } from '@tallystick/server';
import { credentialsPath, makeCredentials } from './credentials-file.ts';
import type { Surroundings } from './surroundings.ts';

export async function init(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, out } = surroundings;
  const config = loadConfig({ argv, env, flags: ['dataDir'] });
  if (config.credentials !== undefined) {
    out('The environment holds credentials already, and serve uses those. Nothing was made.');
    return 0;
  }
  const path = credentialsPath(config.dataDir);
  const { made } = await makeCredentials(config.dataDir);
  if (!made) {
    out(`There are credentials already: ${path}. Nothing was changed.`);
    return 0;
  }
  out(`Credentials made: ${path} (only you can read it; keep it private).`);
  // The flags can only name the data directory, and serve must find it too.
  out(`Next: ${['tallystick serve', ...argv].join(' ')}`);
  out(`A backend gets them with: node --env-file=${path} app.js`);
  return 0;
}
