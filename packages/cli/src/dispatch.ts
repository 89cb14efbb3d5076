/** The way from a command line to a command and its exit code. */

import { nearest, StartError } from '@tallystick/server';
import { quote } from './arguments.ts';
import type { Command, Noun } from './command.ts';
import { commands } from './commands.ts';
import { commandHelp, generalHelp, nounHelp, versionLine } from './help.ts';
import type { Surroundings } from './surroundings.ts';

/** What shells report of a command that Ctrl+C ended. */
const interruptedCode = 130;

/** Runs one command line, without the program's name, to its end. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatch(argv, surroundings);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const line of error.message.split('\n')) surroundings.err(`tallystick: ${line}`);
    return 1;
  }
}

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name = '', ...rest] = argv;
  if (name === '') return refuse(generalHelp(commands), surroundings);
  if (isHelp(name)) return print(generalHelp(commands), surroundings);
  if (name === '--version' || name === '-v') return print(versionLine(), surroundings);

  const found = commands.find((candidate) => candidate.name === name);
  refuseTokens(found !== undefined && 'passesOn' in found ? ownArguments(argv) : argv);
  if (found === undefined) throw new StartError(unknown(name, commands, 'no command', 'tallystick --help'));
  if (!('verbs' in found)) return await call(found, rest, surroundings);
  const [verb = '', ...ofVerb] = rest;
  if (verb === '') return refuse(nounHelp(found), surroundings);
  if (isHelp(verb)) return print(nounHelp(found), surroundings);
  const command = found.verbs.find((candidate) => candidate.name === verb);
  if (command !== undefined) return await call(command, ofVerb, surroundings);
  throw new StartError(unknown(verb, found.verbs, `no verb of ${name}`, `tallystick ${name} --help`));
}

async function call(command: Command, argv: readonly string[], surroundings: Surroundings): Promise<number> {
  if (ownArguments(argv).some(isHelp)) return print(commandHelp(command), surroundings);
  const ended = command.run(argv, surroundings);
  if (command.endsInOrder) return await ended;
  return await Promise.race([ended, surroundings.stopRequested.then(() => interruptedCode)]);
}

/** Without what `dev` passes on. */
function ownArguments(argv: readonly string[]): readonly string[] {
  return argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
}

/** In whichever place it stands, and without showing it again. [CFG13] */
function refuseTokens(argv: readonly string[]): void {
  // The header of a token begins with {" in base64url; a blank, a quotation mark or a flag may stand before it.
  const form = /(?:^|[^\w/.-])eyJ[\w-]{8}|^[\w-]{16,}\.[\w-]{16,}\.[\w-]*$/;
  if (!argv.some((word) => form.test(word))) return;
  throw new StartError(
    'a token is not taken from the command line, where the history of the shell keeps it and others can read it; ' +
      'give a file, or - for standard input',
  );
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function print(text: string, surroundings: Surroundings): number {
  surroundings.out(text);
  return 0;
}

function refuse(help: string, surroundings: Surroundings): number {
  surroundings.err(help);
  return 1;
}

function unknown(word: string, known: readonly (Command | Noun)[], what: string, help: string): string {
  const close = nearest(
    word,
    known.map(({ name }) => name),
  );
  return `${quote(word)} is ${what}; ${close === undefined ? `see ${help}` : `did you mean ${close}?`}`;
}
