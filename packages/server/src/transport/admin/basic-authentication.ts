/** HTTP Basic with the account's sid and token. Nothing tells a wrong sid from a wrong token. [ADM1] [ADM2] */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '@tallystick/protocol';
import type { Directory } from '../../engine/directory.ts';
import { networkOf } from '../client-address.ts';

/** How often an address may be wrong. */
export interface FailureLimit {
  /** Milliseconds until that address may try again; 0: now. */
  waitOf(address: string): number;
  failed(address: string): void;
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export function basicAuthentication(directory: Directory, failures: FailureLimit): Hook {
  return async (request, reply) => {
    const from = networkOf(request.ip);
    const wait = failures.waitOf(from);
    if (wait > 0) {
      reply.header('Retry-After', Math.ceil(wait / 1000));
      throw new SyncError(20429, 'too many wrong credentials from this address; wait before trying again');
    }
    const { account, authToken } = directory;
    const given = credentialsOf(request.headers.authorization);
    // Both are compared whatever comes, so that time tells nothing.
    const accountFits = isEqual(given?.user ?? '', account?.sid ?? '');
    const tokenFits = isEqual(given?.password ?? '', authToken ?? '');
    if (accountFits && tokenFits && account !== undefined && authToken !== undefined) return;
    failures.failed(from);
    reply.header('WWW-Authenticate', 'Basic realm="Tallystick administration", charset="UTF-8"');
    throw new SyncError(20003);
  };
}

function credentialsOf(header: string | undefined): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]{1,1024}={0,2})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** In constant time for texts of any length. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
