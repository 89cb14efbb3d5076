/** HTTP Basic, for every door that takes credentials of the installation. Nothing tells what was wrong. [ADM1] [RST1] */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SyncError } from '@tallystick/protocol';
import type { Directory } from '../engine/directory.ts';
import { networkOf } from './client-address.ts';
import type { FailureLimit } from './failure-limit.ts';

interface Pair {
  readonly user: string;
  readonly password: string;
}

/** Whether credentials are good. Compares whatever comes, so that time tells nothing. */
export type Accepts = (given: Pair) => boolean;

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export function basicAuthentication({
  realm,
  failures,
  accepts,
}: {
  /** Without quotes. */
  readonly realm: string;
  readonly failures: FailureLimit;
  readonly accepts: Accepts;
}): Hook {
  return async (request, reply) => {
    const from = networkOf(request.ip);
    const wait = failures.waitOf(from);
    if (wait > 0) {
      reply.header('Retry-After', Math.ceil(wait / 1000));
      throw new SyncError(20429, 'too many wrong credentials from this address; wait before trying again');
    }
    const given = credentialsOf(request.headers.authorization);
    if (accepts(given ?? { user: '', password: '' }) && given !== undefined) return;
    failures.failed(from);
    reply.header('WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`);
    throw new SyncError(20003);
  };
}

/** The account's sid and token. */
export function isAccount(directory: Directory): Accepts {
  return ({ user, password }) => {
    const { account, authToken } = directory;
    const accountFits = isEqual(user, account?.sid ?? '');
    const tokenFits = isEqual(password, authToken ?? '');
    return accountFits && tokenFits && account !== undefined && authToken !== undefined;
  };
}

/** The sid and secret of a key in force, or the account's sid and token. */
export function isKeyOrAccount(directory: Directory): Accepts {
  const fitsAccount = isAccount(directory);
  return (given) => {
    const key = directory.key(given.user);
    const keyFits = isEqual(given.password, key?.secret ?? '');
    const accountFits = fitsAccount(given);
    return accountFits || (keyFits && key !== undefined);
  };
}

function credentialsOf(header: string | undefined): Pair | undefined {
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
