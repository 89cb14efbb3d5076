/** The HTTP listener: health now, and whatever speaks HTTP later. The sockets hang on its `server`. */

import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { errorOf } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';

export interface Health {
  /** Whether a write sent now would be taken. [OPS1] */
  isReady(): boolean;
}

export function createHttp(health: Health): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true, routerOptions: { caseSensitive: true } });

  app.get('/health/live', () => ({ status: 'live' }));
  app.get('/health/ready', (_request, reply) => {
    const ready = health.isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody(20404)));
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send(errorBody(20500)));
  return app;
}

function errorBody(code: ErrorCode): object {
  const { status, message } = errorOf(code);
  return { code, message, status };
}
