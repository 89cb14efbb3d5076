/** What an identity may be when an application gives one. */

import { identityProblem } from '@tallystick/protocol';

/** As text; undefined when it is missing or empty. Throws a TypeError for what cannot be an identity. [TOK3] */
export function identityText(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  // 0 is what a failed look-up leaves behind, and beyond 2^53 two user ids become one number.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value !== 0) return String(value);
  if (typeof value !== 'string') {
    throw new TypeError('identity must be text or a whole number other than 0; pass the user id as text');
  }
  const problem = identityProblem(value);
  if (problem) throw new TypeError(problem);
  return value;
}
