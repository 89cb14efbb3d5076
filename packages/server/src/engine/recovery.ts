/**
 * Subscribing without a gap: follow first, then read, then let through what is newer than what was read. [SUB1]
 * A newer request for the same object, a cancel or the end of the session makes an older one fall silent. [SUB4]
 */

import { isSid, limits } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { ObjectEvent } from '../core/change.ts';
import { missing } from '../core/existence.ts';
import type { ObjectKind, Sid } from '../core/object.ts';
import { defaultMost } from '../storage/storage.ts';
import type { Changes, Most, Query, Storage } from '../storage/storage.ts';
import type { Hub } from './hub.ts';
import type { Recovering, Session } from './session.ts';

export interface Wanted {
  readonly object: Sid;
  readonly kind: ObjectKind;
  /** The client has everything up to here; null: it starts now. */
  readonly after: number | null;
}

export type Subscribed =
  /** `isComplete` false: the subscription has ended, and there is more to be told after `position`. [SUB8] */
  | { readonly object: Sid; readonly position: number; readonly isComplete: boolean }
  | { readonly object: Sid; readonly failed: ErrorCode };

/** For each part first what was missed, then what became of it, synchronously; live events of its objects come after. */
interface SubscribeListener {
  /** An event that the client has missed. */
  missed(event: ObjectEvent): void;
  /** What became of each object of a part that still counts. */
  settled(subscribed: readonly Subscribed[]): void;
}

export interface Recovery {
  /** Subscribes a session to several objects, in parts that its outbox has room for. */
  subscribe(session: Session, wanted: readonly Wanted[], listener: SubscribeListener): void;
  cancel(session: Session, object: Sid): void;
}

export function createRecovery(
  storage: Storage,
  hub: Hub,
  options: { readonly maxSubscriptions: number; readonly onFailure: (error: unknown, session: Session) => void },
): Recovery {
  const drop = (session: Session, object: Sid): void => {
    if (session.subscriptions.delete(object)) hub.unfollow(session, object);
  };

  /** Reads a part of what was admitted, tells where it stands and lets its events through. */
  const recoverPart = async (
    session: Session,
    part: readonly Admitted[],
    listener: SubscribeListener,
  ): Promise<void> => {
    const most = shareOf(part.length);
    const changes = await storage.read(part.map((entry) => queryOf(session, entry, most)));
    const subscribed: Subscribed[] = [];
    const ready: { readonly pending: Recovering; readonly position: number }[] = [];
    for (const [i, { object, kind, pending }] of part.entries()) {
      if (session.subscriptions.get(object) !== pending) continue;
      const found = changes[i];
      if (found === undefined || found.gone || !isSid(object, kind)) {
        drop(session, object);
        const ref = { service: session.principal.service, kind, by: 'sid', value: object } as const;
        subscribed.push({ object, failed: missing(ref).refused });
        continue;
      }
      const told = tell(found, session, part.length - i, listener);
      const isComplete = told.isComplete && !pending.isOverfull;
      subscribed.push({ object, position: told.position, isComplete });
      if (isComplete) ready.push({ pending, position: told.position });
      else drop(session, object);
    }
    listener.settled(subscribed);
    for (const { pending, position } of ready) {
      session.becomeLive(pending, position);
      // What was held may have been the removal.
      if (!session.subscriptions.has(pending.object)) hub.unfollow(session, pending.object);
    }
  };

  const recover = async (session: Session, wanted: readonly Wanted[], listener: SubscribeListener): Promise<void> => {
    const { admitted, refused } = admit(session, wanted, options.maxSubscriptions);
    if (refused.length > 0) listener.settled(refused);
    await Promise.all(admitted.map(({ object }) => hub.follow(session, object)));
    for (let i = 0; i < admitted.length;) {
      // All at once could be more than may wait for a client, however fast it reads.
      const size = Math.max(1, Math.floor(session.outbox.room / largestEvent));
      const part = admitted
        .slice(i, i + size)
        .filter(({ object, pending }) => session.subscriptions.get(object) === pending);
      if (part.length > 0) await recoverPart(session, part, listener);
      i += size;
      if (i < admitted.length) await session.outbox.whenSent();
    }
  };

  return {
    subscribe(session, wanted, listener) {
      // A session that cannot be told where it stands must come back and ask again.
      recover(session, wanted, listener).catch((error: unknown) => options.onFailure(error, session));
    },
    cancel: drop,
  };
}

/** Bytes that one missed event takes at most, whatever the door: its data, its names written in escapes, the rest. */
const largestEvent = limits.dataBytes + 8192;

type Admitted = Wanted & { readonly pending: Recovering };

/** Marks what is asked for as recovering, in place of any older subscription, as far as the bound allows. [SUB5] */
function admit(
  session: Session,
  wanted: readonly Wanted[],
  most: number,
): { readonly admitted: readonly Admitted[]; readonly refused: readonly Subscribed[] } {
  const admitted = new Map<Sid, Admitted>();
  const refused: Subscribed[] = [];
  for (const { object, kind, after } of wanted) {
    if (!session.subscriptions.has(object) && session.subscriptions.size >= most) {
      refused.push({ object, failed: 54419 });
      continue;
    }
    const pending: Recovering = { state: 'recovering', object, held: undefined, isOverfull: false };
    session.subscriptions.set(object, pending);
    admitted.set(object, { object, kind, after, pending });
  }
  return { admitted: [...admitted.values()], refused };
}

function queryOf(session: Session, { object, after }: Wanted, most: Most): Query & { query: 'changes' } {
  return { query: 'changes', service: session.principal.service, object, after, most };
}

/** The objects of a part share what one answer may hold. */
function shareOf(objects: number): Most {
  const { count, bytes } = defaultMost;
  return { count: Math.ceil(count / objects), bytes: Math.ceil(bytes / objects) };
}

/** Tells what was missed as far as the outbox has room, one event at least; `objects` from this one on share it. */
function tell(
  found: Changes & { gone: false },
  session: Session,
  objects: number,
  listener: SubscribeListener,
): { readonly position: number; readonly isComplete: boolean } {
  let position: number | undefined;
  for (const event of found.events) {
    if (position !== undefined && session.outbox.room < largestEvent * objects) return { position, isComplete: false };
    listener.missed(event);
    position = event.id;
  }
  return { position: found.position, isComplete: !found.interrupted };
}
