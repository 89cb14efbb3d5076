/** One tunnelled request, from its frame to its answer. Who asks and whether it is the time to ask is settled before. */

import type { Engine } from '../../engine/engine.ts';
import type { RecentWrites } from '../../engine/recent-writes.ts';
import type { Session } from '../../engine/session.ts';
import type { NextId } from './events.ts';
import type { Frame } from './frame.ts';
import { requestOf } from './request.ts';
import type { Request } from './request.ts';
import { errorAnswer } from './resources.ts';
import type { Answer } from './resources.ts';
import { route } from './routes.ts';
import { accepted, runSubscriptions, subscriptionRequestOf } from './subscriptions.ts';

/** What all requests of the door share. */
export interface Tunnel {
  readonly engine: Engine;
  readonly nextId: NextId;
  readonly recentWrites: RecentWrites<Answer | 'unknown'>;
  readonly publicUrl: string;
}

/** 'unknown': the write may have happened; the connection must be dropped. [WRI4] */
type Settle = (answer: Answer | 'unknown') => void;

/** Ids of requests have 34 characters; what is longer would fill the memory of recent writes. */
const longestRequestId = 128;

/** `settle` is called once. `takesOutcomes`: the client hears what becomes of its subscriptions. */
export function serveRequest(
  tunnel: Tunnel,
  session: Session,
  frame: Frame,
  takesOutcomes: boolean,
  settle: Settle,
): void {
  const request = requestOf(frame);
  const kind = request === undefined ? 'other' : kindOf(request);
  const answer: Settle = (settled) => {
    tunnel.engine.tally.requests.add(`${kind} ${settled === 'unknown' ? settled : settled.status}`);
    settle(settled);
  };
  if (request === undefined) {
    answer(errorAnswer({ refused: 20001, detail: 'http_request has no usable method and path' }));
    return;
  }
  const [version, resource, ...more] = request.segments;
  if (request.method === 'POST' && version === 'v4' && resource === 'Subscriptions' && more.length === 0) {
    subscribe(tunnel, session, request, takesOutcomes, answer);
    return;
  }
  call(tunnel, session, request, answer);
}

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'];
const nouns: readonly string[] = ['Documents', 'Lists', 'Maps', 'Streams', 'Subscriptions'];
const partNouns: readonly string[] = ['Items', 'Messages'];

/** For the metrics: one of a few words, whatever a client makes up. */
function kindOf({ method, segments }: Request): string {
  const [noun, , part] = segments.slice(segments[1] === 'Services' ? 3 : 1);
  if (noun === undefined || !nouns.includes(noun) || !methods.includes(method)) return 'other';
  return `${method} ${part !== undefined && partNouns.includes(part) ? part : noun}`;
}

function subscribe(tunnel: Tunnel, session: Session, request: Request, takesOutcomes: boolean, answer: Settle): void {
  const wanted = subscriptionRequestOf(request.body);
  if ('status' in wanted) {
    answer(wanted);
    return;
  }
  answer(accepted);
  if (!takesOutcomes) return;
  runSubscriptions(tunnel.engine, session, wanted, tunnel, (message) => session.outbox.push(message));
}

/** A repeated write gets the answer of the first. [WRI3] */
function call(tunnel: Tunnel, session: Session, request: Request, answer: Settle): void {
  const { engine, publicUrl, recentWrites } = tunnel;
  const { principal } = session;
  const run = (settle: Settle): void => route({ engine, principal, publicUrl, request, answer: settle });
  const id = request.header('twilio-request-id');
  if (request.method === 'GET' || id === undefined || id.length > longestRequestId) run(answer);
  else recentWrites.once(JSON.stringify([principal.service, principal.identity, id]), run, isApplied, answer);
}

function isApplied(answer: Answer | 'unknown'): boolean {
  return answer === 'unknown' || answer.status < 300;
}
