/**
 * JSON as text: checked once, never written anew. What a client sent is stored and delivered as it is, without the
 * insignificant blanks. [DOC6]
 */

import { limits } from '@tallystick/protocol';

/** The members of a JSON object as compact texts; of duplicates the last counts. */
export type Members = ReadonlyMap<string, string>;

/** Undefined when the text is not a JSON object, nests too deep or holds a number beyond a double. [DOC5] */
export function membersOf(text: string): Members | undefined {
  try {
    // The parser of the platform decides what is JSON; the scan below may then trust the grammar.
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  } catch {
    return undefined;
  }
  return scanMembers(text);
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const closingBrace = 0x7d;

function scanMembers(text: string): Members | undefined {
  const members = new Map<string, string>();
  let at = skipBlanks(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    at = skipBlanks(text, nameEnd);
    if (text.charCodeAt(at) !== colon) return undefined;
    const value = scanValue(text, skipBlanks(text, at + 1));
    if (value === undefined) return undefined;
    members.set(name, value.compact);
    at = skipBlanks(text, value.end);
    if (text.charCodeAt(at) !== comma) break;
    at = skipBlanks(text, at + 1);
  }
  return text.charCodeAt(at) === closingBrace ? members : undefined;
}

/** One value from `start`: its text without blanks, and where it ends. */
function scanValue(text: string, start: number): { readonly compact: string; readonly end: number } | undefined {
  let depth = 0;
  let compact = '';
  let from = start;
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > limits.jsonDepth) return undefined;
      at++;
    } else if (code === closingBrace || code === 0x5d) {
      if (depth === 0) break;
      depth--;
      at++;
    } else if (code === comma || code === colon) {
      if (depth === 0) break;
      at++;
    } else if (isBlank(code)) {
      compact += text.slice(from, at);
      from = at = skipBlanks(text, at);
      continue;
    } else {
      const end = tokenEnd(text, at);
      if (end === at || !isFiniteToken(text, at, end)) return undefined;
      at = end;
    }
  }
  return { compact: compact + text.slice(from, at), end: at };
}

/** After the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes++;
  return backslashes % 2 === 1;
}

/** The end of a number, true, false or null. */
function tokenEnd(text: string, start: number): number {
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (Number.isNaN(code) || isBlank(code) || code === comma || code === closingBrace || code === 0x5d) return at;
    at++;
  }
}

/** Most tokens are too short to be beyond a double; only an exponent or many digits need a look. */
function isFiniteToken(text: string, start: number, end: number): boolean {
  if (end - start < 4) return true;
  return Number.isFinite(Number(text.slice(start, end))) || !/^-?\d/.test(text.slice(start, start + 2));
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
