/**
 * How this package judges what an application passes to it. Misuse is a TypeError that names the option and the fix;
 * it never quotes a value, since a mixed-up call may hold the secret in any place.
 */

/** Refuses what is no options object, and names that `known` does not list: a misspelt option must not be ignored. */
export function checkOptionNames(of: string, options: unknown, known: readonly string[]): void {
  if (!isObject(options)) throw new TypeError(`the options of ${of} must be an object`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${of} has no option '${name}'; its options are ${known.join(', ')}`);
    }
  }
}

/** A JSON object, or an options object: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What minting takes for a sid: either case of hex, as helper libraries do. Servers look sids up as they are written. */
export function hasSidForm(value: unknown, prefix: 'AC' | 'SK' | 'IS'): value is string {
  return typeof value === 'string' && value.startsWith(prefix) && /^[A-Z]{2}[0-9A-Fa-f]{32}$/.test(value);
}

/** A short name that is safe in an identity, an endpoint id and a URI. */
export function checkPlainName(option: string, value: unknown): void {
  if (typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value)) return;
  throw new TypeError(`${option} must be 1 to 64 characters of A-Z a-z 0-9 . _ -`);
}
