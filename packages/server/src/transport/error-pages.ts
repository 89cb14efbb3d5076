/** Where the `more_info` of a refusal leads: the row of the register, for everybody. [RST4] */

import type { FastifyInstance } from 'fastify';
import { register } from '@tallystick/protocol';
import { errorBody } from './refusal.ts';

const rows: ReadonlyMap<string, object> = new Map(
  Object.entries(register).map(([code, row]) => [code, { code: Number(code), ...row }]),
);

export function addErrorPages(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>('/errors/:code', (request, reply) => {
    const row = rows.get(request.params.code);
    return row === undefined ? reply.code(404).send(errorBody(20404)) : row;
  });
}
