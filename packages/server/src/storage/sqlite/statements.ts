/** Statements by name, prepared once. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';

export function prepareAll<Name extends string>(
  database: DatabaseSync,
  texts: Readonly<Record<Name, string>>,
): Record<Name, StatementSync> {
  const prepared = Object.entries<string>(texts).map(([name, text]) => [name, database.prepare(text)]);
  return Object.fromEntries(prepared) as Record<Name, StatementSync>;
}
