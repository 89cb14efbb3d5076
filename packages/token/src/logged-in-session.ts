/** The identity of a user who has logged in: the application's own session names the user, this takes its word with care. */

import type { IdentityContext, IdentitySource } from './identity-source.ts';
import { checkOptionNames, checkPlainName } from './options.ts';

export interface LoggedInSessionOptions {
  /**
   * The stable id of the user whose session this is, from `context.native`: under Express its request, with `session`. Null
   * or undefined when nobody is logged in: 401. A Response of your own is sent as it is, such as 403. Use the id rather than
   * the e-mail address: addresses change hands, and they show up in logs, webhooks and permissions.
   */
  readonly userOf: (request: Request, context: IdentityContext) => User | Promise<User>;
  /** `user` makes 42 the identity `user-42`, so that users and other identities cannot meet. Left out: none. */
  readonly prefix?: string | undefined;
}

type User = string | number | null | undefined | Response;

/** What a template or a conversion makes of an id that is missing: everybody without one would be the same user. */
const lookUpFailed = /^(?:undefined|null|NaN|\[object .*\])$/;

/** Returns an identity source. Throws a TypeError that names a wrong option. [TOK25] */
export function loggedInSession(options: LoggedInSessionOptions): IdentitySource {
  checkOptionNames('loggedInSession', options, ['userOf', 'prefix']);
  const { userOf, prefix } = options;
  if (typeof userOf !== 'function') throw new TypeError('userOf must be a function of the request and its context');
  if (prefix !== undefined) checkPlainName('prefix', prefix);

  return async (request, context) => {
    const user = await userOf(request, context);
    if (user === null || user === undefined || user instanceof Response) return user;
    const id = checkedId(user);
    return prefix === undefined ? id : `${prefix}-${id}`;
  };
}

function checkedId(user: unknown): string {
  // 0 is what a failed look-up leaves behind, and beyond 2^53 two ids become one number.
  if (typeof user === 'number' && Number.isSafeInteger(user) && user !== 0) return String(user);
  if (typeof user !== 'string' || user.trim() === '' || lookUpFailed.test(user)) {
    throw new TypeError(
      'userOf must give the id of a user as text or a whole number, or null when nobody is logged in',
    );
  }
  return user;
}
