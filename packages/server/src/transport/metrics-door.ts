/** `/metrics`, for whoever has the metrics token, or on a port of its own that needs none. [MET2] [MET3] */

import { createHash, timingSafeEqual } from 'node:crypto';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import { errorBody } from './refusal.ts';

/** `token` undefined: nobody is asked who he is; for a listener that only the operator can reach. */
export function addMetrics(app: FastifyInstance, metrics: Metrics, token: string | undefined): void {
  app.get('/metrics', async (request, reply) => {
    reply.header('Cache-Control', 'no-store');
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      return reply.code(401).header('WWW-Authenticate', 'Bearer').send(errorBody(20003));
    }
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}

/** A listener for the metrics alone. */
export function createMetricsHttp(metrics: Metrics): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true, requestTimeout: 10_000 });
  addMetrics(app, metrics, undefined);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody(20404)));
  return app;
}

function isBearer(header: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
