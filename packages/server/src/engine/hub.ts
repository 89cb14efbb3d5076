/** Which sessions follow which object on this node, and which belong to an identity or a key. */

import type { Bus } from '../bus/bus.ts';
import type { ObjectEvent } from '../core/change.ts';
import type { Identity, Sid } from '../core/object.ts';
import type { Session } from './session.ts';

export class Hub {
  readonly #bus: Bus;
  readonly #followers: Index = new Map();
  readonly #byIdentity: Index = new Map();
  readonly #byKey: Index = new Map();

  constructor(bus: Bus) {
    this.#bus = bus;
    bus.onEvent((event) => this.#deliver(event));
  }

  /** What the sessions of this node are and hold at this moment; looks at every one of them. [MET1] */
  present(): { readonly sessions: number; readonly subscriptions: number; readonly outboxBytes: number } {
    let [sessions, subscriptions, outboxBytes] = [0, 0, 0];
    for (const each of this.#byKey.values()) {
      for (const session of each) {
        sessions++;
        subscriptions += session.subscriptions.size;
        outboxBytes += session.outbox.bytes;
      }
    }
    return { sessions, subscriptions, outboxBytes };
  }

  get followedObjects(): number {
    return this.#followers.size;
  }

  attach(session: Session): void {
    add(this.#byIdentity, identityKey(session.principal.service, session.principal.identity), session);
    add(this.#byKey, session.principal.key, session);
  }

  /** Before its principal is replaced, and when its connection is gone. */
  detach(session: Session): void {
    drop(this.#byIdentity, identityKey(session.principal.service, session.principal.identity), session);
    drop(this.#byKey, session.principal.key, session);
  }

  /** Resolves when no later event of the object can be missed. */
  follow(session: Session, object: Sid): Promise<void> {
    add(this.#followers, object, session);
    return this.#bus.follow(object);
  }

  unfollow(session: Session, object: Sid): void {
    if (drop(this.#followers, object, session)) this.#bus.unfollow(object);
  }

  unfollowAll(session: Session): void {
    for (const object of session.subscriptions.keys()) this.unfollow(session, object);
  }

  /** Drops the standing connections of a key, for instance a revoked one. [ACC3] */
  dropKey(key: Sid): void {
    for (const session of [...(this.#byKey.get(key) ?? [])]) session.drop();
  }

  /** Drops the standing connections of one identity of a service; returns how many there were. [ACC9] */
  dropIdentity(service: Sid, identity: Identity): number {
    const sessions = [...(this.#byIdentity.get(identityKey(service, identity)) ?? [])];
    for (const session of sessions) session.drop();
    return sessions.length;
  }

  dropAll(): void {
    for (const sessions of [...this.#byKey.values()]) for (const session of [...sessions]) session.drop();
  }

  #deliver(event: ObjectEvent): void {
    const followers = this.#followers.get(event.object);
    if (followers === undefined) return;
    for (const session of followers) session.receive(event);
    if (event.type !== 'removed') return;
    // Nothing can come under this sid any more; who still reads the state will find it gone.
    for (const session of followers) if (!session.subscriptions.has(event.object)) this.unfollow(session, event.object);
  }
}

type Index = Map<string, Set<Session>>;

function identityKey(service: Sid, identity: Identity): string {
  return `${service} ${identity}`;
}

function add(index: Index, key: string, session: Session): void {
  const sessions = index.get(key);
  if (sessions === undefined) index.set(key, new Set([session]));
  else sessions.add(session);
}

/** Returns whether the key has no session left. */
function drop(index: Index, key: string, session: Session): boolean {
  const sessions = index.get(key);
  if (sessions === undefined || !sessions.delete(session) || sessions.size > 0) return false;
  index.delete(key);
  return true;
}
