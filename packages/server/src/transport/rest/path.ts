/** Paths of the REST API: split at `/` first, each part decoded once, so that %2F inside a part is data. [RST3] */

const prefix = '/v1';

export interface Target {
  /** Decoded; undefined for what is not the one spelling of any resource. */
  readonly parts: readonly string[] | undefined;
  /** As it was sent, without `/v1`: what a 404 names. */
  readonly path: string;
  readonly query: string;
}

/** `url` as it stands in the request line. */
export function targetOf(url: string): Target {
  const mark = url.indexOf('?');
  const whole = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  // Otherwise spelled ways to this door (`/%761`, a whole URL) are none.
  if (!whole.startsWith(`${prefix}/`)) return { parts: undefined, path: whole, query };
  const path = whole.slice(prefix.length);
  return { parts: partsOf(path), path, query };
}

function partsOf(path: string): readonly string[] | undefined {
  // Clients encode whatever is not ASCII; the platform reads raw bytes as other characters.
  if (!/^[!-~]*$/.test(path) || /[\\#]/.test(path)) return undefined;
  try {
    const parts = path.slice(1).split('/').map(decodeURIComponent);
    // Also in percent-encoding: on the way here some take `%2e%2e` for a step up.
    return parts.some((part) => part === '' || part === '.' || part === '..') ? undefined : parts;
  } catch {
    return undefined;
  }
}
