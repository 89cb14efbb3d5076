/** Bytes sent to the HTTP door, and all that came back until the service had closed. */

import assert from 'node:assert/strict';
import { RawSocket } from './raw-socket.ts';
import type { RawOptions } from './raw-socket.ts';

export interface HttpAnswer {
  readonly status: number;
  /** In lower case. */
  readonly headers: string;
  readonly body: string;
}

/** `staysOpen`: this side does not say that nothing more comes, so the service has to end the connection. */
export interface ExchangeOptions extends RawOptions {
  readonly staysOpen?: boolean;
}

/** Sends and waits for the end. A client that ended its side is not answered by what takes a commit to disk. */
export async function exchange(
  port: number,
  sent: Buffer | string,
  { staysOpen = false, ...options }: ExchangeOptions = {},
): Promise<readonly HttpAnswer[]> {
  const socket = await RawSocket.open(port, options);
  socket.write(sent);
  if (staysOpen) await socket.ended();
  socket.end();
  await socket.closed();
  return answersOf(socket.received, sent.toString().startsWith('HEAD '));
}

/** All answers in the bytes, one after another. `isHead`: they have no bodies. */
export function answersOf(bytes: Buffer, isHead = false): readonly HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  for (let rest = bytes.toString('latin1'); rest !== '';) {
    const end = rest.indexOf('\r\n\r\n');
    assert.ok(end >= 0 && rest.startsWith('HTTP/1.1 '), `no HTTP answer: ${rest.slice(0, 200)}`);
    const headers = rest.slice(0, end + 2).toLowerCase();
    const status = Number(rest.slice(9, 12));
    const size = isHead || status < 200 ? 0 : Number(/\r\ncontent-length: (\d+)\r\n/.exec(headers)?.[1] ?? NaN);
    // Node's own answers have none, and an empty body in chunks.
    const bodyEnd = Number.isNaN(size) ? rest.length : end + 4 + size;
    answers.push({ status, headers, body: rest.slice(end + 4, bodyEnd) });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}

/** Every refusal has the same form, which says nothing of the request. */
export function assertCoded({ status, body }: HttpAnswer): void {
  const { code, message, status: told, ...more } = JSON.parse(body) as Record<string, unknown>;
  assert.ok(typeof code === 'number' && typeof message === 'string' && told === status, body);
  assert.deepEqual(more, {});
}
