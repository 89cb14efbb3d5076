/** The API keys whose secrets are at hand: in the environment, under our names and those of backends, and in the file. */

import { isSid } from '@tallystick/protocol';
import { StartError } from '@tallystick/server';
import { credentialsPath, readCredentials } from './credentials-file.ts';
import type { Surroundings } from './surroundings.ts';

export interface KeyAtHand {
  readonly account: string;
  readonly sid: string;
  readonly secret: string;
  /** Where the secret comes from: the name of a variable, or a path. */
  readonly from: string;
}

type Env = Surroundings['env'];

/** What one set of variable names holds; an empty variable counts as not set. */
interface Variables {
  readonly prefix: string;
  readonly account: string | undefined;
  readonly sid: string | undefined;
  readonly secret: string | undefined;
}

/**
 * The key to sign with: the one asked for, else that of `TALLYSTICK_…`, of `TWILIO_…`, of the credentials file. Throws
 * StartError when it or its secret is nowhere. [CFG17]
 */
export async function signingKey(asked: string | undefined, env: Env, dataDir: string): Promise<KeyAtHand> {
  const sets = variableSets(env);
  const set =
    asked === undefined
      ? sets.find(({ sid, secret }) => sid !== undefined || secret !== undefined)
      : sets.find(({ sid, secret }) => secret !== undefined && (sid === undefined || sid === asked));
  if (set !== undefined) return await whole({ ...set, sid: asked ?? set.sid }, sets, dataDir);
  const ofFile = await keyOfFile(dataDir);
  if (ofFile !== undefined && (asked === undefined || asked === ofFile.sid)) return ofFile;
  if (asked !== undefined) throw new StartError(noSecret(asked, sets));
  throw new StartError(
    'no key to sign with: set TALLYSTICK_ACCOUNT_SID, TALLYSTICK_API_KEY and TALLYSTICK_API_SECRET, or name with ' +
      `--data-dir the directory of credentials.env (${credentialsPath(dataDir)} is not there)`,
  );
}

/** All of them, without doubles; what is there in part is passed over. */
export async function keysAtHand(env: Env, dataDir: string): Promise<readonly KeyAtHand[]> {
  const ofFile = await keyOfFile(dataDir);
  const sets = variableSets(env);
  const account = sets.find((set) => set.account !== undefined)?.account ?? ofFile?.account;
  const found: KeyAtHand[] = [];
  for (const { prefix, sid, secret, account: own = account } of sets) {
    if (sid === undefined || secret === undefined || own === undefined) continue;
    found.push({ account: own, sid, secret, from: `${prefix}_API_SECRET` });
  }
  if (ofFile !== undefined) found.push(ofFile);
  return found.filter((key, i) => found.findIndex(({ sid }) => sid === key.sid) === i);
}

function variableSets(env: Env): readonly Variables[] {
  return ['TALLYSTICK', 'TWILIO'].map((prefix) => ({
    prefix,
    account: env[`${prefix}_ACCOUNT_SID`] || undefined,
    sid: env[`${prefix}_API_KEY`] || undefined,
    secret: env[`${prefix}_API_SECRET`] || undefined,
  }));
}

async function whole(set: Variables, sets: readonly Variables[], dataDir: string): Promise<KeyAtHand> {
  const { prefix, sid, secret } = set;
  if (sid === undefined || secret === undefined) {
    const [there, missing] = sid === undefined ? ['API_SECRET', 'API_KEY'] : ['API_KEY', 'API_SECRET'];
    throw new StartError(`${prefix}_${missing} is not set, but ${prefix}_${there} is: they belong together`);
  }
  if (!isSid(sid, 'key')) {
    throw new StartError(`${prefix}_API_KEY is not acceptable; give SK and 32 lower-case hex digits`);
  }
  const named = set.account ?? sets.find(({ account }) => account !== undefined)?.account;
  const account = named ?? (await keyOfFile(dataDir))?.account;
  if (account === undefined) throw new StartError(`${prefix}_ACCOUNT_SID is not set: the token names the account too`);
  if (!isSid(account, 'account')) {
    throw new StartError(`${prefix}_ACCOUNT_SID is not acceptable; give AC and 32 lower-case hex digits`);
  }
  return { account, sid, secret, from: `${prefix}_API_SECRET` };
}

async function keyOfFile(dataDir: string): Promise<KeyAtHand | undefined> {
  const credentials = await readCredentials(dataDir);
  if (credentials === undefined) return undefined;
  const { accountSid: account, apiKey: sid, apiSecret: secret } = credentials;
  return { account, sid, secret, from: credentialsPath(dataDir) };
}

function noSecret(asked: string, sets: readonly Variables[]): string {
  const other = sets.find(({ secret }) => secret !== undefined);
  const why =
    other === undefined ? '' : ` (${other.prefix}_API_SECRET belongs to ${other.prefix}_API_KEY, another key)`;
  return `the secret of ${asked} is not at hand${why}; set TALLYSTICK_API_KEY and TALLYSTICK_API_SECRET to the two`;
}
