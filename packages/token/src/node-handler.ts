/** Serves a token endpoint from node:http, and from Express or whatever else passes Node's own request and response. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenEndpoint } from './endpoint.ts';

/** Express adds the path before routers cut it, and a protocol that heeds its `trust proxy` setting. */
export type NodeRequest = IncomingMessage & { readonly originalUrl?: string; readonly protocol?: string };

/** `(request, response)` for `http.createServer` or an Express route. [TOK23] */
export function toNodeHandler(endpoint: TokenEndpoint): (req: NodeRequest, res: ServerResponse) => Promise<void> {
  return async (req, res) => {
    const request = toRequest(req);
    if (request) return sendResponse(await endpoint(request, req), res);
    res.writeHead(400, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    res.end(JSON.stringify({ status: 400, message: 'The request line or a header is not acceptable' }));
  };
}

/** Without the body: the endpoint reads none. Undefined for what the Request class cannot hold, such as TRACE. */
export function toRequest(req: NodeRequest): Request | undefined {
  const scheme = req.protocol === 'https' || 'encrypted' in req.socket ? 'https' : 'http';
  const target = req.originalUrl ?? req.url ?? '';
  if (!target.startsWith('/')) return undefined;
  try {
    const url = new URL(`${scheme}://localhost${target}`);
    // The setter takes a host and nothing more, whatever the header holds.
    url.host = req.headers.host ?? '';
    const headers = new Headers();
    for (const [name, value] of Object.entries(req.headers)) {
      for (const each of [value ?? []].flat()) headers.append(name, each);
    }
    // Node keeps the first of several and drops the others; what brings two credentials is refused, not guessed at.
    for (const another of req.headersDistinct?.['authorization']?.slice(1) ?? [])
      headers.append('authorization', another);
    return new Request(url, { method: req.method ?? 'GET', headers });
  } catch {
    return undefined;
  }
}

export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  sendHeaders(response.headers, res);
  res.end(Buffer.from(await response.arrayBuffer()));
}

export function sendHeaders(headers: Headers, res: ServerResponse): void {
  for (const [name, value] of headers) {
    // Middleware before us may have set cookies and a Vary of its own.
    if (name === 'set-cookie' || name === 'vary') res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
}
