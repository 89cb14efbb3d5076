/** `tallystick token explain`: would the service take this token, and if not, which rule refuses it? */

import { StartError } from '@tallystick/server';
import { readArguments } from './arguments.ts';
import type { Given } from './arguments.ts';
import type { Command } from './command.ts';
import { readCredentials } from './credentials-file.ts';
import { explain } from './explanation.ts';
import type { Explanation, Known, ServiceView } from './explanation.ts';
import { OperatorApi } from './operator-api.ts';
import { columns } from './plain-text.ts';
import { accessFlags, accessOptions } from './service-access.ts';
import { keysAtHand } from './signing-key.ts';
import type { Surroundings } from './surroundings.ts';
import { readToken } from './token-input.ts';

const form = {
  flags: { offline: { prose: 'Do not ask the service for its keys and services.' }, ...accessFlags },
  word: { name: 'FILE' },
  options: accessOptions,
} as const;

type ExplainFlags = Given<(typeof form)['flags']>;

const exitCodes = { accepted: 0, refused: 1, undecided: 2 } as const;

export const explainToken: Command = {
  name: 'explain',
  usage: 'tallystick token explain [FILE | -] [--offline] [--json]',
  summary: 'say whether a token is accepted, or which rule refuses it',
  help: `Reads a token, or the JSON answer of a token endpoint, from the file or from
standard input, and verifies it rule by rule with the key of the environment or
of credentials.env. If the service answers, its list of keys counts too.
Exit code 0: accepted. 1: refused. 2: no rule refuses, but one could not be
judged, such as the signature of a key whose secret is not at hand.`,
  ...form,
  async run(argv, surroundings) {
    const given = readArguments(argv, form, surroundings.env);
    const { known, judgedBy } = await whatIsKnown(given, surroundings);
    const token = await readToken(given.word, surroundings);
    const explanation = explain(token, known, surroundings.now());
    surroundings.out(given.flags.json ? asJson(explanation, judgedBy) : asText(explanation, judgedBy));
    return exitCodes[explanation.verdict];
  },
};

async function whatIsKnown(
  given: ExplainFlags,
  surroundings: Surroundings,
): Promise<{ known: Known; judgedBy: string }> {
  const { env } = surroundings;
  const { dataDir } = given.config;
  const secrets = await keysAtHand(env, dataDir);
  const asked = given.flags.offline ? { silence: 'the service was not asked' } : await ask(given, surroundings);
  if ('view' in asked) {
    return {
      known: { service: asked.view, secrets, defaultService: undefined },
      judgedBy: `the keys and services of ${asked.url}`,
    };
  }
  if (secrets.length === 0) throw new StartError(`no key is at hand to judge by, and ${asked.silence}`);
  const named = env['TALLYSTICK_SERVICE_SID'] || env['TWILIO_SYNC_SERVICE_SID'];
  const defaultService = named?.startsWith('IS') ? named : (await readCredentials(dataDir))?.serviceSid;
  return {
    known: { service: undefined, secrets, defaultService },
    judgedBy: `the credentials at hand alone; ${asked.silence}`,
  };
}

/** A service that was named must answer; that of the environment need not be there. */
async function ask(
  given: ExplainFlags,
  surroundings: Surroundings,
): Promise<{ view: ServiceView; url: string } | { silence: string }> {
  try {
    const api = await OperatorApi.find(given, surroundings);
    // One after the other: wrong credentials are to count once.
    const keys = await api.keys();
    const services = await api.services();
    return { view: { account: api.accountSid, keys, services }, url: api.url };
  } catch (error) {
    if (!(error instanceof StartError) || given.flags.url !== undefined) throw error;
    return { silence: error.message };
  }
}

function asText({ verdict, rules, refusal, advice }: Explanation, judgedBy: string): string {
  const rows = rules.map(({ rule, name, outcome, detail }) => [`  ${rule}`, name, outcome, detail]);
  const heading = {
    accepted: 'Accepted.',
    refused: `Refused with ${refusal?.code} by rule ${refusal?.rule}: ${refusal?.why}.`,
    undecided: 'Not decided: no rule refuses it, but not every one could be judged.',
  };
  return [
    heading[verdict],
    '',
    columns(rows),
    '',
    ...(advice === undefined ? [] : [`What to do: ${advice}`]),
    `Judged by ${judgedBy}.`,
  ].join('\n');
}

function asJson({ verdict, rules, refusal, advice }: Explanation, judgedBy: string): string {
  return JSON.stringify({ verdict, ...refusal, advice, rules, judgedBy });
}
