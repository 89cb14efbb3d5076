/**
 * The key that secrets at rest are sealed under: from the environment, else from the file `secrets.key` in the data
 * directory, made at the first start. [ACC5] [ACC6]
 */

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

export interface SecretsKey {
  readonly key: string;
  /** Where it came from, for messages. */
  readonly origin: string;
}

const leastCharacters = 32;
const wayOut =
  'put back the key they were sealed with; if it is lost for good, start once with TALLYSTICK_LOST_SECRETS=replace, ' +
  'which takes the credentials given and revokes every other key';

/** What the environment says, else the file of the data directory; undefined when there is neither. */
export function findSecretsKey(dataDir: string, given: string | undefined): SecretsKey | undefined {
  if (given !== undefined) return { key: given, origin: 'TALLYSTICK_SECRETS_KEY' };
  const path = pathOf(dataDir);
  try {
    const key = readFileSync(path, 'utf8').trim();
    if (key.length >= leastCharacters) return { key, origin: path };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new StartError(`cannot read ${path} (${codeOf(error)}); make it readable for this user`, { cause: error });
  }
  throw new StartError(`${path} holds fewer than ${leastCharacters} characters, so it is no secrets key; ${wayOut}`);
}

/** A new key in a file that its owner alone can read, whole and on the disk before anything is sealed under it. */
export function makeSecretsKey(dataDir: string): SecretsKey {
  const path = pathOf(dataDir);
  const key = randomBytes(32).toString('base64url');
  try {
    const file = openSync(`${path}.new`, 'w', 0o600);
    writeSync(file, `${key}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new StartError(`cannot write ${path} (${codeOf(error)}); set TALLYSTICK_SECRETS_KEY instead`, {
      cause: error,
    });
  }
  return { key, origin: path };
}

/** The key at hand is not the one that the stored secrets were sealed with. [ACC6] */
export function wrongSecretsKey({ origin }: SecretsKey): StartError {
  return new StartError(`the stored secrets do not open with the key of ${origin}; ${wayOut}`);
}

/** Secrets are stored, and there is no key at all. [ACC6] */
export function lostSecretsKey(dataDir: string): StartError {
  return new StartError(
    `the stored secrets are sealed, but neither TALLYSTICK_SECRETS_KEY nor ${pathOf(dataDir)} has their key; ${wayOut}`,
  );
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'secrets.key');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
