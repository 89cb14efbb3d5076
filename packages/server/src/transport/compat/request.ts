/** A tunnelled request as it came, with its form checked and nothing judged. */

import { textOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { segmentsOf } from './path.ts';

export interface Request {
  readonly method: string;
  readonly segments: readonly string[];
  /** The value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  /** The decoded value of a query parameter; of one given twice the last. */
  parameter(name: string): string | undefined;
  /** Undefined when the payload is not UTF-8. Never read for GET and DELETE, whose payload may be anything. */
  readonly body: string | undefined;
}

/** Undefined when the frame holds no request, or its path or a parameter is broken. */
export function requestOf(frame: Frame): Request | undefined {
  const { http_request: http } = frame.header;
  if (typeof http !== 'object' || http === null) return undefined;
  const { method, path, params, headers } = http as Readonly<Record<string, unknown>>;
  if (typeof method !== 'string' || typeof path !== 'string') return undefined;
  const segments = segmentsOf(path);
  const parameters = parametersOf(params);
  if (segments === undefined || parameters === undefined) return undefined;
  const hasBody = method === 'POST' || method === 'PUT';
  return {
    method,
    segments,
    header: (name) => headerOf(headers, name),
    parameter: (name) => parameters.get(name),
    body: hasBody ? textOf(frame.payload) : '',
  };
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  for (const [given, value] of Object.entries(headers)) {
    if (given.length === name.length && given.toLowerCase() === name && typeof value === 'string') return value;
  }
  return undefined;
}

/** The values come percent-encoded, as in a URL. Undefined when that is broken. [CON10] */
function parametersOf(params: unknown): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  if (typeof params !== 'object' || params === null) return parameters;
  try {
    for (const [name, value] of Object.entries(params)) {
      const last: unknown = Array.isArray(value) ? value.at(-1) : value;
      // Some clients write numbers and truth values bare.
      if (typeof last === 'string' || typeof last === 'number' || typeof last === 'boolean') {
        const text = String(last);
        if (!text.isWellFormed()) return undefined;
        parameters.set(name, decodeURIComponent(text));
      }
    }
  } catch {
    return undefined;
  }
  return parameters;
}
