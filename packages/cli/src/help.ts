/** The help, made of the commands as data: of the program, of a noun, of one command. */

import { optionsHelp } from '@tallystick/server';
import { readFileSync } from 'node:fs';
import type { Flag } from './arguments.ts';
import type { Command, Noun } from './command.ts';

export function generalHelp(commands: readonly (Command | Noun)[]): string {
  return `Tallystick: signed tokens say who you are, and state matches on every screen.

Usage: tallystick <command> [options]

Commands
${list(commands)}

  tallystick <command> --help   what it does, its verbs, and every option
  tallystick --version          the version

Try it with your app:  tallystick dev -- node server.js`;
}

export function nounHelp(noun: Noun): string {
  return `Usage: tallystick ${noun.name} <verb> [options]

${noun.help}

Verbs
${list(noun.verbs)}

  tallystick ${noun.name} <verb> --help   what it does, and every option`;
}

export function commandHelp(command: Command): string {
  const own = Object.entries(command.flags ?? {}).map(flagEntry);
  const heading = own.length > 0 ? 'Options' : 'Options: flag, environment variable (the flag counts first), default';
  const shared = command.options?.length === 0 ? [] : [optionsHelp(command.options)];
  return [`Usage: ${command.usage}`, '', command.help, '', heading, ...own, ...shared].join('\n');
}

export function versionLine(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return `tallystick ${/"version": "(.*)"/.exec(text)?.[1] ?? 'unknown'}`;
}

function list(commands: readonly (Command | Noun)[]): string {
  return commands.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n');
}

function flagEntry([name, flag]: [string, Flag]): string {
  const head = flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`;
  return `  ${head.padEnd(21)} ${wrapped(flag.prose, 80 - 24).join(`\n${' '.repeat(24)}`)}`;
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
