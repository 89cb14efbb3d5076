/** Which pages of other origins may ask for a token: none, unless the application lists them. */

import { checkOptionNames } from './options.ts';

export interface CorsOptions {
  /** Origins as browsers send them, such as `https://app.example.com`. There is no wildcard. */
  readonly origins: readonly string[];
  /** Whether those pages may send cookies. @default false */
  readonly credentials?: boolean | undefined;
}

export interface CrossOrigin {
  /** A script of another site asks, and that site is not listed. */
  refuses(request: Request): boolean;
  /** Adds the CORS headers for a listed origin, and none otherwise. */
  addHeaders(request: Request, headers: Headers): void;
}

/** Throws a TypeError for what is no origin. [TOK19] */
export function crossOrigin(cors: CorsOptions | undefined): CrossOrigin {
  const listed = new Set(cors ? checkedOrigins(cors) : []);
  const listedOriginOf = (request: Request): string | undefined => {
    const origin = request.headers.get('origin');
    return origin !== null && listed.has(origin) ? origin : undefined;
  };
  return {
    refuses: (request) =>
      request.headers.get('sec-fetch-site') === 'cross-site' && listedOriginOf(request) === undefined,
    addHeaders: (request, headers) => {
      if (listed.size > 0) headers.append('Vary', 'Origin');
      const origin = listedOriginOf(request);
      if (origin === undefined) return;
      headers.set('Access-Control-Allow-Origin', origin);
      // Otherwise a page cannot read how long it is to wait.
      if (headers.has('Retry-After')) headers.set('Access-Control-Expose-Headers', 'Retry-After');
      if (cors?.credentials) headers.set('Access-Control-Allow-Credentials', 'true');
      if (request.method !== 'OPTIONS') return;
      headers.set('Access-Control-Allow-Methods', 'GET');
      headers.set('Access-Control-Allow-Headers', 'Authorization');
    },
  };
}

function checkedOrigins(cors: CorsOptions): readonly string[] {
  checkOptionNames('cors', cors, ['origins', 'credentials']);
  if (!Array.isArray(cors.origins)) throw new TypeError('cors.origins must be a list of origins');
  for (const origin of cors.origins) {
    if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError('cors.origins must hold origins such as https://app.example.com, without a path or wildcard');
    }
  }
  return cors.origins;
}
