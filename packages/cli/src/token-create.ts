/** `tallystick token create`: an Access Token minted here, without asking the service. */

import { identityProblem, isSid } from '@tallystick/protocol';
import { StartError } from '@tallystick/server';
import { AccessToken, SyncGrant } from '@tallystick/token';
import type { Algorithm } from '@tallystick/token';
import { quote, readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { checkedService } from './service-sid.ts';
import { signingKey } from './signing-key.ts';

const form = {
  flags: {
    identity: { value: 'ID', required: true, prose: 'Who the client is: 1 to 256 characters.' },
    service: { value: 'SID', prose: 'The service that it opens; the default one if not given.' },
    ttl: { value: 'SECONDS', prose: 'How long it lives: 1 to 86400. 3600 if not given.' },
    'endpoint-id': { value: 'TEXT', prose: 'Tells the devices of one identity apart.' },
    algorithm: { value: 'NAME', prose: 'HS256, HS384 or HS512. HS256 if not given.' },
    key: { value: 'SID', prose: 'The key to sign with; TALLYSTICK_API_SECRET or TWILIO_API_SECRET is its secret.' },
    json: { prose: 'Print identity, token and end as one JSON value.' },
  },
  options: ['dataDir'],
} as const;

export const createToken: Command = {
  name: 'create',
  usage: 'tallystick token create --identity ID [options]',
  summary: 'mint a token, without asking the service',
  help: `Prints the token and nothing else. The key is that of TALLYSTICK_ACCOUNT_SID,
TALLYSTICK_API_KEY and TALLYSTICK_API_SECRET, else of the same three that begin
with TWILIO_, else of credentials.env in the data directory.`,
  ...form,
  async run(argv, surroundings) {
    const { flags, config } = readArguments(argv, form, surroundings.env);
    const problems: string[] = [];
    const identity = checked('--identity', flags.identity, identityProblem(flags.identity), problems);
    const endpointId = flags['endpoint-id'];
    checked('--endpoint-id', endpointId, identityProblem(endpointId ?? 'none'), problems);
    const ttl = secondsOf(flags.ttl ?? '3600', problems);
    const algorithm = algorithmOf(flags.algorithm ?? 'HS256', problems);
    if (flags.key !== undefined && !isSid(flags.key, 'key')) {
      problems.push('--key is not acceptable; give SK and 32 lower-case hex digits');
    }
    if (problems.length > 0) throw new StartError(problems.join('\n'));
    const key = await signingKey(flags.key, surroundings.env, config.dataDir);
    const token = new AccessToken(key.account, key.sid, key.secret, { identity, ttl, now: surroundings.now });
    token.addGrant(new SyncGrant({ serviceSid: checkedService(flags.service), endpointId }));
    const expiresAt = new Date((Math.floor(surroundings.now() / 1000) + ttl) * 1000).toISOString();
    const jwt = token.toJwt(algorithm);
    surroundings.out(flags.json ? JSON.stringify({ identity, token: jwt, expiresAt }) : jwt);
    return 0;
  },
};

function checked<T>(flag: string, value: T, problem: string | undefined, problems: string[]): T {
  if (problem !== undefined) problems.push(problem.replace(/^identity/, flag));
  return value;
}

function secondsOf(text: string, problems: string[]): number {
  const seconds = Number(text);
  if (!/^\d{1,5}$/.test(text) || seconds < 1 || seconds > 86_400) {
    problems.push(`--ttl is ${quote(text)}; give a whole number of seconds from 1 to 86400`);
  }
  return seconds;
}

function algorithmOf(text: string, problems: string[]): Algorithm {
  if (text === 'HS256' || text === 'HS384' || text === 'HS512') return text;
  problems.push(`--algorithm is ${quote(text)}; give one of HS256, HS384, HS512`);
  return 'HS256';
}
