/** A relay that hits the replies to chosen requests: swallows them, or answers something else in their place. */

import type { TestContext } from 'node:test';
import { encodeFrame, parseFrame, requestOf } from './frames.ts';
import type { Frame } from './frames.ts';
import { startRelay } from './relay.ts';
import type { Relay, Verdict } from './relay.ts';

export interface Fault {
  /** Whose reply is hit. */
  readonly isWanted: (request: { readonly method: string; readonly path: string }) => boolean;
  /** How often. */
  readonly times: number;
  readonly verdict: (reply: Frame) => Verdict;
}

/** A way to the service on which replies to some requests are hit once the fault is set. */
export async function faultyRelay(
  t: TestContext,
  targetPort: number,
): Promise<{ relay: Relay; requestIds: string[]; set: (fault: Fault) => void }> {
  let fault: Fault | undefined;
  let left = 0;
  const hit = new Set<string>();
  const requestIds: string[] = [];
  const relay = await startRelay({
    targetPort,
    onMessage({ from, bytes }) {
      const frame = parseFrame(bytes);
      const request = requestOf(frame);
      if (from === 'client' && request !== undefined && fault?.isWanted(request)) {
        requestIds.push((request as unknown as { headers: Record<string, string> }).headers['Twilio-Request-Id'] ?? '');
        if (left-- > 0) hit.add(frame.id);
      }
      return from === 'server' && fault !== undefined && hit.has(frame.id) ? fault.verdict(frame) : 'pass';
    },
  });
  t.after(() => relay.close());
  const set = (next: Fault): void => {
    fault = next;
    left = next.times;
  };
  return { relay, requestIds, set };
}

/** What a proxy or a dying server answers in place of the reply. */
export function unavailable(reply: Frame): Buffer {
  const header = {
    method: 'reply',
    id: reply.id,
    status: { code: 200, status: 'OK' },
    http_status: { code: 503, status: 'Service Unavailable' },
    payload_type: 'application/json',
  };
  return encodeFrame(header, '{"code":20503,"message":"try again","status":503}');
}
