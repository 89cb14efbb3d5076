/** HTTP requests whose path, headers and source address are sent as they are given; `fetch` would mend or refuse them. */

import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { within } from '../../conformance/harness/deadline.ts';

export interface PlainRequest {
  /** Written into the request as it is, dots, escapes and all. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** The address of this machine that it comes from. @default '127.0.0.1' */
  readonly from?: string | undefined;
}

export interface Answer {
  /** 101: a WebSocket was granted; it stays open until the test ends. */
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** `origin`: such as `https://127.0.0.1:8443`. */
export async function ask(t: TestContext, origin: string, { path, headers, from }: PlainRequest): Promise<Answer> {
  const { protocol, hostname: host, port } = new URL(origin);
  const request = protocol === 'https:' ? httpsRequest : httpRequest;
  const asked = request({ host, port, path, headers, localAddress: from ?? '127.0.0.1', agent: false });
  const answer = Promise.withResolvers<Answer>();
  asked.on('error', answer.reject);
  asked.on('upgrade', (response: IncomingMessage, socket: Duplex) => {
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    answer.resolve({ status: response.statusCode, headers: response.headers, body: '' });
  });
  asked.on('response', (response: IncomingMessage) => {
    const { statusCode: status, headers } = response;
    answer.resolve(text(response).then((body) => ({ status, headers, body })));
  });
  asked.end();
  return await within(`an answer to ${path}`, answer.promise);
}

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
};

/** Asks for the service's socket. */
export async function askForSocket(
  t: TestContext,
  origin: string,
  { headers, from }: Omit<PlainRequest, 'path'>,
): Promise<Answer> {
  return await ask(t, origin, { path: '/v3/wsconnect', headers: { ...handshake, ...headers }, from });
}
