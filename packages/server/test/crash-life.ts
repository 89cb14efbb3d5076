/**
 * The life of a writer's document, step by step, known to the process that writes and to the test that checks: made
 * under a name, updated eight times, removed, made again under the same name.
 */

import type { Command } from '../src/core/command.ts';
import type { ObjectRef } from '../src/core/object.ts';
import type { StoredDocument } from '../src/storage/storage.ts';
import { byName, create, remove, update } from './commands.ts';

const steps = 10;

export function nameOf(writer: number): ObjectRef {
  return byName(`writer ${writer}`);
}

export function commandAt(writer: number, step: number): Command {
  const data = `{"step":${step}}`;
  const life = Math.floor(step / steps);
  if (step % steps === 0) return create(writer * 1_000_000 + life, { uniqueName: `writer ${writer}`, data });
  if (step % steps === steps - 1) return remove(nameOf(writer));
  return update(nameOf(writer), { data, ifMatch: ((step % steps) - 1).toString(16) });
}

/** Whether this is what stands after a step; -1 is before the first. */
export function standsAt(step: number, found: StoredDocument | undefined): boolean {
  if (step === -1 || step % steps === steps - 1) return found === undefined;
  return found?.row.eventId === step % steps && found.data === `{"step":${step}}`;
}
