/** How a connection is refused before it has become anything: one HTTP answer, written by hand, and the end. */

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorOf } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { Clock } from '../platform.ts';

export interface Refusal {
  /** One word, for logs. */
  readonly reason: 'address' | 'draining' | 'form' | 'full' | 'header' | 'origin' | 'path' | 'time' | 'token' | 'url';
  /** The status of the answer is that of the code. */
  readonly code: ErrorCode;
  /** In place of the general sentence of the code. */
  readonly detail?: string;
  readonly retryAfterS?: number;
}

/** For what the client needs to read the answer and to end its side. */
const lingerMs = 5000;

/** Answers and ends; what still comes is thrown away. Does nothing on a socket that takes nothing any more. */
export function refuse(socket: Duplex, refusal: Refusal, clock: Clock): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status } = errorOf(refusal.code);
  const body = JSON.stringify(errorBody(refusal.code, refusal.detail));
  const retryAfter = refusal.retryAfterS === undefined ? '' : `Retry-After: ${refusal.retryAfterS}\r\n`;
  socket.on('error', () => socket.destroy());
  socket.once(
    'close',
    clock.after(lingerMs, () => socket.destroy()),
  );
  socket.resume();
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retryAfter}` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

export function errorBody(code: ErrorCode, detail?: string): object {
  const { status, message } = errorOf(code);
  return { code, message: detail ?? message, status };
}
