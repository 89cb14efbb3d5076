/**
 * Who is asking? The most critical decision of a token backend, and the one place to change for an app with a login.
 *
 * Here everybody is an anonymous visitor: a signed cookie keeps one random identity for one browser. With a login, answer
 * the stable id of the logged-in user instead, and undefined (401) when nobody is. Never take it from query or body.
 */

import { createHash } from 'node:crypto';
import { anonymousVisitor } from '@tallystick/token';
import type { Request, Response } from 'express';

/** The identity, 1 to 256 characters, or undefined for "not logged in". */
export type AuthenticatedSenderOf = (
  request: Request,
  response: Response,
) => string | undefined | Promise<string | undefined>;

/** `secret` signs the cookies: whoever has it can be anybody, and with another one everybody is a new visitor. */
export function anonymousSender(secret: string): AuthenticatedSenderOf {
  // Not the secret itself: what signs tokens should sign nothing else.
  const visitor = anonymousVisitor({ secret: createHash('sha256').update(`visitors\n${secret}`).digest('hex') });
  return (request, response) => {
    const { identity, setCookie } = visitor.identify(request.headers.cookie, { secure: request.secure });
    if (setCookie !== undefined) response.append('Set-Cookie', setCookie);
    return identity;
  };
}
