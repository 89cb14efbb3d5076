/**
 * The operator's door: keys, services and disconnecting, as JSON under `/admin/v1`, for whoever has the account's sid and
 * token. PROTOCOL.md lists the requests, SPEC.md (ADM) the behaviour.
 */

import type { FastifyError, FastifyInstance, FastifyPluginCallback } from 'fastify';
import { SyncError } from '@tallystick/protocol';
import type { KeyRow, ServiceRow, Sid } from '../../core/object.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Log } from '../../platform.ts';
import { basicAuthentication, isAccount } from '../basic-authentication.ts';
import type { FailureLimit } from '../failure-limit.ts';

export interface AdminParts {
  readonly engine: Engine;
  readonly log: Log;
  readonly failures: FailureLimit;
}

/** Bytes of a request body; what is asked for here is a name. */
const bodyLimit = 16_384;

export function adminDoor({ engine, log, failures }: AdminParts): FastifyPluginCallback {
  return (app, _options, done) => {
    const accepts = isAccount(engine.directory);
    app.addHook('onRequest', basicAuthentication({ realm: 'Tallystick administration', failures, accepts }));
    app.addHook('onSend', async (_request, reply) => void reply.header('Cache-Control', 'no-store'));
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit },
      async (_request: unknown, body: Buffer) => jsonOf(body),
    );
    app.setErrorHandler((error: FastifyError, _request, reply) => {
      const told = toldAs(error);
      if (told === undefined) log.error({ err: error }, 'an administration request failed');
      const { code, message, status } = told ?? new SyncError(20500);
      return reply.code(status).send({ code, message, status });
    });
    app.setNotFoundHandler(() => {
      throw new SyncError(20404);
    });
    keyRoutes(app, engine, log);
    serviceRoutes(app, engine, log);
    done();
  };
}

function keyRoutes(app: FastifyInstance, { administration, directory }: Engine, log: Log): void {
  app.get('/keys', () => ({ keys: newestFirst(directory.keys).map(keyAnswer) }));

  app.post('/keys', async (request, reply) => {
    const { name } = members(request.body, ['name']);
    const { key, secret } = await administration.createKey(name ?? null);
    log.info({ key: key.sid }, 'key created');
    return reply.code(201).send({ ...keyAnswer(key), secret });
  });

  app.delete<{ Params: { sid: string } }>('/keys/:sid', async (request, reply) => {
    await administration.revokeKey(request.params.sid);
    log.info({ key: request.params.sid }, 'key revoked');
    return reply.code(204).send();
  });
}

function serviceRoutes(app: FastifyInstance, { administration, directory }: Engine, log: Log): void {
  const answerOf = (row: ServiceRow): object => serviceAnswer(row, directory.defaultService);
  app.get('/services', () => ({ services: newestFirst(directory.services).map(answerOf) }));

  app.post('/services', async (request, reply) => {
    const { uniqueName } = members(request.body, ['uniqueName']);
    const row = await administration.createService(uniqueName ?? null);
    log.info({ service: row.sid }, 'service created');
    return reply.code(201).send(answerOf(row));
  });

  app.delete<{ Params: { sid: string } }>('/services/:sid/connections', (request) => {
    const { identity } = members(request.query, ['identity']);
    if (identity === undefined) throw new SyncError(20001, 'identity is missing; give ?identity=…');
    const { sid } = request.params;
    const dropped = administration.disconnect(sid === 'default' ? undefined : sid, identity);
    log.info({ service: sid, identity, dropped }, 'identity disconnected');
    return { dropped };
  });
}

/** The platform's own reading makes other characters of bytes that are no UTF-8. [ADM3] */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Said below, without the parser's words, which quote the body.
  }
  throw new SyncError(20001, 'the body is not JSON in UTF-8');
}

/** The members of a body or query, each text if it is there. Throws SyncError 20001 for anything else. [ADM3] */
function members<N extends string>(given: unknown, names: readonly N[]): { readonly [M in N]?: string } {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given)) throw new SyncError(20001, 'the body is not a JSON object');
  const found: { [M in N]?: string } = {};
  for (const [name, value] of Object.entries(given)) {
    const known = names.find((each) => each === name);
    if (known === undefined) throw new SyncError(20001, `only ${names.join(', ')} can be given here`);
    if (typeof value !== 'string') throw new SyncError(20001, `${name} is not a single text`);
    found[known] = value;
  }
  return found;
}

/** What the requester is told, or undefined when the fault is ours. The platform's own refusals are all of the request. */
function toldAs(error: FastifyError): SyncError | undefined {
  if (error instanceof SyncError) return error;
  const status = error.statusCode ?? 500;
  if (status === 413) return new SyncError(20413);
  if (status === 415) return new SyncError(20001, 'send the body as Content-Type: application/json');
  return status >= 400 && status < 500 ? new SyncError(20001, 'the request or its JSON is malformed') : undefined;
}

function newestFirst<R extends { readonly createdAt: number; readonly sid: Sid }>(rows: readonly R[]): readonly R[] {
  return rows.toSorted((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? -1 : 1));
}

function keyAnswer({ sid, name, createdAt, revokedAt }: KeyRow): object {
  return { sid, name, createdAt: iso(createdAt), revokedAt: revokedAt === null ? null : iso(revokedAt) };
}

function serviceAnswer({ sid, uniqueName, createdAt }: ServiceRow, defaultService: Sid | undefined): object {
  return { sid, uniqueName, createdAt: iso(createdAt), isDefault: sid === defaultService };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
