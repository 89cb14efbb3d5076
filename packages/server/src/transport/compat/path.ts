/** Paths of tunnelled requests: split at `/` first, decoded after, so that %2F inside a segment is data. [CON10] */

/**
 * The decoded segments, or undefined for a path that is not absolute, whose percent-encoding is broken, or that holds
 * half of a surrogate pair: storage would take that for another character, and find another object. [OBJ3]
 */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || !path.isWellFormed()) return undefined;
  const segments = path.slice(1).split('/');
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
