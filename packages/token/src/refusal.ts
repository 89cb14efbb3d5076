/** The answers that are no token: JSON with the status and one sentence, never a value or a reason from inside. */

export function refusal(status: number, message: string, headers: Headers | Record<string, string> = {}): Response {
  return json(status, { status, message }, headers);
}

export function json(status: number, body: object, headers: Headers | Record<string, string>): Response {
  const all = new Headers(headers);
  all.set('Content-Type', 'application/json');
  return new Response(JSON.stringify(body), { status, headers: all });
}

/** Whatever the answer is: a cache must not keep it, and one that does anyway must not mix up users. [TOK16] */
export function uncached(headers: Headers): Headers {
  headers.set('Cache-Control', 'no-store');
  headers.append('Vary', 'Cookie, Authorization');
  return headers;
}
