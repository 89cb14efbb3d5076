/**
 * One connection of the compatible wire, from its first frame to its end. It takes messages and gives messages; what
 * carries them is a `Link`. PROTOCOL.md tells the wire, SPEC.md (CON, TLC) the behaviour.
 */

import { SyncError } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import type { Authenticate } from '../../auth.ts';
import type { Principal } from '../../core/principal.ts';
import { messageOf } from '../../engine/message.ts';
import type { Link, Message } from '../../engine/message.ts';
import { Outbox } from '../../engine/outbox.ts';
import type { Flusher } from '../../engine/outbox.ts';
import { Session } from '../../engine/session.ts';
import type { Clock, Log } from '../../platform.ts';
import type { EventEncoder } from './events.ts';
import { decodeFrame, encodeFrame, isAcknowledgement } from './frame.ts';
import type { Frame } from './frame.ts';
import { capabilitiesOf, initReply } from './init.ts';
import { messageTypesOf, Registrations } from './registrations.ts';
import { answerReply, closeFrame, okStatus, refusalStatus, reply, statusOf, unauthorizedStatus } from './replies.ts';
import type { Answer } from './resources.ts';
import { serveRequest } from './tunnel.ts';
import type { Tunnel } from './tunnel.ts';

/** What all connections of the door share. */
export interface Shared extends Tunnel {
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly log: Log;
  readonly encoder: EventEncoder;
  readonly flusher: Flusher;
  /** Bytes that may wait for one client. Infinity: no limit. */
  readonly outboxBytes: number;
  readonly initTimeoutMs: number;
  /** Called once when the connection is over. */
  readonly onEnd: (connection: Connection) => void;
}

type State =
  | { readonly state: 'opening'; readonly cancelTimeout: () => void }
  | { readonly state: 'live'; readonly session: Session }
  /** The token has run out; what arrives waits for a new one. [TLC4] */
  | { readonly state: 'expired'; readonly session: Session }
  | { readonly state: 'ended' };

/** Requests of one connection under way at once: their answers together fit into the smallest sensible outbox. */
const mostOpen = 32;
/** Frames that may wait to be served; a client with more has gone wrong. */
const mostHeld = 1_000;

export class Connection {
  readonly #link: Link;
  readonly #shared: Shared;
  #state: State;
  /** Those of init stand under the empty context. */
  readonly #registrations: Registrations = new Registrations();
  #sendsClientUpdates = false;
  #openRequests = 0;
  /** What waits until answers were given, the client has read, or the token was renewed. [BND3] [TLC4] */
  readonly #held: Frame[] = [];
  #isServingHeld = false;
  #whenAnswered: (() => void) | undefined;
  #isDraining = false;
  /** When anything last came from, and went to, the client. */
  lastReceivedAt: number;
  lastPingAt: number;

  constructor(link: Link, shared: Shared) {
    this.#link = link;
    this.#shared = shared;
    this.lastReceivedAt = shared.clock.now();
    this.lastPingAt = this.lastReceivedAt;
    const cancelTimeout = Number.isFinite(shared.initTimeoutMs)
      ? shared.clock.after(shared.initTimeoutMs, () => this.#close(1008, 'no init'))
      : () => {};
    this.#state = { state: 'opening', cancelTimeout };
  }

  receive(bytes: Buffer, isBinary: boolean): void {
    if (this.#state.state === 'ended' || this.#isDraining) return;
    this.lastReceivedAt = this.#shared.clock.now();
    if (isBinary && this.#state.state !== 'opening' && isAcknowledgement(bytes)) return;
    const frame = isBinary ? decodeFrame(bytes) : undefined;
    if (frame === undefined) this.#refuse(406, 'NOT_ACCEPTABLE', 51130);
    else this.#handle(frame);
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (!('session' in this.#state)) return;
    this.#state.session.outbox.flush();
    this.#serveHeld();
  }

  ping(message: Message): void {
    this.lastPingAt = this.#shared.clock.now();
    if (this.#state.state === 'live') this.#state.session.outbox.push(message);
  }

  drop(): void {
    this.#link.drop();
    this.closed();
  }

  /** Reads nothing more; resolves when every request that was read is answered. [CON6] */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#link.pause();
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenAnswered = resolve;
    });
  }

  restart(): void {
    this.#close(1012, 'service restart');
  }

  /** The socket is gone, from whichever side. */
  closed(): void {
    const ended = this.#state;
    if (ended.state === 'ended') return;
    this.#state = { state: 'ended' };
    if (ended.state === 'opening') ended.cancelTimeout();
    else {
      this.#shared.engine.hub.unfollowAll(ended.session);
      this.#shared.engine.hub.detach(ended.session);
      ended.session.end();
    }
    this.#whenAnswered?.();
    this.#shared.onEnd(this);
  }

  #handle(frame: Frame): void {
    const state = this.#state;
    if (state.state === 'opening') {
      if (frame.method === 'init') this.#init(frame, state.cancelTimeout);
      else if (frame.method === 'close') this.#close(1000, '');
      else this.#refuse(401, 'UNAUTHORIZED', 51215);
      return;
    }
    if (state.state === 'ended') return;
    switch (frame.method) {
      case 'update':
        this.#update(frame, state.session);
        return;
      case 'close':
        this.#close(1000, '');
        return;
      case 'reply':
      case 'telemetry.v1':
        return;
    }
    if (this.#canServe && this.#held.length === 0) this.#serve(frame, state.session);
    else this.#hold(frame);
  }

  /** What waits for a new token may wait in vain, so it does not count. */
  get #isIdle(): boolean {
    return this.#openRequests === 0 && (this.#held.length === 0 || this.#state.state !== 'live');
  }

  get #canServe(): boolean {
    return this.#state.state === 'live' && this.#openRequests < mostOpen && !this.#state.session.outbox.isBackedUp;
  }

  #hold(frame: Frame): void {
    if (this.#held.length >= mostHeld) {
      this.#overflow();
      return;
    }
    this.#held.push(frame);
    // Without a valid token the client must still be heard: it may send a new one.
    if (this.#state.state === 'live') this.#link.pause();
  }

  #serveHeld(): void {
    if (this.#isServingHeld || this.#held.length === 0) return;
    this.#isServingHeld = true;
    while (this.#canServe && 'session' in this.#state) {
      const frame = this.#held.shift();
      if (frame === undefined) break;
      this.#serve(frame, this.#state.session);
    }
    this.#isServingHeld = false;
    if (this.#held.length === 0 && !this.#isDraining) this.#link.resume();
  }

  #serve(frame: Frame, session: Session): void {
    switch (frame.method) {
      case 'message':
        this.#openRequests++;
        serveRequest(this.#shared, session, frame, this.#registrations.takesOutcomes, (answer) =>
          this.#answer(frame.id, session, answer),
        );
        return;
      case 'put_notification_ctx':
        this.#registrations.set(contextOf(frame), messageTypesOf([parsedPayload(frame)]));
        session.outbox.push(reply(frame.id, okStatus));
        return;
      case 'delete_notification_ctx':
        this.#registrations.set(contextOf(frame), []);
        session.outbox.push(reply(frame.id, okStatus));
        return;
      default:
        // A second init lands here too. [CON3] [CON4]
        session.outbox.push(reply(frame.id, statusOf(400, 'BAD_REQUEST', 51130)));
    }
  }

  #init(frame: Frame, cancelTimeout: () => void): void {
    const shared = this.#shared;
    const principal = this.#authenticated(frame);
    if (principal === undefined) return;
    cancelTimeout();
    const outbox = new Outbox(this.#link, shared.outboxBytes, shared.flusher, () => this.#overflow());
    const session = new Session(
      principal,
      outbox,
      {
        encode: (event) => {
          const { eventType } = this.#registrations;
          return eventType === undefined ? undefined : shared.encoder.encode(event, eventType);
        },
        tokenAboutToExpire: () => this.#tokenAboutToExpire(session),
        tokenExpired: () => {
          this.#state = { state: 'expired', session };
          this.#link.resume();
        },
        drop: () => this.drop(),
      },
      shared.clock,
    );
    const capabilities = capabilitiesOf(frame.header);
    this.#sendsClientUpdates = capabilities.includes('client_update');
    const { registrations } = frame.header;
    if (Array.isArray(registrations)) this.#registrations.set('', messageTypesOf(registrations));
    this.#state = { state: 'live', session };
    shared.engine.hub.attach(session);
    outbox.push(messageOf(encodeFrame('reply', frame.id, initReply(frame.header, capabilities, principal, shared))));
    session.start();
    shared.log.debug({ identity: principal.identity, service: principal.service }, 'connected');
  }

  /** Undefined when the token was refused; the client has been told and the connection closed. [CON2] */
  #authenticated(frame: Frame): Principal | undefined {
    try {
      return this.#shared.authenticate(frame.header['token']);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.#sendLast(reply(frame.id, refusalStatus(error)), 1008, 'token refused');
      this.#shared.log.info({ code: error.code, reason: error.message }, 'token refused');
      return undefined;
    }
  }

  #update(frame: Frame, session: Session): void {
    let principal: Principal;
    try {
      principal = this.#shared.authenticate(frame.header['token']);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.#sendLast(reply(frame.id, unauthorizedStatus(error)), 1008, 'token refused');
      return;
    }
    const { identity, service } = session.principal;
    if (principal.identity !== identity || principal.service !== service) {
      this.#refuse(308, 'UPDATE_IS_FORBIDDEN', 51232);
      return;
    }
    this.#shared.engine.hub.detach(session);
    session.replacePrincipal(principal);
    this.#shared.engine.hub.attach(session);
    session.outbox.push(reply(frame.id, okStatus));
    this.#state = { state: 'live', session };
    this.#serveHeld();
  }

  #answer(id: string, session: Session, answer: Answer | 'unknown'): void {
    if (answer === 'unknown') this.drop();
    else session.outbox.push(answerReply(id, answer));
    this.#openRequests--;
    this.#serveHeld();
    if (this.#isIdle) this.#whenAnswered?.();
  }

  #tokenAboutToExpire(session: Session): void {
    if (!this.#sendsClientUpdates) return;
    const fields =
      ',"client_update_type":"token_about_to_expire","client_update_message":"The token is about to expire"';
    session.outbox.push(messageOf(encodeFrame('client_update', this.#shared.nextId(), fields)));
  }

  /** The client does not read. It comes back by itself and ends equal to the store. [BND1] */
  #overflow(): void {
    this.#shared.log.warn({}, 'connection cut: the client reads too slowly');
    this.drop();
  }

  #refuse(code: number, status: string, errorCode: ErrorCode): void {
    this.#sendLast(closeFrame(this.#shared.nextId(), statusOf(code, status, errorCode)), 1008, status);
  }

  #sendLast(message: Message, code: number, reason: string): void {
    if ('session' in this.#state) this.#state.session.outbox.flush();
    this.#link.send([message]);
    this.#close(code, reason);
  }

  #close(code: number, reason: string): void {
    if ('session' in this.#state) this.#state.session.outbox.flush();
    this.#link.close(code, reason);
    this.closed();
  }
}

function contextOf(frame: Frame): string {
  return String(frame.header['notification_ctx_id']);
}

function parsedPayload(frame: Frame): unknown {
  try {
    return JSON.parse(frame.payload.toString());
  } catch {
    return undefined;
  }
}
