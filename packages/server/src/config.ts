/**
 * From command line and environment to one validated, typed `Config`, or a refusal that names every problem at once.
 * Pure: what it reads is passed in, and nothing is opened. The options themselves are declared in `options.ts`.
 */

import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { isSid, sidPrefixes } from '@tallystick/protocol';
import { nearest } from './nearest.ts';
import { dashed, flagOf, optionNames, optionTable, variableOf } from './options.ts';
import type { Option, OptionName, OptionRows, SecretOption } from './options.ts';
import { StartError } from './start-error.ts';

type CredentialName = { [N in OptionName]: OptionRows[N] extends { credential: true } ? N : never }[OptionName];
type ListOption = { readonly type: 'networks' | 'origins' };
type ValueOf<O> = O extends { choices: readonly (infer C)[] }
  ? C
  : O extends { type: 'number' }
    ? number
    : O extends ListOption
      ? readonly string[]
      : string;
type Settings = {
  readonly [N in Exclude<OptionName, CredentialName>]: OptionRows[N] extends { default: unknown }
    ? ValueOf<OptionRows[N]>
    : ValueOf<OptionRows[N]> | undefined;
};

/** `accountSid`, `authToken`, `apiKey`, `apiSecret`, `serviceSid`: complete or absent, never a part of them. [CFG6] */
export type Credentials = { readonly [N in CredentialName]: string };

/**
 * All settings, flat. Bounds for which 0 means "no limit" are Infinity then. `publicUrl` is an origin such as
 * `https://sync.example.org`, or undefined: the server makes it of the host and the port it got.
 */
export interface Config extends Settings {
  readonly credentials: Credentials | undefined;
}

/** What the process was given. */
export interface ConfigSource {
  /** Flags only: no program name, no command, nothing after `--`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The options that this command takes as flags; all by default. The environment is always read whole. */
  readonly flags?: readonly OptionName[];
}

/** What Kubernetes puts into the environment of every pod beside a Service named "tallystick". */
const kubernetesLink = /^TALLYSTICK_(SERVICE_(HOST|PORT)|PORT_\d+_)/;
const kubernetesFix = ' but comes from a Kubernetes Service named tallystick; set enableServiceLinks: false on the pod';

/** A value as text, and what to call it in a message. */
interface Given {
  readonly label: string;
  readonly text: string;
}
type AllGiven = Partial<Record<OptionName, Given>>;
type Value = string | number | readonly string[];
type Values = Partial<Record<OptionName, Value>>;

const credentialNames = optionNames.filter((name): name is CredentialName => optionTable[name].credential === true);

/** What @fastify/proxy-addr knows by name. */
const namedNetworks: readonly string[] = ['loopback', 'linklocal', 'uniquelocal'];

/** Set by `tallystick dev` for applications, and no option of the service. */
const variablesOfApplications: readonly string[] = ['TALLYSTICK_SOCKET_URL'];

/**
 * Reads and validates everything: flag before environment before default; an empty variable counts as not given.
 * Throws StartError with one line a problem. [CFG1] [CFG2] [CFG3] [CFG4]
 */
export function loadConfig(source: ConfigSource): Config {
  const problems: string[] = [];
  const given = { ...readVariables(source.env, problems), ...readFlags(source, problems) };
  const values = valuesOf(given, problems);
  const missing = missingCredentials(given);
  if (missing !== undefined) problems.push(missing);
  const halfTls = missingHalfOfTls(given);
  if (halfTls !== undefined) problems.push(halfTls);
  if (problems.length > 0) throw new StartError(problems.join('\n'));

  const settings: Record<string, Value | undefined> = {};
  for (const name of optionNames) {
    const option = optionTable[name];
    if (!option.credential) settings[name] = values[name] ?? ('default' in option ? option.default : undefined);
  }
  // `valuesOf` held each value to the type of its row.
  return { ...(settings as unknown as Settings), credentials: complete(values) };
}

/**
 * The five credentials of an environment-like record (a process's, or that of a credentials file): exactly those if all
 * are given, undefined if none is. Throws StartError for a part of them or a bad form. [CFG6]
 */
export function credentialsOf(env: Readonly<Record<string, string | undefined>>): Credentials | undefined {
  const only = Object.fromEntries(credentialNames.map((name) => [variableOf(name), env[variableOf(name)]]));
  return loadConfig({ argv: [], env: only }).credentials;
}

function readVariables(env: ConfigSource['env'], problems: string[]): AllGiven {
  const given: AllGiven = {};
  const known = new Map(optionNames.map((name) => [variableOf(name), name]));
  for (const [variable, text] of Object.entries(env)) {
    const name = known.get(variable);
    if (name !== undefined && text !== undefined && text !== '') given[name] = { label: variable, text };
    if (name !== undefined || !variable.startsWith('TALLYSTICK_') || variablesOfApplications.includes(variable))
      continue;
    const fix = kubernetesLink.test(variable) ? kubernetesFix : suggestion(variable, [...known.keys()]);
    problems.push(`${variable} is no option${fix}`);
  }
  return given;
}

function readFlags(source: ConfigSource, problems: string[]): AllGiven {
  const given: AllGiven = {};
  const accepted = source.flags ?? optionNames;
  const known = new Map(accepted.map((name) => [dashed(name), name]));
  const parsed = parseArgs({
    args: [...source.argv],
    options: Object.fromEntries([...known.keys()].map((key) => [key, { type: 'string' }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  // What follows an unknown flag is taken for its value and not quoted, since it may be a secret; and the letters of
  // one word such as -port are one problem.
  let unknownAt = -2;
  for (const token of parsed.tokens) {
    if (token.kind === 'positional' && token.index !== unknownAt + 1) {
      problems.push(`${quote(token.value)} is not expected here; options begin with --`);
    }
    if (token.kind !== 'option' || token.index === unknownAt) continue;
    const name = known.get(token.name);
    if (name === undefined || flagOf(name) !== token.rawName) {
      problems.push(name === undefined ? unknownFlag(token.rawName, accepted) : secretFlag(token.rawName, name));
      unknownAt = token.index;
    } else if (!token.value || (!token.inlineValue && token.value.startsWith('--'))) {
      problems.push(`${token.rawName} needs a value`);
    } else given[name] = { label: token.rawName, text: token.value };
  }
  return given;
}

function unknownFlag(flag: string, accepted: readonly OptionName[]): string {
  return `${flag} is no option${suggestion(
    flag,
    accepted.map(flagOf).filter((known) => known !== undefined),
  )}`;
}

function secretFlag(flag: string, name: OptionName): string {
  return `${flag} is not taken as a flag, since others can read command lines; set ${variableOf(name)} instead`;
}

function suggestion(word: string, known: readonly string[]): string {
  const close = nearest(word, known);
  return close === undefined ? '; --help lists them all' : `; did you mean ${close}?`;
}

function valuesOf(given: AllGiven, problems: string[]): Values {
  const values: Values = {};
  for (const name of optionNames) {
    const one = given[name];
    if (one === undefined) continue;
    const option = optionTable[name];
    const value = parse(option, one.text);
    if (value !== undefined) values[name] = value;
    else if (option.credential || option.type === 'secret')
      problems.push(`${one.label} is not acceptable; give ${expected(option)}`);
    else problems.push(`${one.label} is ${quote(one.text)}; give ${expected(option)}`);
  }
  return values;
}

/** The value of a text, or undefined when it is not acceptable. */
function parse(option: Option, text: string): Value | undefined {
  switch (option.type) {
    case 'number':
      return parseNumber(option, text);
    case 'choice':
      return option.choices.includes(text) ? text : undefined;
    case 'address':
      return /^[\w.:-]+$/.test(text) ? text : undefined;
    case 'origin':
      return parseOrigin(text);
    case 'origins':
      return parseList(text, parseOrigin);
    case 'networks':
      return parseList(text, parseNetwork);
    case 'file':
    case 'path':
      return text.trim() === '' || text.includes('\0') ? undefined : text;
    case 'sid':
      return isSid(text, option.kind) ? text : undefined;
  }
  return parseSecret(option, text);
}

function parseSecret({ least }: SecretOption, text: string): string | undefined {
  return /^[\x21-\x7e]{1,256}$/.test(text) && text.length >= least ? text : undefined;
}

function parseNumber(option: Option & { type: 'number' }, text: string): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  if (value === 0 && option.unlimited) return Infinity;
  return value >= option.min && value <= option.max ? value : undefined;
}

function parseOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname.includes('*')) return undefined;
  return url.href === `${url.origin}/` && !/[?#]/.test(text) ? url.origin : undefined;
}

/** Every part of it, or undefined when one is not acceptable. */
function parseList(text: string, parsePart: (part: string) => string | undefined): readonly string[] | undefined {
  const parts = text.split(',').map((part) => parsePart(part.trim()));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/** An address, alone or with the length of its prefix. Not the whole internet, which nobody means to trust. */
function parseNetwork(text: string): string | undefined {
  if (namedNetworks.includes(text)) return text;
  const [address = '', length, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined;
  if (length === undefined) return text;
  const isLength = /^[1-9]\d{0,2}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
  return isLength ? text : undefined;
}

/** What would be acceptable; ends the sentence "give …". */
function expected(option: Option): string {
  switch (option.type) {
    case 'number':
      return `a whole number from ${option.min} to ${option.max}${option.unlimited ? ', or 0 for no limit' : ''}`;
    case 'choice':
      return `one of ${option.choices.join(', ')}`;
    case 'address':
      return 'an address or host name such as 127.0.0.1 or ::1, without scheme, port or brackets';
    case 'origin':
      return 'an http or https address without a path, such as https://sync.example.org';
    case 'origins':
      return 'http or https addresses without a path and with commas between, such as https://app.example.org';
    case 'networks':
      return `addresses, networks such as 10.0.0.0/8, or ${namedNetworks.join(', ')}, with commas between`;
    case 'file':
      return 'the path of a file';
    case 'path':
      return 'the path of a directory';
    case 'sid':
      return `${sidPrefixes[option.kind]} and 32 lower-case hex digits`;
  }
  return `${option.least} to 256 printable ASCII characters without blanks`;
}

function missingCredentials(given: AllGiven): string | undefined {
  const missing = credentialNames.filter((name) => given[name] === undefined);
  if (missing.length === 0 || missing.length === credentialNames.length) return undefined;
  return `${missing.map(variableOf).join(', ')} not set: the five credentials are taken all together or not at all`;
}

function missingHalfOfTls(given: AllGiven): string | undefined {
  const missing = (['tlsCert', 'tlsKey'] as const).filter((name) => given[name] === undefined);
  if (missing.length !== 1) return undefined;
  return `${missing.map(variableOf).join()} not set: certificate and key are taken together or not at all`;
}

function complete(values: Values): Credentials | undefined {
  const given: Record<string, Value | undefined> = {};
  for (const name of credentialNames) given[name] = values[name];
  return isComplete(given) ? given : undefined;
}

function isComplete(given: Readonly<Record<string, Value | undefined>>): given is Credentials {
  return credentialNames.every((name) => typeof given[name] === 'string');
}

/** A value in a message: one line, short, with quotation marks around it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
