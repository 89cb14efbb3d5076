/**
 * A worker thread with the well-behaved client that everybody else is measured by: it writes a document that it follows,
 * waits for the answer and the event, reads it back, and so on until the end. Asked, it tells how long it had to wait.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { clientFrame, serverFrame, statusOf } from '../frame-client.ts';
import type { ServerFrame } from '../frame-client.ts';

export interface Standing {
  /** The process of the service. */
  readonly pid: number;
  readonly url: string;
  readonly token: string;
}

/** Since the last time it was asked. */
export interface Waited {
  /** Without the time that the service or this thread was ready and another program had the processor. */
  readonly longestMs: number;
  readonly rounds: number;
  /** What went wrong, if anything ever did. */
  readonly failure: string | undefined;
}

/** Between two rounds, so that it is a client and no load. */
const pauseMs = 10;

const { pid, url, token } = workerData as Standing;
const webSocket = new WebSocket(url);
const waiting = new Map<string, (frame: ServerFrame) => void>();
let pendingMs: (() => number) | undefined;
let longestMs = 0;
let rounds = 0;
let failure: string | undefined;
let ids = 0;

webSocket.on('message', (data: Buffer) => {
  const frame = serverFrame(data);
  if (frame.method !== 'reply') webSocket.send(clientFrame(frame.id, 'reply', { status: { code: 200, status: 'OK' } }));
  const { event_type: type, event } = frame.payload ?? {};
  const key = type === 'document_updated' ? `event ${(event as { id: number }).id}` : frame.id;
  waiting.get(key)?.(frame);
  waiting.delete(key);
});
webSocket.on('close', (code) => (failure ??= `closed with ${code}`));
webSocket.on('error', (error) => (failure ??= error.message));

parentPort?.on('message', () => {
  const waited: Waited = { longestMs: Math.max(longestMs, pendingMs?.() ?? 0), rounds, failure };
  [longestMs, rounds] = [0, 0];
  parentPort?.postMessage(waited);
});

function arrival(key: string): Promise<ServerFrame> {
  return new Promise((resolve) => waiting.set(key, resolve));
}

async function timed<T>(answer: Promise<T>): Promise<T> {
  const ms = stopwatch();
  pendingMs = ms;
  const value = await answer;
  longestMs = Math.max(longestMs, ms());
  pendingMs = undefined;
  return value;
}

/** Milliseconds from now on; those that the machine gave to other programs while we were ready do not count. */
function stopwatch(): () => number {
  const [start, delayedBefore] = [performance.now(), delayedMs()];
  return () => performance.now() - start - (delayedMs() - delayedBefore);
}

/** How long the main thread of the service and this thread ever waited for a processor. Linux tells it; elsewhere 0. */
function delayedMs(): number {
  if (process.platform !== 'linux') return 0;
  const [service, own] = [`/proc/${pid}/schedstat`, '/proc/thread-self/schedstat'].map(
    (path) => Number(readFileSync(path, 'latin1').split(' ')[1]) / 1e6,
  );
  return (service ?? 0) + (own ?? 0);
}

async function call(method: string, path: string, body: object | '' = ''): Promise<Record<string, unknown>> {
  const id = `TM${ids++}`;
  const answer = arrival(id);
  const payload = body === '' ? '' : JSON.stringify(body);
  webSocket.send(clientFrame(id, 'message', { http_request: { method, path, params: {}, headers: {} } }, payload));
  const frame = await timed(answer);
  const { code } = frame.header['http_status'] as { code: number };
  if (statusOf(frame).code !== 200 || code > 299) throw new Error(`${method} ${path} was answered ${code}`);
  return frame.payload ?? {};
}

async function live(): Promise<never> {
  await once(webSocket, 'open');
  const granted = arrival('TM-init');
  const registrations = [{ message_types: ['twilio.sync.event', 'com.twilio.rtd.cds.document'] }];
  webSocket.send(clientFrame('TM-init', 'init', { token, capabilities: [], registrations }));
  await granted;
  const { sid } = await call('POST', '/v3/Documents', { unique_name: 'standing', data: {} });
  const requests = [{ object_sid: sid, object_type: 'document', last_event_id: 0 }];
  const subscription = { event_protocol_version: 4, action: 'establish', correlation_id: 1, requests };
  await call('POST', '/v4/Subscriptions', subscription);
  for (let round = 1; ; round++) {
    const event = arrival(`event ${round}`);
    await call('POST', `/v3/Documents/${String(sid)}`, { data: { round } });
    await timed(event);
    const read = await call('GET', '/v3/Documents/standing');
    if ((read['data'] as { round: number }).round !== round) throw new Error(`round ${round} was not kept`);
    rounds++;
    if (round === 1) parentPort?.postMessage('standing');
    await setTimeout(pauseMs);
  }
}

live().catch((error: unknown) => {
  failure ??= error instanceof Error ? error.message : String(error);
});
