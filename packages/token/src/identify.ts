/** A way of deciding identity for a Node or Express backend that mints its tokens by itself, with any library. */

import type { ServerResponse } from 'node:http';
import { crossOrigin } from './cross-origin.ts';
import type { IdentitySource } from './identity-source.ts';
import { sendHeaders, sendResponse, toRequest } from './node-handler.ts';
import type { NodeRequest } from './node-handler.ts';
import { checkOptionNames } from './options.ts';
import { refusal, uncached } from './refusal.ts';
import { checkLimits } from './token-limits.ts';
import type { TokenLimits } from './token-limits.ts';
import { failed, whoAsks } from './who-asks.ts';

export interface IdentifyOptions {
  /** Left out: none. Made once by `tokenLimits`, not for each request. */
  readonly limits?: TokenLimits | undefined;
  /** Is told why a request was answered with 500 or 503. The answer itself never says. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Pages of other sites are always refused here: `tokenEndpoint` has a list. */
  readonly cors?: never;
}

const sameSite = crossOrigin(undefined);

/**
 * Who sent this request? The identity; cookies of the source, `Cache-Control: no-store` and `Vary` are then on the
 * response, and the rest of the answer is yours. Undefined: the refusal has been sent (401, 403, 429, 500, 503, in
 * JSON). Rejects for a wrong option only. [TOK28]
 */
export async function identify(
  source: IdentitySource,
  request: NodeRequest,
  response: ServerResponse,
  options: IdentifyOptions = {},
): Promise<string | undefined> {
  checkOptionNames('identify', options, ['limits', 'onError']);
  checkLimits(options.limits);
  const context = { headers: new Headers(), native: request };
  const answer = await answerTo(source, toRequest(request), context, options);
  if (typeof answer === 'string') {
    sendHeaders(uncached(context.headers), response);
    return answer;
  }
  const headers = uncached(new Headers(answer.headers));
  await sendResponse(new Response(answer.body, { status: answer.status, headers }), response);
  return undefined;
}

async function answerTo(
  source: IdentitySource,
  request: Request | undefined,
  context: { headers: Headers; native: unknown },
  { limits, onError }: IdentifyOptions,
): Promise<string | Response> {
  if (!request) return refusal(400, 'The request line or a header is not acceptable');
  if (sameSite.refuses(request)) return refusal(403, 'Pages of other sites may not ask for a token');
  try {
    return await whoAsks(source, request, context, limits);
  } catch (error) {
    return failed(error, onError);
  }
}
