/**
 * Subscribing without a gap: follow first, then read, then let through what is newer than what was read. [SUB1]
 * A newer request for the same object, a cancel or the end of the session makes an older one fall silent. [SUB4]
 */

import { limits } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { ObjectEvent } from '../core/change.ts';
import type { Sid } from '../core/object.ts';
import type { Query, Storage } from '../storage/storage.ts';
import type { Hub } from './hub.ts';
import type { Session, Subscription } from './session.ts';

interface Wanted {
  readonly object: Sid;
  /** The client has everything up to here; null: it starts now. */
  readonly after: number | null;
}

export type Subscribed =
  | { readonly object: Sid; readonly missed: readonly ObjectEvent[]; readonly position: number }
  | { readonly object: Sid; readonly failed: ErrorCode };

export interface Recovery {
  /**
   * Subscribes a session to several objects, in parts that its outbox has room for. `answer` is called for each part,
   * synchronously before any event of it is delivered, with what became of each object that still counts.
   */
  subscribe(session: Session, wanted: readonly Wanted[], answer: (subscribed: readonly Subscribed[]) => void): void;
  cancel(session: Session, object: Sid): void;
}

export function createRecovery(
  storage: Storage,
  hub: Hub,
  options: { readonly maxSubscriptions: number; readonly onFailure: (error: unknown, session: Session) => void },
): Recovery {
  /** Reads a part of what was admitted, tells where it stands and lets its events through. */
  const recoverPart = async (session: Session, part: readonly Admitted[], answer: Answer): Promise<void> => {
    const changes = await storage.read(part.map((entry) => queryOf(session, entry)));
    const subscribed: Subscribed[] = [];
    const ready: { readonly pending: Recovering; readonly position: number }[] = [];
    for (const [i, { object, pending }] of part.entries()) {
      if (session.subscriptions.get(object) !== pending) continue;
      const found = changes[i];
      if (found === undefined || found.gone) {
        session.subscriptions.delete(object);
        hub.unfollow(session, object);
        subscribed.push({ object, failed: 54100 });
        continue;
      }
      subscribed.push({ object, missed: found.events, position: found.position });
      ready.push({ pending, position: found.position });
    }
    answer(subscribed);
    for (const { pending, position } of ready) {
      session.becomeLive(pending, position);
      // What was held may have been the removal.
      if (!session.subscriptions.has(pending.object)) hub.unfollow(session, pending.object);
    }
  };

  const recover = async (session: Session, wanted: readonly Wanted[], answer: Answer): Promise<void> => {
    const { admitted, refused } = admit(session, wanted, options.maxSubscriptions);
    if (refused.length > 0) answer(refused);
    await Promise.all(admitted.map(({ object }) => hub.follow(session, object)));
    for (let i = 0; i < admitted.length;) {
      // All at once could be more than may wait for a client, however fast it reads.
      const size = Math.max(1, Math.floor(session.outbox.room / largestEvent));
      const part = admitted
        .slice(i, i + size)
        .filter(({ object, pending }) => session.subscriptions.get(object) === pending);
      if (part.length > 0) await recoverPart(session, part, answer);
      i += size;
      if (i < admitted.length) await session.outbox.whenSent();
    }
  };

  return {
    subscribe(session, wanted, answer) {
      // A session that cannot be told where it stands must come back and ask again.
      recover(session, wanted, answer).catch((error: unknown) => options.onFailure(error, session));
    },
    cancel(session, object) {
      if (session.subscriptions.delete(object)) hub.unfollow(session, object);
    },
  };
}

/** Bytes that one missed event takes at most, whatever the door: its data, its name written in escapes, the rest. */
const largestEvent = limits.dataBytes + 4096;

type Answer = (subscribed: readonly Subscribed[]) => void;
type Recovering = Subscription & { state: 'recovering' };
type Admitted = Wanted & { readonly pending: Recovering };

/** Marks what is asked for as recovering, in place of any older subscription, as far as the bound allows. [SUB5] */
function admit(
  session: Session,
  wanted: readonly Wanted[],
  most: number,
): { readonly admitted: readonly Admitted[]; readonly refused: readonly Subscribed[] } {
  const admitted = new Map<Sid, Admitted>();
  const refused: Subscribed[] = [];
  for (const { object, after } of wanted) {
    if (!session.subscriptions.has(object) && session.subscriptions.size >= most) {
      refused.push({ object, failed: 54419 });
      continue;
    }
    const pending: Recovering = { state: 'recovering', object, held: undefined };
    session.subscriptions.set(object, pending);
    admitted.set(object, { object, after, pending });
  }
  return { admitted: [...admitted.values()], refused };
}

function queryOf(session: Session, wanted: Wanted): Query & { query: 'changes' } {
  return { query: 'changes', service: session.principal.service, object: wanted.object, after: wanted.after };
}
