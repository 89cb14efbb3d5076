/** `tallystick keys`: the API keys that sign Access Tokens. A secret is shown when its key is made, and never again. */

import { isSid } from '@tallystick/protocol';
import { StartError } from '@tallystick/server';
import { readArguments } from './arguments.ts';
import type { Command, Noun } from './command.ts';
import { minuteOf } from './human-time.ts';
import { OperatorApi } from './operator-api.ts';
import type { ApiKey, NewApiKey } from './operator-api.ts';
import { columns, plain } from './plain-text.ts';
import { accessFlags, accessOptions } from './service-access.ts';
import { keysAtHand } from './signing-key.ts';
import type { Surroundings } from './surroundings.ts';

const createForm = {
  flags: {
    name: { value: 'TEXT', prose: 'What you will know it by, such as the backend that uses it.' },
    env: { prose: 'Print KEY=VALUE lines for an environment file, nothing else.' },
    ...accessFlags,
  },
  options: accessOptions,
} as const;

const create: Command = {
  name: 'create',
  usage: 'tallystick keys create [--name TEXT] [--env | --json]',
  summary: 'make another key; its secret is shown this once',
  help: `Prints the key and its secret. The service keeps the secret sealed and never
tells it again. Keep it out of shared files:

  (umask 077; tallystick keys create --name backend --env > backend.env)

To rotate: make a key, restart the backend with it, wait until the last token of
the old key has run out, then revoke the old key. Nobody is cut off.`,
  ...createForm,
  async run(argv, surroundings) {
    const given = readArguments(argv, createForm, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const { name, env, json } = given.flags;
    if (env && json) throw new StartError('--env and --json are two ways of printing; give one');
    const key = await api.createKey(name);
    if (json) surroundings.out(JSON.stringify(key));
    else if (env) {
      surroundings.out(backendLines(key));
      surroundings.err(`tallystick: made ${key.sid}; keep the file private: chmod 600`);
    } else surroundings.out(told(key));
    return 0;
  },
};

function backendLines({ sid, secret }: NewApiKey): string {
  return `TWILIO_API_KEY=${sid}\nTWILIO_API_SECRET=${secret}`;
}

function told(key: NewApiKey): string {
  return `Key made${key.name === null ? '' : ` (${plain(key.name)})`}. Its secret is shown this once; for the environment of your backend:

  ${backendLines(key).replace('\n', '\n  ')}

It signs at once, beside the other keys. To let it take the place of an old one:
  1. Restart the backend with it.
  2. Wait as long as the backend's tokens live: an hour unless it says otherwise, a day at most.
  3. tallystick keys revoke <the old key>   (tallystick keys list shows it)`;
}

const listForm = { flags: accessFlags, options: accessOptions } as const;

const list: Command = {
  name: 'list',
  usage: 'tallystick keys list [--json]',
  summary: 'show all keys, newest first, without their secrets',
  help: 'Shows all keys, newest first: those in force, and those that were revoked.',
  ...listForm,
  async run(argv, surroundings) {
    const given = readArguments(argv, listForm, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const keys = await api.keys();
    if (given.flags.json) surroundings.out(JSON.stringify(keys));
    else if (keys.length === 0) surroundings.out('There are no keys. Make one: tallystick keys create');
    else surroundings.out(columns([['KEY', 'CREATED', 'STATE', 'NAME'], ...keys.map(row)]));
    return 0;
  },
};

function row(key: ApiKey): string[] {
  const state = key.revokedAt === null ? 'in force' : `revoked ${minuteOf(key.revokedAt)}`;
  return [plain(key.sid), minuteOf(key.createdAt), state, plain(key.name ?? '', 60)];
}

const revokeForm = {
  flags: {
    yes: { prose: 'Do not ask. Needed where there is no terminal to ask on.' },
    last: { prose: 'Also if no other key is in force: nobody gets in from then on.' },
    ...accessFlags,
  },
  word: { name: 'SID', required: true },
  options: accessOptions,
} as const;

const revoke: Command = {
  name: 'revoke',
  usage: 'tallystick keys revoke SID [--yes] [--last] [--json]',
  summary: 'end a key, its tokens and its connections, for good',
  help: `No token of the key is taken from then on, and the connections that came in with
one end within a minute. It cannot be undone. The last key in force is only
revoked with --last.`,
  ...revokeForm,
  async run(argv, surroundings) {
    const given = readArguments(argv, revokeForm, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const { yes, last, json } = given.flags;
    const sid = given.word ?? '';
    // Not quoted: it may be a secret, given in the wrong place.
    if (!isSid(sid, 'key')) throw new StartError('SID is not acceptable; give SK and 32 lower-case hex digits');
    const key = revocable(sid, await api.keys(), last);
    const holders = await placesOf(sid, given.config.dataDir, surroundings);
    if (!yes && !(await agreed(key, holders, surroundings))) {
      surroundings.err('tallystick: nothing was revoked');
      return 1;
    }
    await api.revokeKey(sid);
    if (json) surroundings.out(JSON.stringify({ revoked: sid }));
    else {
      surroundings.out(`Revoked ${sid}. Its tokens are refused, and its connections end within a minute.`);
      for (const from of holders) surroundings.out(`${from} still holds it: put a key in force there.`);
    }
    return 0;
  },
};

/** Where on this machine the key is taken from, as far as can be seen. */
async function placesOf(sid: string, dataDir: string, { env }: Surroundings): Promise<readonly string[]> {
  try {
    return (await keysAtHand(env, dataDir)).filter((key) => key.sid === sid).map(({ from }) => from);
  } catch (error) {
    // A damaged file must not keep a stolen key in force.
    if (error instanceof StartError) return [];
    throw error;
  }
}

function revocable(sid: string, keys: readonly ApiKey[], last: boolean): ApiKey {
  const key = keys.find((candidate) => candidate.sid === sid);
  if (key === undefined) throw new StartError(`${sid} is no key of this service; see tallystick keys list`);
  if (key.revokedAt !== null) throw new StartError(`${sid} was revoked already: ${minuteOf(key.revokedAt)} UTC`);
  const isLast = keys.every((other) => other.sid === sid || other.revokedAt !== null);
  if (!isLast || last) return key;
  throw new StartError(
    `${sid} is the last key in force: without it nobody gets in; make another first with tallystick keys create, or give --last`,
  );
}

async function agreed(key: ApiKey, holders: readonly string[], { confirm }: Surroundings): Promise<boolean> {
  if (confirm === undefined) {
    throw new StartError('revoking cannot be undone, and there is no terminal to ask on; give --yes');
  }
  const name = key.name === null ? '' : ` (${plain(key.name, 60)})`;
  const from = holders.length === 0 ? '' : `, the one of ${holders.join(' and ')}`;
  return await confirm(`Revoke ${key.sid}${name}${from}, and end its tokens and connections for good?`);
}

export const keys: Noun = {
  name: 'keys',
  summary: 'create, list and revoke the API keys that sign tokens',
  help: `The API keys of the running service: backends sign Access Tokens with them.
Several may be in force at once, so that one can take another's place without
anybody being cut off.`,
  verbs: [create, list, revoke],
};
