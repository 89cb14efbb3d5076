/**
 * The REST API under `/v1`, for back ends: form bodies in, JSON out, over the same engine as the sockets. One file a
 * resource; here are credentials, the way from path to resource, and errors. SPEC.md (RST) has the rules.
 */

import type { FastifyError, FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { errorOf, SyncError } from '@tallystick/protocol';
import type { Engine } from '../../engine/engine.ts';
import type { Log } from '../../platform.ts';
import { basicAuthentication, isKeyOrAccount } from '../basic-authentication.ts';
import type { FailureLimit } from '../failure-limit.ts';
import type { Handler, Resource } from './call.ts';
import { documentResources } from './documents.ts';
import { parametersOf } from './parameters.ts';
import type { Parameters } from './parameters.ts';
import { targetOf } from './path.ts';
import { serviceResources } from './services.ts';
import type { UnderWay } from './under-way.ts';

export interface RestParts {
  readonly engine: Engine;
  readonly log: Log;
  readonly failures: FailureLimit;
  /** Asked at each request: it may hold the port, which is known once the service listens. */
  readonly origin: () => string;
  readonly underWay: UnderWay;
}

const resources: readonly Resource[] = [...serviceResources, ...documentResources];

/** Bytes of a body. The largest data with every byte percent-encoded are 48 KiB, its blanks not counted. */
const bodyLimit = 204_800;
const formType = 'application/x-www-form-urlencoded';
/** In place of a body that is not read. */
const noForm = 'no form';

export function restDoor(parts: RestParts): FastifyPluginCallback {
  const { engine, failures, underWay } = parts;
  return (app, _options, done) => {
    const accepts = isKeyOrAccount(engine.directory);
    app.addHook('onRequest', async (_request, reply) => underWay.enter(reply.raw));
    app.addHook('onRequest', basicAuthentication({ realm: 'Tallystick', failures, accepts }));
    app.addHook('onSend', async (_request, reply) => void reply.header('Cache-Control', 'no-store'));
    takeForms(app);
    app.setErrorHandler((error: FastifyError, request, reply) => tell(parts, error, request, reply));
    app.setNotFoundHandler(() => {
      throw new SyncError(20404);
    });
    app.all('/*', (request, reply) => serve(parts, request, reply));
    done();
  };
}

/** A body of another type is refused where it would be read. [RST5] */
function takeForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(formType, { parseAs: 'buffer', bodyLimit }, async (_request: unknown, body: Buffer) =>
    formOf(body),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, async (_request: unknown, body: Buffer) =>
    body.length === 0 ? undefined : noForm,
  );
}

function formOf(body: Buffer): Parameters | typeof noForm {
  try {
    return parametersOf(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return noForm;
  }
}

async function serve(parts: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { parts: path, query } = targetOf(request.raw.url ?? '');
  const found = path === undefined ? undefined : resourceAt(path);
  if (found === undefined) throw new SyncError(20404);
  const { methods } = found.resource;
  const handler = handlerOf(methods, request.method);
  if (handler === undefined) {
    reply.header('Allow', Object.keys(methods).join(', '));
    throw new SyncError(20004);
  }
  const answer = await handler({
    engine: parts.engine,
    origin: parts.origin(),
    ids: found.ids,
    query: parametersOf(query),
    form: request.method === 'POST' ? givenForm(request.body) : new Map(),
    ifMatch: request.headers['if-match'],
  });
  if (answer === 'unknown') {
    // A 5xx would say that nothing was changed. [WRI4]
    reply.hijack();
    reply.raw.destroy();
    return reply;
  }
  if (answer.revision !== undefined) reply.header('ETag', `"${answer.revision}"`);
  reply.code(answer.status);
  if (answer.body === '') return reply.send();
  return reply.header('Content-Type', 'application/json; charset=utf-8').send(answer.body);
}

function resourceAt(path: readonly string[]): { resource: Resource; ids: readonly string[] } | undefined {
  const resource = resources.find(
    (each) => each.path.length === path.length && each.path.every((part, i) => part === '*' || part === path[i]),
  );
  return resource && { resource, ids: path.filter((_part, i) => resource.path[i] === '*') };
}

function handlerOf(methods: Resource['methods'], method: string): Handler | undefined {
  return method === 'GET' || method === 'POST' || method === 'DELETE' ? methods[method] : undefined;
}

function givenForm(body: unknown): Parameters {
  if (body === undefined || body === null) return new Map();
  if (body instanceof Map) return body as Parameters;
  throw new SyncError(20001, `send the parameters as ${formType}, in UTF-8`);
}

function tell({ log, origin }: RestParts, error: FastifyError, request: FastifyRequest, reply: FastifyReply): unknown {
  const told = toldAs(error, request);
  if (told === undefined) log.error({ err: error }, 'a REST request failed');
  const { code, message, status } = told ?? new SyncError(20500);
  return reply.code(status).send({ code, message, more_info: `${origin()}/errors/${code}`, status });
}

/** What the requester is told, or undefined when the fault is ours. The platform's own refusals are all of the request. */
function toldAs(error: FastifyError | SyncError, request: FastifyRequest): SyncError | undefined {
  if (error instanceof SyncError) {
    // Back ends know one code for all that is not there. [RST4]
    if (errorOf(error.code).status !== 404) return error;
    return new SyncError(20404, `The requested resource ${targetOf(request.raw.url ?? '').path} was not found`);
  }
  const status = error.statusCode ?? 500;
  if (status === 413) return new SyncError(20413);
  return status >= 400 && status < 500 ? new SyncError(20001, 'the request is malformed') : undefined;
}
