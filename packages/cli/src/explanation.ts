/**
 * Which rule of the verification refuses a token, and what to do. Runs `verifyAccessToken` itself and reads its answer;
 * since this is the operator's side, it may tell the cases of 20103 apart, which the service never does. Pure. [CFG18]
 */

import { SyncError } from '@tallystick/protocol';
import { verifyAccessToken } from '@tallystick/token';
import type { VerifiedToken } from '@tallystick/token';
import { createHmac, randomBytes } from 'node:crypto';
import { decodeToken, isJson } from './decoded-token.ts';
import type { DecodedToken } from './decoded-token.ts';
import { duration, utc } from './human-time.ts';
import type { ApiKey, SyncService } from './operator-api.ts';
import { plain } from './plain-text.ts';
import { adviceFor, issuerProblem } from './refusal-advice.ts';
import type { KeyAtHand } from './signing-key.ts';

/** What the token is judged by. */
export interface Known {
  /** What the service says; undefined when it was not asked. */
  readonly service: ServiceView | undefined;
  readonly secrets: readonly KeyAtHand[];
  /** Sid of the default service, where it is known without asking. */
  readonly defaultService: string | undefined;
}

export interface ServiceView {
  readonly account: string;
  readonly keys: readonly ApiKey[];
  readonly services: readonly SyncService[];
}

/** `open`: cannot be judged with what is at hand. */
type Outcome = 'ok' | 'refused' | 'open' | 'not reached';

interface RuleVerdict {
  /** Its id in SPEC.md. */
  readonly rule: string;
  readonly name: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface Explanation {
  /** `undecided`: no rule refuses, but one is open. */
  readonly verdict: 'accepted' | 'refused' | 'undecided';
  readonly rules: readonly RuleVerdict[];
  readonly refusal: Refusal | undefined;
  /** What to do, in sentences; undefined when all is well. */
  readonly advice: string | undefined;
}

interface Refusal {
  readonly rule: string;
  readonly code: number;
  /** What the service says. */
  readonly message: string;
  readonly why: string;
}

const rules = [
  { rule: 'TOK8', name: 'form', codes: [20101] },
  { rule: 'TOK9', name: 'header', codes: [20102] },
  { rule: 'TOK10', name: 'issuer', codes: [20103] },
  { rule: 'TOK11', name: 'signature', codes: [20107] },
  { rule: 'TOK12', name: 'time', codes: [20104, 20105, 20157] },
  { rule: 'TOK13', name: 'grants', codes: [20106] },
  { rule: 'TOK14', name: 'service', codes: [54050, 54056] },
] as const;

type RuleId = (typeof rules)[number]['rule'];

type Open = Partial<Record<RuleId, { readonly detail: string; readonly advice: string }>>;

/** `now` in milliseconds. */
export function explain(token: string, known: Known, now: number): Explanation {
  const open: Open = {};
  const outcome = judge(token, known, now, open);
  const decoded = outcome instanceof SyncError && outcome.code === 20101 ? undefined : decodeToken(token);
  if (!(outcome instanceof SyncError)) {
    const verdicts = rules.map(({ rule }) => verdictOf(rule, open, detailOf(rule, decoded, outcome, known, now)));
    const advice = Object.values(open)[0]?.advice;
    return { verdict: advice === undefined ? 'accepted' : 'undecided', rules: verdicts, refusal: undefined, advice };
  }
  const at = rules.findIndex(({ codes }) => codes.some((code) => code === outcome.code));
  const refusal = refusalOf(outcome, rules[at]?.rule ?? 'TOK7', decoded, known, now);
  const verdicts = rules.map(({ rule, name }, i): RuleVerdict => {
    if (i === at) return { rule, name, outcome: 'refused', detail: refusal.why };
    if (i > at) return { rule, name, outcome: 'not reached', detail: '' };
    return verdictOf(rule, open, detailOf(rule, decoded, undefined, known, now));
  });
  const advice = adviceFor(outcome.code, decoded?.claims ?? {}, known, now);
  return { verdict: 'refused', rules: verdicts, refusal, advice };
}

type VerifyOptions = Parameters<typeof verifyAccessToken>[1];

/** Says in `open` which rules could not be judged. */
function judge(token: string, known: Known, now: number, open: Open): VerifiedToken | SyncError {
  // For a key in force whose secret is elsewhere. By chance, so that no token is signed with it already.
  const standIn = randomBytes(32).toString('hex');
  const options: VerifyOptions = {
    now: () => now,
    findKey: (sid) => keyOf(sid, known, standIn, open),
    findService: (sid, account) => serviceOf(sid, account, known, open),
  };
  const first = attempt(token, options);
  if (open.TOK11 === undefined || !(first instanceof SyncError) || first.code !== 20107) return first;
  // The rules after the signature are judged on the same words, signed with the stand-in.
  return attempt(resigned(token, standIn), options);
}

function keyOf(sid: string, known: Known, standIn: string, open: Open): ReturnType<VerifyOptions['findKey']> {
  const { service } = known;
  const atHand = known.secrets.find((key) => key.sid === sid);
  if (service === undefined) return atHand;
  if (!service.keys.some((key) => key.sid === sid && key.revokedAt === null)) return undefined;
  if (atHand === undefined) {
    open.TOK11 = {
      detail: 'not judged: the secret of this key is not at hand',
      advice: `Set TALLYSTICK_API_KEY to ${sid} and TALLYSTICK_API_SECRET to its secret, and try again.`,
    };
  }
  return { account: service.account, secret: atHand?.secret ?? standIn };
}

/** `sid` is undefined for the default service. */
function serviceOf(
  sid: string | undefined,
  account: string,
  { service, defaultService }: Known,
  open: Open,
): ReturnType<VerifyOptions['findService']> {
  if (service !== undefined) {
    const found = service.services.find((one) => (sid === undefined ? one.isDefault : one.sid === sid));
    return found === undefined ? undefined : { sid: found.sid, account };
  }
  if (sid !== undefined && sid !== defaultService) {
    open.TOK14 = {
      detail: `not judged: only the service knows ${plain(sid, 60)}`,
      advice: 'Start the service, or name it with --url, and try again.',
    };
  }
  return { sid: sid ?? defaultService ?? 'the default one', account };
}

function attempt(token: string, options: VerifyOptions): VerifiedToken | SyncError {
  try {
    return verifyAccessToken(token, options);
  } catch (error) {
    if (error instanceof SyncError) return error;
    throw error;
  }
}

/** Only for tokens whose form and header passed. */
function resigned(token: string, secret: string): string {
  const signed = token.slice(0, token.lastIndexOf('.'));
  const digest = String(decodeToken(token).header['alg']).replace('HS', 'sha');
  return `${signed}.${createHmac(digest, secret).update(signed).digest('base64url')}`;
}

function verdictOf(rule: RuleId, open: Open, detail: string): RuleVerdict {
  const name = rules.find((one) => one.rule === rule)?.name ?? '';
  const isOpen = open[rule];
  return isOpen === undefined
    ? { rule, name, outcome: 'ok', detail }
    : { rule, name, outcome: 'open', detail: isOpen.detail };
}

/** What passed, in a few words. `verified` is there when every rule did. */
function detailOf(
  rule: RuleId,
  decoded: DecodedToken | undefined,
  verified: VerifiedToken | undefined,
  known: Known,
  now: number,
): string {
  const { header = {}, claims = {}, bytes = 0 } = decoded ?? {};
  const key = claims['iss'];
  switch (rule) {
    case 'TOK8':
      return `three parts, ${bytes} bytes`;
    case 'TOK9':
      return String(header['alg']);
    case 'TOK10':
      return `${String(key)}, ${known.service === undefined ? 'at hand' : 'in force'}`;
    case 'TOK11':
      return `made with the secret in ${known.secrets.find(({ sid }) => sid === key)?.from}`;
    case 'TOK12': {
      const exp = Number(claims['exp']) * 1000;
      return `expires in ${duration(exp - now)}, ${utc(exp)}`;
    }
    case 'TOK13':
      return `identity ${plain(identityOf(claims), 60)}`;
    case 'TOK14':
      return verified?.service ?? '';
  }
}

function identityOf({ grants }: DecodedToken['claims']): string {
  return isJson(grants) ? String(grants['identity']) : '';
}

function refusalOf(
  error: SyncError,
  rule: string,
  decoded: DecodedToken | undefined,
  known: Known,
  now: number,
): Refusal {
  const { code, message } = error;
  const claims = decoded?.claims ?? {};
  const why = code === 20103 ? issuerProblem(claims, known) : message.slice(message.indexOf(': ') + 2);
  return { rule, code, message, why: timed(why, claims, now) };
}

/** "exp has passed" with the time that it was. */
function timed(why: string, claims: DecodedToken['claims'], now: number): string {
  const { exp, nbf } = claims;
  if (why === 'exp has passed' && typeof exp === 'number') {
    return `it expired ${duration(exp * 1000 - now)} ago, ${utc(exp * 1000) ?? 'long ago'}`;
  }
  if (typeof nbf === 'number' && why.startsWith('nbf')) {
    return `it is valid in ${duration(nbf * 1000 - now)} only, ${utc(nbf * 1000) ?? 'far ahead'}`;
  }
  return why;
}
