/** Paths of tunnelled requests: split at `/` first, decoded after, so that %2F inside a segment is data. [CON10] */

/** The decoded segments, or undefined for a path that is not absolute or whose percent-encoding is broken. */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/')) return undefined;
  const segments = path.slice(1).split('/');
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
