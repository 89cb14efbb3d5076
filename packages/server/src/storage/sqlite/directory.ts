/** Making a directory with its parents. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes what is missing, for this user only (mode 0700). Parent by parent, since the platform's own recursion never
 * ends where a parent can be made by nobody, as under /proc. Throws the platform's error.
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}
