/**
 * The file `credentials.env` in the data directory: the five credentials of a service as KEY=value lines, made once and
 * never changed. Only its owner can read it. [CFG8]
 */

import { credentialsOf, makeDirectory, StartError } from '@tallystick/server';
import type { Credentials } from '@tallystick/server';
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Surroundings } from './surroundings.ts';

/** `credentials.env` of a data directory, written the way the directory is. */
export function credentialsPath(dataDir: string): string {
  return dataDir.startsWith('./') ? `./${join(dataDir, 'credentials.env')}` : join(dataDir, 'credentials.env');
}

/** The credentials of a data directory, or undefined when it has no such file. Throws StartError for a bad file. */
export async function readCredentials(dataDir: string): Promise<Credentials | undefined> {
  const path = credentialsPath(dataDir);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new StartError(`cannot read ${path} (${error.code}); make it readable for this user`, { cause: error });
  });
  if (text === undefined) return undefined;
  const credentials = checked(path, text);
  if (credentials === undefined)
    throw new StartError(`${path} holds no credentials; remove it and run tallystick init`);
  return credentials;
}

function checked(path: string, text: string): Credentials | undefined {
  try {
    return credentialsOf(parseEnv(text));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(error.message.replace(/^/gm, `${path}: `), { cause: error });
  }
}

/**
 * Makes new credentials and their file. Whole or not at all: of two processes that do so at once, one wins and the other
 * gets the winner's. Throws StartError when the directory cannot be made or written.
 */
export async function makeCredentials(dataDir: string): Promise<{ credentials: Credentials; made: boolean }> {
  const credentials = randomCredentials();
  try {
    makeDirectory(dataDir);
    await writeOnce(credentialsPath(dataDir), textOf(credentials));
    return { credentials, made: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const existing = code === 'EEXIST' ? await readCredentials(dataDir).catch(() => undefined) : undefined;
    if (existing !== undefined) return { credentials: existing, made: false };
    const fix = 'make it writable for this user, or choose another with TALLYSTICK_DATA_DIR';
    throw new StartError(`cannot use ${dataDir} as data directory (${code}); ${fix}`, { cause: error });
  }
}

/** Rejects with EEXIST, and changes nothing, when there is such a file. */
async function writeOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    // Unlike a rename, a link never takes the place of an existing file.
    await link(draft, path);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function randomCredentials(): Credentials {
  const hex = () => randomBytes(16).toString('hex');
  return {
    accountSid: `AC${hex()}`,
    authToken: hex(),
    apiKey: `SK${hex()}`,
    apiSecret: randomBytes(32).toString('base64url'),
    serviceSid: `IS${hex()}`,
  };
}

const ownVariables = [
  'TALLYSTICK_ACCOUNT_SID',
  'TALLYSTICK_AUTH_TOKEN',
  'TALLYSTICK_API_KEY',
  'TALLYSTICK_API_SECRET',
  'TALLYSTICK_SERVICE_SID',
];

/** An environment for commands that need a part of the credentials only, which `loadConfig` would refuse. */
export function withoutCredentials(env: Surroundings['env']): Surroundings['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ownVariables.includes(name)));
}

/** The variables under which a backend that uses the official library looks for its credentials. */
export function backendVariables(credentials: Credentials): Record<string, string> {
  return {
    TWILIO_ACCOUNT_SID: credentials.accountSid,
    TWILIO_API_KEY: credentials.apiKey,
    TWILIO_API_SECRET: credentials.apiSecret,
    TWILIO_SYNC_SERVICE_SID: credentials.serviceSid,
  };
}

function textOf(credentials: Credentials): string {
  const own = {
    TALLYSTICK_ACCOUNT_SID: credentials.accountSid,
    TALLYSTICK_AUTH_TOKEN: credentials.authToken,
    TALLYSTICK_API_KEY: credentials.apiKey,
    TALLYSTICK_API_SECRET: credentials.apiSecret,
    TALLYSTICK_SERVICE_SID: credentials.serviceSid,
  };
  const lines = (variables: object) => Object.entries(variables).map(([key, value]) => `${key}=${value}`);
  return [
    '# Credentials of a Tallystick service. Whoever reads this file can act as any of its users: keep it private.',
    ...lines(own),
    '',
    '# The same for a backend, under the names that the official library uses: node --env-file=credentials.env app.js',
    ...lines(backendVariables(credentials)),
    '',
  ].join('\n');
}
