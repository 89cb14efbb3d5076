/** The three symmetric signatures of Access Tokens. There is no other, and no way to add one. */

import { createHmac } from 'node:crypto';

export type Algorithm = 'HS256' | 'HS384' | 'HS512';

// A Map, so that only these three are found: `constructor`, a number or an object never is.
const digests: ReadonlyMap<unknown, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
]);

export function isAlgorithm(value: unknown): value is Algorithm {
  return digests.has(value);
}

export function sign(algorithm: Algorithm, secret: string, text: string): Buffer {
  return createHmac(digests.get(algorithm) ?? '', secret)
    .update(text)
    .digest();
}
