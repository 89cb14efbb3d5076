/**
 * The token endpoint of an application's backend, as one function from Request to Response. It decides nothing about
 * who may enter: the `identity` function does, and nothing in the query or body can.
 */

import { AccessToken } from './access-token.ts';
import { crossOrigin } from './cross-origin.ts';
import type { CorsOptions } from './cross-origin.ts';
import { deviceOf, endpointIdOf } from './device.ts';
import { SyncGrant } from './grants.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import { checkOptionNames, checkPlainName } from './options.ts';
import { json, refusal, uncached } from './refusal.ts';
import { checkLimits } from './token-limits.ts';
import type { TokenLimits } from './token-limits.ts';
import { failed, whoAsks } from './who-asks.ts';

export interface TokenEndpointOptions {
  readonly identity: IdentitySource;
  /** Usually from the environment. While one of the three is missing or empty, the endpoint answers 500. */
  readonly accountSid: string | undefined;
  readonly keySid: string | undefined;
  readonly secret: string | undefined;
  /** Left out or empty: the account's default service. */
  readonly serviceSid?: string | undefined;
  /** Seconds that a token lives, 1 to 86400. @default 3600 */
  readonly ttl?: number | undefined;
  /** First part of endpoint ids: 1 to 64 characters of A-Z a-z 0-9 . _ - @default 'app' */
  readonly app?: string | undefined;
  /** Further members of the answer. They cannot replace `identity` and `token`. */
  readonly extra?: ((identity: string, request: Request) => object | Promise<object>) | undefined;
  /** Left out: no page of another origin can read a token. */
  readonly cors?: CorsOptions | undefined;
  /** How often a token may be asked for, see `tokenLimits`. Left out: as often as anybody likes. */
  readonly limits?: TokenLimits | undefined;
  /** Is told why a request was answered with 500 or 503. The answer itself never says. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** The clock, in milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined;
}

export type TokenEndpoint = (request: Request, native?: unknown) => Promise<Response>;

const optionNames = 'identity accountSid keySid secret serviceSid ttl app extra cors limits onError now'.split(' ');

/** Throws a TypeError that names a wrong option; what is merely missing is told at each request. [TOK16] to [TOK20] */
export function tokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  checkOptions(options);
  const { app = 'app', onError } = options;
  const origins = crossOrigin(options.cors);
  const missing = missingSettings(options);
  const allowed = options.cors ? 'GET, OPTIONS' : 'GET';

  const answer = async (request: Request, context: IdentityContext): Promise<Response> => {
    if (request.method === 'OPTIONS' && options.cors) return new Response(null, { status: 204 });
    if (request.method !== 'GET') return refusal(405, 'Only GET is possible here', { Allow: allowed });
    if (origins.refuses(request)) return refusal(403, 'Pages of other sites may not ask for a token');
    if (missing.length > 0) return refusal(500, `The token endpoint is not configured: it lacks ${missing.join(', ')}`);
    const device = deviceOf(new URL(request.url).searchParams);
    if (device === null) return refusal(400, 'device must be given once, as 1 to 128 characters of A-Z a-z 0-9 . _ -');

    const identity = await whoAsks(options.identity, request, context, options.limits);
    if (identity instanceof Response) return identity;
    const token = newToken(options, identity);
    const endpointId = device === undefined ? undefined : endpointIdOf(app, identity, device);
    if (endpointId === null) return refusal(400, 'device is too long beside this identity');
    token.addGrant(new SyncGrant({ serviceSid: options.serviceSid, endpointId }));
    const jwt = token.toJwt();
    return json(200, { ...(await options.extra?.(identity, request)), identity, token: jwt }, context.headers);
  };

  return async (request, native) => {
    let response: Response;
    try {
      response = await answer(request, { headers: new Headers(), native });
    } catch (error) {
      response = failed(error, onError);
    }
    const headers = uncached(new Headers(response.headers));
    origins.addHeaders(request, headers);
    return new Response(response.body, { status: response.status, headers });
  };
}

function checkOptions(options: TokenEndpointOptions): void {
  checkOptionNames('tokenEndpoint', options, optionNames);
  if (typeof options.identity !== 'function') {
    throw new TypeError('identity must be a function of the request, such as anonymousVisitor({ secret })');
  }
  if (options.app !== undefined) checkPlainName('app', options.app);
  checkLimits(options.limits);
  if (missingSettings(options).length > 0) return;
  // Whatever else is wrong shows in a first token.
  newToken(options, 'trial').addGrant(new SyncGrant({ serviceSid: options.serviceSid }));
}

function missingSettings(options: TokenEndpointOptions): string[] {
  return (['accountSid', 'keySid', 'secret'] as const).filter((name) => !options[name]);
}

function newToken(options: TokenEndpointOptions, identity: string): AccessToken {
  const { accountSid = '', keySid = '', secret = '', ttl, now } = options;
  return new AccessToken(accountSid, keySid, secret, { identity, ttl, now });
}
