/**
 * One connection of the compatible wire, from its first frame to its end. It takes messages and gives messages; what
 * carries them is a `Link`. PROTOCOL.md tells the wire, SPEC.md (CON, TLC) the behaviour.
 */

import { Rate } from '../../core/rate.ts';
import { messageOf } from '../../engine/message.ts';
import type { Link, Message } from '../../engine/message.ts';
import { Outbox } from '../../engine/outbox.ts';
import type { Flusher } from '../../engine/outbox.ts';
import { Session } from '../../engine/session.ts';
import type { Clock } from '../../platform.ts';
import type { Arrival } from '../admission.ts';
import { closing, judgeInit, judgeUpdate } from './authentication.ts';
import type { Judge, LastWords } from './authentication.ts';
import type { EventEncoder } from './events.ts';
import { decodeFrame, encodeFrame, isAcknowledgement } from './frame.ts';
import type { Frame } from './frame.ts';
import { capabilitiesOf, initReply } from './init.ts';
import { Pacing } from './pacing.ts';
import type { PacingOptions } from './pacing.ts';
import { messageTypesOf, Registrations } from './registrations.ts';
import { answerReply, okStatus, reply, statusOf } from './replies.ts';
import type { Answer } from './resources.ts';
import { serveRequest } from './tunnel.ts';
import type { Tunnel } from './tunnel.ts';

/** What all connections of the door share. */
export interface Shared extends Tunnel, Judge {
  readonly clock: Clock;
  readonly encoder: EventEncoder;
  readonly flusher: Flusher;
  /** Bytes that may wait for one client. Infinity: no limit. */
  readonly outboxBytes: number;
  /** Infinity: no limit. */
  readonly initTimeoutMs: number;
  readonly pacing: PacingOptions;
  /** Called once when the connection is over. */
  readonly onEnd: (connection: Connection) => void;
}

type State =
  | { readonly state: 'opening'; readonly cancelTimeout: () => void }
  | { readonly state: 'live'; readonly session: Session }
  /** The token has run out; what arrives waits for a new one. [TLC4] */
  | { readonly state: 'expired'; readonly session: Session }
  | { readonly state: 'ended' };

/** Pings and pongs of WebSocket and updates of the token that a connection may send a second, and at once. [BND11] */
const controlRate = 10;
const controlBurstMs = 5000;
/** Clients name their contexts with 34 characters. */
const mostContextCharacters = 128;

export class Connection {
  readonly #link: Link;
  readonly #arrival: Arrival;
  readonly #shared: Shared;
  readonly #pacing: Pacing;
  readonly #controls: Rate = new Rate(controlRate, controlBurstMs);
  #state: State;
  /** Those of init stand under the empty context. */
  readonly #registrations: Registrations = new Registrations();
  #sendsClientUpdates = false;
  #whenAnswered: (() => void) | undefined;
  #isDraining = false;
  /** When anything last came from, and went to, the client; in ticks. */
  lastReceivedAt: number;
  lastPingAt: number;

  constructor(link: Link, arrival: Arrival, shared: Shared) {
    this.#link = link;
    this.#arrival = arrival;
    this.#shared = shared;
    this.#pacing = new Pacing(link, shared.pacing, shared.clock, {
      isLive: () => this.#state.state === 'live',
      isBackedUp: () => 'session' in this.#state && this.#state.session.outbox.isBackedUp,
      serve: (frame) => this.#serve(frame),
      overflow: () => this.#cut('more waits for it than may'),
    });
    this.lastReceivedAt = shared.clock.ticks();
    this.lastPingAt = this.lastReceivedAt;
    const cancelTimeout = Number.isFinite(shared.initTimeoutMs)
      ? shared.clock.after(shared.initTimeoutMs, () => this.#end('no init'))
      : () => {};
    this.#state = { state: 'opening', cancelTimeout };
  }

  receive(bytes: Buffer, isBinary: boolean): void {
    if (this.#state.state === 'ended' || this.#isDraining) return;
    this.lastReceivedAt = this.#shared.clock.ticks();
    this.#shared.tally.bytesIn += bytes.length;
    if (isBinary && this.#state.state !== 'opening' && isAcknowledgement(bytes)) return;
    const frame = isBinary ? decodeFrame(bytes) : undefined;
    if (frame === undefined) this.#sendLast(closing(this.#shared, 406, 'NOT_ACCEPTABLE', 51130));
    else this.#handle(frame, bytes.length);
  }

  /** A ping or pong of WebSocket itself came, or what costs as much. False: it was one too many. */
  control(): boolean {
    if (this.#state.state === 'ended') return false;
    if (this.#controls.take(this.#shared.clock.ticks()) === 0) return true;
    // Without a close handshake, for which all that still comes would be read.
    this.#cut('it sends too many control frames');
    return false;
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (!('session' in this.#state)) return;
    this.#state.session.outbox.flush();
    this.#pacing.next();
  }

  /** Nothing came for so long that the client must be gone. */
  isSilent(now: number, forMs: number): boolean {
    return now - this.lastReceivedAt >= forMs && !this.#pacing.isWaitingForRate;
  }

  ping(message: Message): void {
    this.lastPingAt = this.#shared.clock.ticks();
    if (this.#state.state === 'live') this.#state.session.outbox.push(message);
  }

  drop(): void {
    this.#link.drop();
    this.closed();
  }

  /** Reads nothing more; resolves when every request that was read is answered. [CON6] */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#pacing.drain();
    if (this.#pacing.isIdle) return Promise.resolve();
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
    this.#pacing.end();
    if (ended.state === 'opening') ended.cancelTimeout();
    else {
      this.#shared.engine.hub.unfollowAll(ended.session);
      this.#shared.engine.hub.detach(ended.session);
      ended.session.end();
    }
    this.#whenAnswered?.();
    this.#shared.onEnd(this);
  }

  #handle(frame: Frame, bytes: number): void {
    const state = this.#state;
    if (state.state === 'opening') {
      if (frame.method === 'init') this.#init(frame, state.cancelTimeout);
      else if (frame.method === 'close') this.#close(1000, '');
      else this.#sendLast(closing(this.#shared, 401, 'UNAUTHORIZED', 51215));
      return;
    }
    if (state.state === 'ended') return;
    switch (frame.method) {
      case 'update':
        if (this.control()) this.#update(frame, state.session);
        return;
      case 'close':
        this.#close(1000, '');
        return;
      case 'reply':
        return;
    }
    this.#pacing.take(frame, bytes, this.lastReceivedAt);
  }

  #serve(frame: Frame): void {
    if (this.#state.state !== 'live') return;
    const { session } = this.#state;
    switch (frame.method) {
      case 'message':
        this.#pacing.began();
        serveRequest(this.#shared, session, frame, this.#registrations.takesOutcomes, (answer) =>
          this.#answer(frame.id, session, answer),
        );
        return;
      case 'put_notification_ctx':
        this.#register(frame, session, messageTypesOf([parsedPayload(frame)]));
        return;
      case 'delete_notification_ctx':
        this.#register(frame, session, []);
        return;
      case 'telemetry.v1':
        return;
      default:
        // A second init lands here too. [CON3] [CON4]
        session.outbox.push(reply(frame.id, badRequest));
    }
  }

  #register(frame: Frame, session: Session, types: readonly string[]): void {
    const context = contextOf(frame);
    if (context !== undefined) this.#registrations.set(context, types);
    session.outbox.push(reply(frame.id, context === undefined ? badRequest : okStatus));
  }

  #init(frame: Frame, cancelTimeout: () => void): void {
    const shared = this.#shared;
    const judged = judgeInit(shared, frame, this.#arrival);
    if ('lastWords' in judged) {
      this.#sendLast(judged.lastWords);
      return;
    }
    cancelTimeout();
    const { principal } = judged;
    const outbox = new Outbox(this.#link, shared.outboxBytes, shared.flusher, () => this.#cut('it reads too slowly'));
    const session = new Session(
      principal,
      outbox,
      {
        encode: (event, isOwn) => {
          const type = this.#registrations.eventTypes[event.kind];
          if (type === undefined) return undefined;
          return isOwn ? shared.encoder.encodeOwn(event, type) : shared.encoder.encode(event, type);
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
    const { identity, service } = principal;
    shared.log.debug({ identity, service, address: this.#arrival.address }, 'connected');
  }

  #update(frame: Frame, session: Session): void {
    const judged = judgeUpdate(this.#shared, frame, this.#arrival, session.principal);
    if ('lastWords' in judged) {
      this.#sendLast(judged.lastWords);
      return;
    }
    this.#shared.engine.hub.detach(session);
    session.replacePrincipal(judged.principal);
    this.#shared.engine.hub.attach(session);
    session.outbox.push(reply(frame.id, okStatus));
    this.#state = { state: 'live', session };
    this.#pacing.next();
  }

  #answer(id: string, session: Session, answer: Answer | 'unknown'): void {
    if (answer === 'unknown') this.drop();
    else {
      if (answer.own !== undefined) session.noteOwn(answer.own);
      session.outbox.push(answerReply(id, answer));
    }
    this.#pacing.answered();
    if (this.#pacing.isIdle) this.#whenAnswered?.();
  }

  #tokenAboutToExpire(session: Session): void {
    if (!this.#sendsClientUpdates) return;
    const fields =
      ',"client_update_type":"token_about_to_expire","client_update_message":"The token is about to expire"';
    session.outbox.push(messageOf(encodeFrame('client_update', this.#shared.nextId(), fields)));
  }

  /** The client does what it should not. It comes back by itself and ends equal to the store. [BND1] */
  #cut(why: string): void {
    this.#shared.log.warn({ address: this.#arrival.address }, `connection cut: ${why}`);
    this.#shared.tally.cuts.add(why);
    this.drop();
  }

  #end(why: string): void {
    this.#shared.tally.cuts.add(why);
    this.#close(1008, why);
  }

  #sendLast({ message, code, reason }: LastWords): void {
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

const badRequest = statusOf(400, 'BAD_REQUEST', 51130);

/** Undefined for what cannot be the name of a context, which is kept as long as the connection. */
function contextOf(frame: Frame): string | undefined {
  const context = frame.header['notification_ctx_id'];
  return typeof context === 'string' && context.length <= mostContextCharacters ? context : undefined;
}

function parsedPayload(frame: Frame): unknown {
  try {
    return JSON.parse(frame.payload.toString());
  } catch {
    return undefined;
  }
}
