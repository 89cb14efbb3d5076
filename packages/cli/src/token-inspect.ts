/** `tallystick token inspect`: what a token says, for people. Judges nothing. */

import { StartError } from '@tallystick/server';
import { readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { decodeToken, isJson } from './decoded-token.ts';
import type { DecodedToken, Json } from './decoded-token.ts';
import { duration, utc } from './human-time.ts';
import { columns, plain } from './plain-text.ts';
import { readToken } from './token-input.ts';

const form = {
  flags: { json: { prose: 'Print header and claims as one JSON value on one line.' } },
  word: { name: 'FILE' },
} as const;

export const inspectToken: Command = {
  name: 'inspect',
  usage: 'tallystick token inspect [FILE | -] [--json]',
  summary: 'decode a token; anybody can, and nothing is verified',
  help: `Reads a token, or the JSON answer of a token endpoint, from the file or from
standard input: never from the command line, which the history of the shell
keeps. Shows header, claims and grants as they are.`,
  ...form,
  options: [],
  async run(argv, surroundings) {
    const { flags, word } = readArguments(argv, form, surroundings.env);
    const decoded = decodeToken(await readToken(word, surroundings));
    surroundings.out(flags.json ? asJson(decoded) : asText(decoded, surroundings.now()));
    return 0;
  },
};

function asJson({ header, claims }: DecodedToken): string {
  const text = compact({ header, claims, verified: false });
  if (text === undefined) throw new StartError('the token is nested too deeply to be printed');
  return text;
}

function asText({ header, claims, bytes, signatureBytes }: DecodedToken, now: number): string {
  const { grants, ...rest } = claims;
  const rows = [
    ['Header'],
    ...Object.entries(header).map(([name, value]) => entry(name, value)),
    ['Claims'],
    ...Object.entries(rest).map(([name, value]) => entry(name, value, remark(name, value, now))),
    ['Grants'],
    ...(isJson(grants) ? grantRows(grants) : [entry('grants', grants ?? 'missing', 'not an object')]),
  ];
  // The headings are no cells: they must not widen the first column.
  const table = columns(rows.filter((row) => row.length > 1)).split('\n');
  const lines = rows.map((row) => (row.length > 1 ? (table.shift() ?? '') : `\n${row[0]}`));
  return [
    'Decoded, not verified: anybody can write a token that says this.',
    'Whether a service takes it, and why not: tallystick token explain',
    ...lines,
    '',
    `${bytes} bytes, signature ${signatureBytes}`,
  ].join('\n');
}

function entry(name: string, value: unknown, remark: string = ''): string[] {
  const text = typeof value === 'string' ? value : (compact(value) ?? '(nested too deeply to show)');
  return [`  ${plain(name, 40)}`, `${plain(text, 400)}   ${remark}`];
}

function grantRows(grants: Json): string[][] {
  return Object.entries(grants).map(([name, value]) => entry(name, value));
}

function remark(name: string, value: unknown, now: number): string {
  if (name === 'iss') return 'the API key';
  if (name === 'sub') return 'the account';
  if (name !== 'exp' && name !== 'iat' && name !== 'nbf') return '';
  const at = typeof value === 'number' ? utc(value * 1000) : undefined;
  if (typeof value !== 'number' || at === undefined) return 'not a time';
  const ahead = value * 1000 > now;
  const distance = duration(value * 1000 - now);
  if (name === 'exp') return `${ahead ? `expires in ${distance}` : `expired ${distance} ago`}, ${at}`;
  const what = name === 'iat' ? 'minted' : 'valid from';
  return `${what} ${ahead ? `in ${distance}, ahead of this clock` : `${distance} ago`}, ${at}`;
}

/** JSON text; undefined when the value is nested too deeply for it, which depends on the Node. */
function compact(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
