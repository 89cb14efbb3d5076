/** Logging in with a name and a password, and out again. Only for IDENTITY=login. */

import { identify, tokenLimits } from '@tallystick/token';
import type { IdentitySource } from '@tallystick/token';
import express from 'express';
import type { NextFunction, Request, Response, Router } from 'express';
import { logIn, logOut } from './sessions.ts';
import { userWith } from './users.ts';

/** Longer names and passwords are nobody's; hashing has its price. */
const mostCharacters = 100;

/** `onError` is told why a login was answered with 500. */
export function loginRoutes(onError: (error: unknown) => void): Router {
  const router = express.Router();
  router.post('/login', onlyOwnPages, express.json({ limit: '1kb' }), loginRoute(onError));
  router.post('/logout', onlyOwnPages, logoutRoute());
  return router;
}

function loginRoute(onError: (error: unknown) => void) {
  const limits = tokenLimits({
    perAddress: 30,
    // A name under attack is slow for its owner too, but nobody guesses more than five passwords a minute.
    perSession: { perMinute: 5, burst: 10 },
    sessionOf: (_request, { native }) => credentialsOf(native as Request)?.name,
  });
  return async (request: Request, response: Response): Promise<void> => {
    const userId = await identify(userWithPassword, request, response, { limits, onError });
    // It has been refused already: no such user (401), no login (400), too many (429).
    if (userId === undefined) return;
    await logIn(request, userId);
    response.status(204).end();
  };
}

function logoutRoute() {
  return async (request: Request, response: Response): Promise<void> => {
    await logOut(request, response);
    response.status(204).end();
  };
}

const userWithPassword: IdentitySource = async (_request, { native }) => {
  const given = credentialsOf(native as Request);
  if (given === undefined) return refusal(400, 'A login is JSON with the texts "name" and "password".');
  const user = await userWith(given.name, given.password);
  // One answer for both, so that nobody can try out which names exist.
  return user?.id ?? refusal(401, 'There is no user with this name and password.');
};

function credentialsOf(request: Request): { name: string; password: string } | undefined {
  const { name, password }: { name?: unknown; password?: unknown } = Object(request.body);
  if (typeof name !== 'string' || typeof password !== 'string') return undefined;
  return name.length <= mostCharacters && password.length <= mostCharacters ? { name, password } : undefined;
}

/** A form of another site could log its visitors in as somebody else, who then reads what they write. */
function onlyOwnPages(request: Request, response: Response, next: NextFunction): void {
  const site = request.get('Sec-Fetch-Site');
  const own = `${request.protocol}://${request.get('Host')}`;
  const isOwn = site === undefined ? request.get('Origin') === own : site === 'same-origin';
  response.set('Cache-Control', 'no-store');
  if (isOwn) next();
  else response.status(403).json({ status: 403, message: 'Logins are for the pages of this site only.' });
}

function refusal(status: number, message: string): globalThis.Response {
  return globalThis.Response.json({ status, message }, { status });
}
