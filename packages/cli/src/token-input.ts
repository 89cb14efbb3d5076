/**
 * A token from standard input or a file, never from the command line. Bounded, so that a wrong file does no harm. Also
 * takes the answer of a token endpoint: `curl … /token | tallystick token explain`. [CFG13]
 */

import { StartError } from '@tallystick/server';
import { createReadStream } from 'node:fs';
import { quote } from './arguments.ts';
import type { Surroundings } from './surroundings.ts';

/** Eight times the longest token. */
const mostBytes = 65_536;

/** Without the blanks around it. `source` is a path; `-` or undefined is standard input. */
export async function readToken(source: string | undefined, surroundings: Surroundings): Promise<string> {
  const text = source === undefined || source === '-' ? await typed(surroundings) : await ofFile(source);
  const token = tokenIn(text);
  if (token === '') throw new StartError('no token came; give a file that holds one, or send it to standard input');
  return token;
}

async function typed({ input, err }: Surroundings): Promise<string> {
  const { isTerminal, chunks } = input();
  if (isTerminal) err('Paste the token and press Enter.');
  return await bounded(chunks, isTerminal);
}

async function ofFile(path: string): Promise<string> {
  try {
    return await bounded(createReadStream(path));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new StartError(`cannot read ${quote(path)} (${String(error.code)}); give a file, or - for standard input`, {
      cause: error,
    });
  }
}

async function bounded(chunks: AsyncIterable<Uint8Array>, oneLine: boolean = false): Promise<string> {
  const taken: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    taken.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new StartError(`more than ${mostBytes} bytes came, and a token has at most 8192`);
    if (oneLine && chunk.includes(10)) break;
  }
  return Buffer.concat(taken).toString();
}

/** The `token` of a JSON object, or the text itself. */
function tokenIn(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) return trimmed;
  try {
    const { token }: { token?: unknown } = JSON.parse(trimmed);
    return typeof token === 'string' ? token : trimmed;
  } catch {
    return trimmed;
  }
}
