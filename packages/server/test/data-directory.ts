/** A data directory of its own for one test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function makeDataDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'tallystick-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
