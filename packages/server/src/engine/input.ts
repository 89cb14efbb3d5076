/** What comes from outside, judged before any rule sees it. Every door hands its input in as it came. */

import { keyProblem, limits, nameProblem } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { Refusal } from '../core/change.ts';
import type { ItemKey, ObjectKind } from '../core/object.ts';

export function nameRefusal(name: unknown): Refusal | undefined {
  if (name === undefined || name === null) return undefined;
  if (typeof name !== 'string') return { refused: 54302, detail: 'unique_name is not text' };
  const problem = nameProblem(name);
  return problem === undefined ? undefined : { refused: 54302, detail: problem };
}

/** Absent is accepted. [TTL1] */
export function ttlRefusal(ttl: unknown): Refusal | undefined {
  if (ttl === undefined) return undefined;
  const isValid = typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= limits.ttlSeconds;
  return isValid ? undefined : { refused: 54011 };
}

const dataMissing: Readonly<Record<ObjectKind, ErrorCode>> = {
  document: 54101,
  list: 54156,
  map: 54206,
  stream: 54251,
};

/** Of a document, of an item of a list or map, or of a message of a stream. [DOC5] [LST24] [MAP24] [STR21] */
export function requiredDataRefusal(kind: ObjectKind, data: string | undefined): Refusal | undefined {
  return data === undefined ? { refused: dataMissing[kind] } : dataRefusal(kind, data);
}

/** The text is compact and valid JSON already; left are its kind and size. Absent is accepted. */
export function dataRefusal(kind: ObjectKind, data: string | undefined): Refusal | undefined {
  if (data === undefined) return undefined;
  if (data === 'null') return { refused: dataMissing[kind] };
  if (!data.startsWith('{')) return { refused: 54008, detail: 'data is not a JSON object' };
  const most = kind === 'stream' ? limits.messageBytes : limits.dataBytes;
  // UTF-8 needs at least a byte a unit, so most texts are decided without counting.
  if (data.length * 3 <= most || Buffer.byteLength(data) <= most) return undefined;
  return { refused: 54006, detail: `data is larger than ${most} bytes` };
}

/** The key of a map item that a body or a path names. [MAP2] */
export function keyRefusal(key: unknown): Refusal | undefined {
  if (typeof key !== 'string') return { refused: 54209, detail: 'key is not text' };
  const problem = keyProblem(key);
  return problem === undefined ? undefined : { refused: 54209, detail: problem };
}

/** The item that a path or a query means: of a list its index, of a map its key. [LST24] [MAP2] */
export function itemKeyOf(kind: ObjectKind, text: string): ItemKey | Refusal {
  // Fifteen digits are exact in a double, and more items than any list has.
  if (kind === 'list') return /^\d{1,15}$/.test(text) ? Number(text) : { refused: 54458 };
  return keyRefusal(text) ?? text;
}
