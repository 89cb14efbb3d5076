/** Sizes and the rules of names. Bytes are bytes of UTF-8, characters are code points. */

import { isSid } from './sids.ts';

export const limits = {
  /** Data of a document, as stored: insignificant blanks are not counted. */
  dataBytes: 16_384,
  /** Data of a stream message, counted in the same way. */
  messageBytes: 4_096,
  nameCharacters: 320,
  keyCharacters: 320,
  identityCharacters: 256,
  endpointCharacters: 256,
  /** Seconds; one year. 0 means that the object never expires. */
  ttlSeconds: 31_536_000,
  jsonDepth: 200,
  tokenBytes: 8_192,
  /** Seconds that a token may live, without the leeway for clocks. */
  tokenLifeSeconds: 86_400,
  subscriptionsPerConnection: 2_000,
} as const;

/** Code points of a text. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

/** False for texts that cannot be stored everywhere: with U+0000 or half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

/** What is wrong with a text of bounded length, or undefined. `what` begins the sentence. */
function textProblem(what: string, text: string, most: number): string | undefined {
  if (text === '') return `${what} is empty; give 1 to ${most} characters`;
  if (!isWellFormed(text)) return `${what} holds U+0000 or half of a surrogate pair`;
  // A text of at most `most` units cannot have more code points; most texts end here.
  if (text.length > most && codePoints(text) > most) return `${what} is longer than ${most} characters`;
  return undefined;
}

/** What is wrong with a unique name, or undefined. [OBJ3] */
export function nameProblem(name: string): string | undefined {
  if (isSid(name)) return 'unique_name has the form of a sid; choose another';
  return textProblem('unique_name', name, limits.nameCharacters);
}

/** What is wrong with the key of a map item, or undefined. [MAP2] */
export function keyProblem(key: string): string | undefined {
  return textProblem('key', key, limits.keyCharacters);
}

/** What is wrong with an identity, or undefined. */
export function identityProblem(identity: string): string | undefined {
  return textProblem('identity', identity, limits.identityCharacters);
}
