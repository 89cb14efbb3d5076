/** The commands as data, their help, and the way from a command line to an exit code. */

import { nearest, optionsHelp, StartError } from '@tallystick/server';
import type { OptionName } from '@tallystick/server';
import { readFileSync } from 'node:fs';
import { dev } from './dev.ts';
import { init } from './init.ts';
import { serve } from './serve.ts';
import type { Surroundings } from './surroundings.ts';

interface Command {
  readonly name: string;
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs of the command's own help, at most 80 columns wide. */
  readonly help: string;
  /** Options it takes as flags; all by default. */
  readonly flags?: readonly OptionName[];
  /** Gets what follows its name and resolves to the exit code. */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
}

const commands: readonly Command[] = [
  {
    name: 'dev',
    usage: 'tallystick dev [options] [-- command ...]',
    summary: 'run the service, and your app beside it, for development',
    help: `Makes credentials if there are none, starts the service and then the command,
which finds in its environment: TWILIO_ACCOUNT_SID, TWILIO_API_KEY,
TWILIO_API_SECRET, TWILIO_SYNC_SERVICE_SID, TALLYSTICK_SOCKET_URL and PORT
(3000 unless set). When the command ends, the service stops.`,
    run: dev,
  },
  {
    name: 'serve',
    usage: 'tallystick serve [options]',
    summary: 'run the service in production',
    help: `Takes the credentials from the environment, or else from the file that
\`tallystick init\` made in the data directory. SIGTERM and SIGINT close the
connections within --drain-ms and stop; a second signal exits at once.`,
    run: serve,
  },
  {
    name: 'init',
    usage: 'tallystick init [--data-dir path]',
    summary: 'make the credentials of a new service, once',
    help: `Writes them to credentials.env in the data directory, readable by you alone.
Credentials that exist are never changed.`,
    flags: ['dataDir'],
    run: init,
  },
];

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
  if (name === '') {
    surroundings.err(generalHelp());
    return 1;
  }
  if (isHelp(name)) return print(generalHelp(), surroundings);
  if (name === '--version' || name === '-v') return print(`tallystick ${version()}`, surroundings);

  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new StartError(unknownCommand(name));
  const ownArguments = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (ownArguments.some(isHelp)) return print(helpOf(command), surroundings);
  return await command.run(rest, surroundings);
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function print(text: string, surroundings: Surroundings): number {
  surroundings.out(text);
  return 0;
}

function unknownCommand(name: string): string {
  const close = nearest(
    name,
    commands.map((command) => command.name),
  );
  return `${JSON.stringify(name)} is no command; ${close === undefined ? 'see tallystick --help' : `did you mean ${close}?`}`;
}

function generalHelp(): string {
  return `Tallystick: signed tokens say who you are, and state matches on every screen.

Usage: tallystick <command> [options]

Commands
${commands.map(({ name, summary }) => `  ${name.padEnd(8)}${summary}`).join('\n')}

  tallystick <command> --help   what it does, and every option
  tallystick --version          the version

Try it with your app:  tallystick dev -- node server.js`;
}

function helpOf(command: Command): string {
  return `Usage: ${command.usage}

${command.help}

Options: flag, environment variable (the flag counts first), default
${optionsHelp(command.flags)}`;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return /"version": "(.*)"/.exec(text)?.[1] ?? 'unknown';
}
