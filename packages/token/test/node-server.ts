/** A Node server for a test, and requests to it as they are, without what fetch adds. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** Listens until the test ends; returns the port. */
export async function listening(t: TestContext, listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: { identity?: string; token?: string; message?: string };
}

export async function ask(
  port: number,
  path: string,
  headers: OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Answer> {
  const request = httpRequest({ port, path, headers, method, agent: false }).end();
  const answers: unknown[] = await once(request, 'response');
  const [response] = answers;
  assert.ok(isMessage(response));
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const body: object = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function isMessage(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value;
}
