/** Parameters of a form body or a query: names and values in percent-encoding, of one name given twice the last. [RST5] */

export type Parameters = ReadonlyMap<string, string>;

/**
 * In place of a value whose percent-encoding is broken or is not UTF-8. No parameter may hold half of a surrogate pair,
 * so each is refused with the code of its own rule.
 */
export const unreadable = '\ud800';

/** Pairs whose name cannot be read are unknown parameters, and passed over like all of those. */
export function parametersOf(text: string): Parameters {
  const parameters = new Map<string, string>();
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (name !== '') parameters.set(decoded(name), equals < 0 ? '' : decoded(pair.slice(equals + 1)));
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return unreadable;
  }
}
