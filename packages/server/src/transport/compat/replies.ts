/** Server frames that answer: replies with their statuses, and the last words of a connection. */

import { STATUS_CODES } from 'node:http';
import { errorOf } from '@tallystick/protocol';
import type { ErrorCode, SyncError } from '@tallystick/protocol';
import { messageOf } from '../../engine/message.ts';
import type { Message } from '../../engine/message.ts';
import { encodeFrame } from './frame.ts';
import type { Answer } from './resources.ts';

export const okStatus = '{"code":200,"status":"OK"}';

/** A status as JSON text. `status` is a word that some clients compare. */
export function statusOf(code: number, status: string, errorCode: ErrorCode, description?: string): string {
  const text = JSON.stringify(description ?? errorOf(errorCode).message);
  return `{"code":${code},"status":"${status}","description":${text},"errorCode":${errorCode}}`;
}

/** Every refused token is 401; a refused service is 403, since clients go on asking after a 404. [CON2] */
export function refusalStatus(error: SyncError): string {
  const isService = error.code === 54050 || error.code === 54056;
  return isService ? statusOf(403, 'FORBIDDEN', error.code, error.message) : unauthorizedStatus(error);
}

export function unauthorizedStatus(error: SyncError): string {
  return statusOf(401, 'UNAUTHORIZED', error.code, error.message);
}

export function reply(id: string, status: string): Message {
  return messageOf(encodeFrame('reply', id, `,"status":${status}`));
}

/** To an init that came too fast: what the client library reads as the least and the most time to stay away. [BND6] */
export function throttledReply(id: string, waitMs: number): Message {
  const status = statusOf(429, 'TOO_MANY_REQUESTS', 51202);
  const payload = `{"backoff_policy":{"reconnect_min_ms":${waitMs},"reconnect_max_ms":${2 * waitMs}}}`;
  return messageOf(encodeFrame('reply', id, `,"status":${status}`, payload));
}

/** The outer status says that the request was understood; the result is the inner one. [CON11] */
export function answerReply(id: string, answer: Answer): Message {
  const http = `{"code":${answer.status},"status":"${STATUS_CODES[answer.status] ?? ''}"}`;
  return messageOf(encodeFrame('reply', id, `,"status":${okStatus},"http_status":${http}`, answer.body));
}

export function closeFrame(id: string, status: string): Message {
  return messageOf(encodeFrame('close', id, `,"status":${status}`));
}
