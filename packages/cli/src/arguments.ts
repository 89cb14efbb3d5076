/**
 * A command line of our own to typed values, or a refusal that names every problem at once. Options of the service are
 * left to its `loadConfig`. No value of an unknown flag is quoted: it may be a secret. [CFG12] [CFG13]
 */

import { loadConfig, nearest, StartError } from '@tallystick/server';
import type { Config, OptionName } from '@tallystick/server';
import { parseArgs } from 'node:util';
import { withoutCredentials } from './credentials-file.ts';
import type { Surroundings } from './surroundings.ts';

export interface Flag {
  /** What stands for its value in the help, such as `SID`. Left out: a switch, which takes no value. */
  readonly value?: string;
  readonly required?: true;
  /** What it does, with unit and default; shown in the help. */
  readonly prose: string;
}

/** By their names without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** The one thing that a command is about, given without a flag. */
export interface Word {
  /** As it stands in the usage, such as `SID`. */
  readonly name: string;
  readonly required?: true;
}

export interface Form<F extends Flags> {
  readonly flags: F;
  readonly word?: Word;
  readonly options?: readonly OptionName[];
}

export interface Given<F extends Flags> {
  /** A flag that must be there is text; a switch is true or false. */
  readonly flags: {
    readonly [N in keyof F]: F[N] extends { value: string }
      ? F[N] extends { required: true }
        ? string
        : string | undefined
      : boolean;
  };
  /** Undefined when there is none; never so when it is required. */
  readonly word: string | undefined;
  /** Of the environment, without its credentials, and of the flags that are options of the service. */
  readonly config: Config;
}

/** Where a secret belongs that somebody wants to give as a flag. */
const secretFlags: Readonly<Record<string, string>> = {
  '--token': 'give it in a file or on standard input',
  '--secret': 'set TALLYSTICK_API_SECRET instead',
  '--api-secret': 'set TALLYSTICK_API_SECRET instead',
  '--auth-token': 'set TALLYSTICK_AUTH_TOKEN instead',
};

/** Throws StartError with one line a problem. */
export function readArguments<F extends Flags>(
  argv: readonly string[],
  form: Form<F>,
  env: Surroundings['env'],
): Given<F> {
  const problems: string[] = [];
  const found = scan(argv, form, problems);
  for (const [name, flag] of Object.entries(form.flags)) {
    if (flag.required && found.flags[name] === undefined) problems.push(`--${name} ${flag.value} is missing`);
  }
  if (form.word?.required && found.word === undefined) problems.push(`${form.word.name} is missing; see --help`);
  const config = configOf(found.options, form.options ?? [], env, problems);
  if (config === undefined || problems.length > 0) throw new StartError(problems.join('\n'));
  // `scan` gave each flag what its row says.
  return { flags: found.flags as Given<F>['flags'], word: found.word, config };
}

interface Found {
  readonly flags: Record<string, string | boolean | undefined>;
  word: string | undefined;
  /** Flags for `loadConfig`. */
  readonly options: string[];
}

function scan(argv: readonly string[], form: Form<Flags>, problems: string[]): Found {
  const options = (form.options ?? []).map(dashed);
  const own = Object.entries(form.flags);
  const found: Found = {
    flags: Object.fromEntries(own.map(([name, { value }]) => [name, value === undefined ? false : undefined])),
    word: undefined,
    options: [],
  };
  // What follows an unknown flag is taken for its value, and the letters of one word such as -url are one problem.
  let unknownAt = -2;
  for (const token of tokensOf(argv, form.flags, options)) {
    if (token.kind === 'positional' && token.index !== unknownAt + 1) takeWord(token.value, form.word, found, problems);
    if (token.kind !== 'option' || token.index === unknownAt) continue;
    const { name, rawName } = token;
    const flag = Object.hasOwn(form.flags, name) ? form.flags[name] : undefined;
    if (rawName !== `--${name}` || (flag === undefined && !options.includes(name))) {
      problems.push(unknownFlag(rawName, [...Object.keys(form.flags), ...options]));
      unknownAt = token.index;
    } else if (flag !== undefined && flag.value === undefined) {
      if (token.value === undefined) found.flags[name] = true;
      else problems.push(`${rawName} takes no value`);
    } else if (!token.value || (!token.inlineValue && token.value.startsWith('--'))) {
      problems.push(`${rawName} needs a value`);
    } else if (flag === undefined) found.options.push(`${rawName}=${token.value}`);
    else found.flags[name] = token.value;
  }
  return found;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

function tokensOf(argv: readonly string[], flags: Flags, options: readonly string[]): readonly Token[] {
  const types = [
    ...Object.entries(flags).map(([name, { value }]) => [name, value === undefined ? 'boolean' : 'string'] as const),
    ...options.map((name) => [name, 'string'] as const),
  ];
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(types.map(([name, type]) => [name, { type }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return tokens;
}

function takeWord(text: string, word: Word | undefined, found: Found, problems: string[]): void {
  if (word !== undefined && found.word === undefined) found.word = text;
  else problems.push(`${quote(text)} is not expected here; see --help`);
}

function unknownFlag(flag: string, known: readonly string[]): string {
  const elsewhere = Object.hasOwn(secretFlags, flag) ? secretFlags[flag] : undefined;
  if (elsewhere !== undefined)
    return `${flag} is not taken as a flag, since others can read command lines; ${elsewhere}`;
  const close = nearest(
    flag,
    known.map((name) => `--${name}`),
  );
  return `${flag} is no option${close === undefined ? '; --help lists them all' : `; did you mean ${close}?`}`;
}

function configOf(
  argv: readonly string[],
  flags: readonly OptionName[],
  env: Surroundings['env'],
  problems: string[],
): Config | undefined {
  try {
    return loadConfig({ argv, env: withoutCredentials(env), flags });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    problems.push(...error.message.split('\n'));
    return undefined;
  }
}

function dashed(name: OptionName): string {
  return name.replace(/[A-Z]/g, '-$&').toLowerCase();
}

/** A value in a message: one line, short, with quotation marks around it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
