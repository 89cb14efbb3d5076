/** Who is logged in, kept on the server and found by an unguessable id in a cookie. Only for IDENTITY=login. */

import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';

declare module 'express-session' {
  interface SessionData {
    /** The stable id of the user who logged in. */
    userId: string;
  }
}

const cookieName = 'session';

/** A session ends this long after it was last used, in milliseconds: eight hours. */
const idleMs = 8 * 3_600_000;

/** `secret` signs the ids. The store is the memory of this process: for more, give express-session another `store`. */
export function sessions(secret: string): RequestHandler {
  return session({
    name: cookieName,
    secret,
    // Nothing is kept of visitors who have not logged in.
    saveUninitialized: false,
    resave: false,
    rolling: true,
    // Secure as the request came: behind a proxy that ends TLS, see TRUST_PROXY.
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: idleMs },
  });
}

/** Under a new session id: one that was known before the login, to whomever, must not become a logged-in one. */
export async function logIn(request: Request, userId: string): Promise<void> {
  await settled((done) => request.session.regenerate(done));
  request.session.userId = userId;
  await settled((done) => request.session.save(done));
}

export async function logOut(request: Request, response: Response): Promise<void> {
  await settled((done) => request.session.destroy(done));
  response.clearCookie(cookieName, { path: '/', httpOnly: true, sameSite: 'lax' });
}

function settled(start: (done: (error?: unknown) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  start((error) => (error === undefined || error === null ? resolve() : reject(error)));
  return promise;
}
