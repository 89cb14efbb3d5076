/** The HTTP listener: health now, and whatever speaks HTTP later. The sockets hang on its `server`. */

import { createServer as createPlainServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Clock } from '../platform.ts';
import { addErrorPages } from './error-pages.ts';
import { errorBody, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { secureOptions } from './tls.ts';
import type { KeyPair } from './tls.ts';

export interface Health {
  /** Whether a write sent now would be taken. [OPS1] */
  isReady(): boolean;
}

/** Each bound: Infinity for no limit. */
export interface HttpOptions {
  /** For a whole request, and for the handshake of TLS before it. */
  readonly requestTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxUrlBytes: number;
  /** Whether an address is that of a trusted proxy. */
  readonly trusts: (address: string) => boolean;
  /** Undefined: without TLS. */
  readonly tls: KeyPair | undefined;
  readonly clock: Clock;
  /** Called for every connection, before anything came from it. */
  readonly onConnection: (socket: Socket) => void;
}

/** Longer than the 60 s after which usual proxies close idle connections to their servers, so that they do it first. */
const keepAliveMs = 72_000;
/** Requests of one connection, after which it is closed: many at once, answers unread, would keep others waiting. */
const mostRequests = 100;
/** Node looks for late requests at this interval, or more often when they have little time. */
const checkMs = 5000;

export function createHttp(health: Health, options: HttpOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { caseSensitive: true },
    trustProxy: options.trusts,
    serverFactory: (handler) => createListener(options, handler),
    clientErrorHandler(error, socket) {
      const refusal = refusalOf(error.code);
      if (refusal === undefined) socket.destroy();
      else refuse(socket, refusal, options.clock);
    },
    frameworkErrors(_error, _request, reply: FastifyReply) {
      void reply.code(400).send(errorBody(20001));
    },
  });

  app.addHook('onRequest', (request, reply, next) => {
    if (request.url.length > options.maxUrlBytes) void reply.code(414).send(errorBody(20414));
    // Proxies may have gone by the other one.
    else if (hasTwoHosts(request.raw.rawHeaders)) void reply.code(400).send(errorBody(20001));
    else next();
  });
  app.get('/health/live', () => ({ status: 'live' }));
  app.get('/health/ready', (_request, reply) => {
    const ready = health.isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
  });
  addErrorPages(app);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody(20404)));
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode === 413) return reply.code(413).send(errorBody(20413));
    const isOfClient = statusCode >= 400 && statusCode < 500;
    return isOfClient ? reply.code(400).send(errorBody(20001)) : reply.code(500).send(errorBody(20500));
  });
  return app;
}

/** Names and values follow each other. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length > 1;
}

function createListener(options: HttpOptions, handler: RequestListener): Server {
  const timeoutMs = Number.isFinite(options.requestTimeoutMs) ? options.requestTimeoutMs : 0;
  const bounds: ServerOptions = {
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    connectionsCheckingInterval: Math.min(checkMs, Math.max(1, options.requestTimeoutMs / 2)),
    keepAliveTimeout: keepAliveMs,
    // Any other upgrade, which some clients offer by themselves, is a request like any.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    maxHeaderSize: Math.min(options.maxHeaderBytes, 2 ** 31 - 1),
  };
  const handshakeTimeout = timeoutMs > 0 ? timeoutMs : 2 ** 31 - 1;
  const server: Server =
    options.tls === undefined
      ? createPlainServer(bounds, handler)
      : createTlsServer({ ...bounds, ...secureOptions(options.tls), handshakeTimeout }, handler);
  // Also for a client that does not read its answers. Twice as long, so that a late request is told before.
  server.timeout = 2 * timeoutMs;
  server.maxRequestsPerSocket = mostRequests;
  // More than that came without waiting for answers. To answer all of it, if only with 503, would take as long.
  server.on('dropRequest', (_request, socket) => socket.destroy());
  server.on('connection', options.onConnection);
  return server;
}

/** New connections get this certificate; those that stand keep theirs. [OPS5] */
export function useKeyPair(server: Server, pair: KeyPair): void {
  if (server instanceof TlsServer) server.setSecureContext(secureOptions(pair));
}

/** What broke before there was a request. Undefined: the connection itself, or its TLS. */
function refusalOf(code: string | undefined): Refusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { reason: 'time', code: 20408 };
  if (code === 'HPE_HEADER_OVERFLOW') return { reason: 'header', code: 20431 };
  return code?.startsWith('HPE_') ? { reason: 'form', code: 20001 } : undefined;
}
