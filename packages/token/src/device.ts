/** The optional `device` parameter of a token request: it tells devices of one identity apart and gives no rights. */

import { codePoints, limits } from '@tallystick/protocol';

/** Undefined when absent, null when it is not acceptable. [TOK20] */
export function deviceOf(query: URLSearchParams): string | null | undefined {
  const values = query.getAll('device');
  const structured = [...query.keys()].some((name) => name.startsWith('device['));
  const [device] = values;
  if (device === undefined && !structured) return undefined;
  if (device === undefined || structured || values.length > 1) return null;
  return /^[A-Za-z0-9._-]{1,128}$/.test(device) ? device : null;
}

/** Neither app nor device can hold a colon, so the three parts can be told apart. Null when they are too long together. */
export function endpointIdOf(app: string, identity: string, device: string): string | null {
  const endpointId = `${app}:${identity}:${device}`;
  return codePoints(endpointId) > limits.endpointCharacters ? null : endpointId;
}
