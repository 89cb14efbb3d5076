/** What a token says, taken apart without judging it. */

import { StartError } from '@tallystick/server';

export type Json = Readonly<Record<string, unknown>>;

export interface DecodedToken {
  readonly header: Json;
  readonly claims: Json;
  /** Of the whole token. */
  readonly bytes: number;
  /** Of its signature. */
  readonly signatureBytes: number;
}

/** Throws StartError, without any of the token's text, when there is nothing to decode. */
export function decodeToken(token: string): DecodedToken {
  const [first = '', second, third = '', ...more] = token.split('.');
  if (second === undefined) throw new StartError('this is no token: it is not made of parts joined by dots');
  if (more.length > 0) throw new StartError(`this is no Access Token: it has ${3 + more.length} parts and not 3`);
  return {
    header: partOf('header', first),
    claims: partOf('payload', second),
    bytes: Buffer.byteLength(token),
    signatureBytes: Buffer.from(third, 'base64url').length,
  };
}

function partOf(name: string, text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw new StartError(`this is no token: its ${name} is not JSON in base64url`);
  }
  if (isJson(value)) return value;
  throw new StartError(`this is no token: its ${name} is not a JSON object`);
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
