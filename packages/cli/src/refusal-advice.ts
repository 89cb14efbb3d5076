/** What to do about a refused token, code by code, and the cases of 20103, which the service itself never tells apart. */

import type { DecodedToken } from './decoded-token.ts';
import type { Known } from './explanation.ts';
import { duration, minuteOf } from './human-time.ts';
import { plain } from './plain-text.ts';

type Claims = DecodedToken['claims'];

/** A token that lived for less was hardly meant to, in seconds. */
const suspiciouslyShort = 60;

/** Which of the three things that 20103 may mean is the case. */
export function issuerProblem(claims: Claims, known: Known): string {
  const { iss, sub } = claims;
  if (typeof iss !== 'string' || !iss.startsWith('SK')) {
    const account = typeof iss === 'string' && iss.startsWith('AC');
    return account ? 'iss is an account; an API key must sign' : 'iss is not the sid of an API key';
  }
  const shown = plain(iss, 60);
  const { service } = known;
  const listed = service?.keys.find(({ sid }) => sid === iss);
  if (service !== undefined && listed === undefined) return `${shown} is no key of this service`;
  if (listed?.revokedAt) return `${shown} was revoked ${minuteOf(listed.revokedAt)} UTC`;
  const atHand = known.secrets.find(({ sid }) => sid === iss);
  if (service === undefined && atHand === undefined) {
    const others = known.secrets.map(({ sid, from }) => `${sid} of ${from}`).join(', ');
    return `${shown} is not at hand, only ${others}`;
  }
  const account = service?.account ?? atHand?.account;
  return `sub is ${typeof sub === 'string' ? plain(sub, 60) : 'missing'}, and the key belongs to ${account}`;
}

/** Sentences. `now` in milliseconds. */
export function adviceFor(code: number, claims: Claims, known: Known, now: number): string {
  switch (code) {
    case 20101:
      return 'Send the token as the backend made it: whole, without quotation marks and without "Bearer".';
    case 20102:
      return 'Mint with a library for Access Tokens (@tallystick/token or twilio), whose header is right; one for any JWT leaves cty out.';
    case 20103:
      return issuerAdvice(claims, known);
    case 20107:
      return (
        "Compare the backend's TWILIO_API_SECRET with the secret that was told with this key. The account's auth token " +
        'does not sign. A lost secret is replaced by another key: tallystick keys create.'
      );
    case 20104:
      return expiryAdvice(claims);
    case 20105:
      return aheadAdvice(claims, now);
    case 20157:
      return 'Mint with a ttl of at most 86400 seconds, and let the client fetch another before the end.';
    case 20106:
      return 'Correct it where the backend mints the token: it needs an identity and a Sync grant.';
    default:
      return "Put a sid of tallystick service list into the backend's TWILIO_SYNC_SERVICE_SID, or leave it out for the default service.";
  }
}

function issuerAdvice({ iss, sub }: Claims, known: Known): string {
  const { service } = known;
  const account = service?.account ?? known.secrets.find(({ sid }) => sid === iss)?.account;
  const isKnown =
    service === undefined
      ? account !== undefined
      : service.keys.some((key) => key.sid === iss && key.revokedAt === null);
  if (isKnown && sub !== account) return `Set the backend's TWILIO_ACCOUNT_SID to ${account}.`;
  const make = 'Give the backend a key in force: tallystick keys list shows them, tallystick keys create makes one.';
  return service === undefined ? `${make} Other keys are judged by asking the service: --url.` : make;
}

function expiryAdvice({ exp, iat }: Claims): string {
  const renew = 'Fetch another from the token endpoint; a client does so at tokenAboutToExpire.';
  if (typeof exp !== 'number') return 'Mint with a ttl: exp must be a number of seconds.';
  if (typeof iat !== 'number' || exp - iat >= suspiciouslyShort) return renew;
  return (
    `It lived for ${duration((exp - iat) * 1000)} only. The official library takes a ttl given as text for milliseconds: ` +
    'pass a number, Number(process.env.TTL).'
  );
}

function aheadAdvice({ nbf }: Claims, now: number): string {
  if (typeof nbf !== 'number') return 'Mint without nbf, or with a whole number of seconds.';
  const ahead = duration(nbf * 1000 - now);
  return `Set the clocks: the backend's may be ahead by ${ahead}, and 30 s are allowed. Or mint without nbf.`;
}
