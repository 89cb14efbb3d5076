/** The tokens that a client presents, at its init and in an update: who it is then, or the last words to it. */

import { SyncError } from '@tallystick/protocol';
import type { Authenticate } from '../../auth.ts';
import type { Principal } from '../../core/principal.ts';
import type { Message } from '../../engine/message.ts';
import type { Tally } from '../../engine/tally.ts';
import type { Log } from '../../platform.ts';
import type { Arrival } from '../admission.ts';
import type { NextId } from './events.ts';
import type { Frame } from './frame.ts';
import { closeFrame, refusalStatus, reply, statusOf, throttledReply, unauthorizedStatus } from './replies.ts';

/** A message after which the connection is closed. */
export interface LastWords {
  readonly message: Message;
  readonly code: number;
  readonly reason: string;
}

export type Judged = { readonly principal: Principal } | { readonly lastWords: LastWords };

export interface Judge {
  readonly authenticate: Authenticate;
  readonly nextId: NextId;
  readonly tally: Tally;
  readonly log: Log;
}

/** Of a client that came too fast the token is not even looked at. [CON2] [BND6] */
export function judgeInit(judge: Judge, frame: Frame, { address, waitMs }: Arrival): Judged {
  if (waitMs > 0) {
    judge.tally.refusals.add('rate');
    judge.log.debug({ address, waitMs }, 'init put off');
    // "Try again later".
    return { lastWords: { message: throttledReply(frame.id, waitMs), code: 1013, reason: 'too many connections' } };
  }
  return judged(judge, frame, address, refusalStatus);
}

/** Only to a token of the same identity and service. [TLC2] [TLC3] */
export function judgeUpdate(judge: Judge, frame: Frame, { address }: Arrival, standing: Principal): Judged {
  const update = judged(judge, frame, address, unauthorizedStatus);
  if ('lastWords' in update) return update;
  const { identity, service } = update.principal;
  if (identity === standing.identity && service === standing.service) return update;
  return { lastWords: closing(judge, 308, 'UPDATE_IS_FORBIDDEN', 51232) };
}

/** A `close` frame, and the end. */
export function closing(
  judge: Pick<Judge, 'nextId'>,
  status: number,
  reason: string,
  code: Parameters<typeof statusOf>[2],
): LastWords {
  return { message: closeFrame(judge.nextId(), statusOf(status, reason, code)), code: 1008, reason };
}

function judged(judge: Judge, frame: Frame, address: string, statusOfError: (error: SyncError) => string): Judged {
  try {
    return { principal: judge.authenticate(frame.header['token']) };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    judge.tally.tokenRefusals.add(String(error.code));
    judge.log.info({ code: error.code, reason: error.message, address }, 'token refused');
    return { lastWords: { message: reply(frame.id, statusOfError(error)), code: 1008, reason: 'token refused' } };
  }
}
