/** A new name for every request. Nobody owns anything across reloads: for demonstrations only. */

import { randomBytes } from 'node:crypto';
import { checkOptionNames, checkPlainName } from './options.ts';

/** 128 random bits as 22 characters that are safe in URIs and cookies. */
export function randomText(): string {
  return randomBytes(16).toString('base64url');
}

/** Returns an identity source for `tokenEndpoint`. `prefix` makes names readable. @default 'guest' [TOK22] */
export function randomName(options: { readonly prefix?: string | undefined } = {}): () => string {
  checkOptionNames('randomName', options, ['prefix']);
  const { prefix = 'guest' } = options;
  checkPlainName('prefix', prefix);
  return () => `${prefix}-${randomText()}`;
}
