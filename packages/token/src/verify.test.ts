import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncError } from '@tallystick/protocol';
import type { ErrorCode } from '@tallystick/protocol';
import fc from 'fast-check';
import * as forged from '../test/forge.ts';
import { account, base64url, defaultService, forge, key, now, sealed, secret, service, world } from '../test/forge.ts';
import { verifyAccessToken } from './verify.ts';
import type { VerifyOptions } from './verify.ts';

function refusalOf(token: unknown, options: VerifyOptions = world): SyncError {
  try {
    verifyAccessToken(token, options);
  } catch (error) {
    assert.ok(error instanceof SyncError, `not a coded error: ${String(error)}`);
    return error;
  }
  return assert.fail('the token was accepted');
}

function assertRefused(token: unknown, code: ErrorCode, why: RegExp, options?: VerifyOptions): void {
  const error = refusalOf(token, options);
  assert.equal(error.code, code);
  assert.match(error.message, why);
}

const [goodHeader = '', goodClaims = '', goodSignature = ''] = forge().split('.');

test('[TOK15] a good token gives account, key, identity, service, endpoint and expiry', () => {
  assert.deepEqual(verifyAccessToken(forge(), world), {
    account,
    key,
    identity: 'alice',
    service,
    endpoint: undefined,
    expiresAt: (now + 3600) * 1000,
  });
  const sync = { service_sid: service, endpoint_id: 'app:alice:phone' };
  assert.equal(verifyAccessToken(forge({ sync }), world).endpoint, 'app:alice:phone');
});

test('[TOK15] unknown claims, header members and products are passed over', () => {
  const grants = { ...forged.goodGrants, chat: null, video: 7, extra: ['x'] };
  const claims = { grants, aud: 'somebody', scope: 'x', jti: undefined };
  const token = forge({ header: { kid: 'other', jku: 'https://evil.example', twr: 'au1', x: 1 }, claims });
  assert.equal(verifyAccessToken(token, world).identity, 'alice');
});

const [spare = ''] = spareBitVariants(goodSignature);

/** The same bytes written with other unused bits at the end. */
function spareBitVariants(part: string): string[] {
  const bytes = Buffer.from(part, 'base64url');
  return forged.alphabet
    .map((last) => part.slice(0, -1) + last)
    .filter((other) => other !== part && Buffer.from(other, 'base64url').equals(bytes));
}

for (const [what, token, why] of [
  ['undefined', undefined, /not text/],
  ['null', null, /not text/],
  ['a number', 7, /not text/],
  ['an object with toString', { toString: () => forge() }, /not text/],
  ['a String object', Object(forge()), /not text/],
  ['a list', [forge()], /not text/],
  ['nothing', '', /three parts/],
  ['one part', goodHeader, /three parts/],
  ['two parts', `${goodHeader}.${goodClaims}`, /three parts/],
  ['an empty signature', `${goodHeader}.${goodClaims}.`, /three parts/],
  ['an empty header', `.${goodClaims}.${goodSignature}`, /three parts/],
  ['an empty payload', `${goodHeader}..${goodSignature}`, /three parts/],
  ['four parts', `${forge()}.x`, /three parts/],
  ['a dot at the end', `${forge()}.`, /three parts/],
  ['a blank before', ` ${forge()}`, /header is not strict base64url/],
  ['a line break after', `${forge()}\n`, /signature is not strict base64url/],
  ['padding', `${goodHeader}.${goodClaims}.${goodSignature}=`, /signature is not strict/],
  [
    'the other alphabet',
    sealed(`${base64url('{"a":"???>>>"}').replaceAll('_', '/')}.${goodClaims}`),
    /header is not strict/,
  ],
  ['spare bits', `${goodHeader}.${goodClaims}.${spare}`, /signature is not strict/],
  ['one character that decodes to nothing', `${forge()}AA`, /signature is not strict/],
  ['letters that are not ASCII', `${goodHeader}.${goodClaims}.é`, /signature is not strict/],
  ['a header that is not JSON', forge({ header: '{' }), /header is not JSON/],
  [
    'a header with a byte order mark',
    forge({ header: `\ufeff${JSON.stringify(forged.goodHeader)}` }),
    /header is not JSON/,
  ],
  ['a header that is a list', forge({ header: '[]' }), /header is not a JSON object/],
  ['a header that is null', forge({ header: 'null' }), /header is not a JSON object/],
  ['a payload that is text', forge({ claims: '"x"' }), /payload is not a JSON object/],
  ['a payload that is not UTF-8', forge({ claims: Buffer.from('{"iss":"\xff"}', 'latin1') }), /payload is not UTF-8/],
  ['an overlong encoding', forge({ claims: Buffer.from([0x7b, 0xc0, 0xa2, 0x7d]) }), /payload is not UTF-8/],
  ['a payload nested without end', forge({ claims: '['.repeat(5000) }), /payload is not JSON/],
  ['8193 bytes', 'a'.repeat(8193), /longer than 8192 bytes/],
] as const) {
  test(`[TOK8] refused as malformed: ${what}`, () => assertRefused(token, 20101, why));
}

test('[TOK8] 8192 bytes are still judged by the other rules, one more is not', () => {
  const padded = (extra: number): string => forge({ claims: { pad: 'x'.repeat(extra) } });
  const lengths = Array.from({ length: 6000 }, (_, extra) => padded(extra).length);
  const most = lengths.findLastIndex((length) => length <= 8192);
  assert.ok(padded(most).length > 8185);
  assert.equal(verifyAccessToken(padded(most), world).identity, 'alice');
  assertRefused(padded(most + 3), 20101, /longer/);
});

for (const [what, header, why] of [
  ['no alg', { alg: undefined }, /alg/],
  ['none', { alg: 'none' }, /alg must be HS256, HS384 or HS512/],
  ['NONE', { alg: 'NONE' }, /alg/],
  ['lower case', { alg: 'hs256' }, /alg/],
  ['RS256', { alg: 'RS256' }, /alg/],
  ['ES256', { alg: 'ES256' }, /alg/],
  ['PS256', { alg: 'PS256' }, /alg/],
  ['HS1', { alg: 'HS1' }, /alg/],
  ['a name of Object.prototype', { alg: 'constructor' }, /alg/],
  ['__proto__', { alg: '__proto__' }, /alg/],
  ['a list of one algorithm', { alg: ['HS256'] }, /alg/],
  ['an object', { alg: {} }, /alg/],
  ['another typ', { typ: 'at+jwt' }, /typ must be JWT/],
  ['typ in lower case', { typ: 'jwt' }, /typ/],
  ['typ null', { typ: null }, /typ/],
  ['no cty', { cty: undefined }, /cty must be twilio-fpa;v=1/],
  ['another version', { cty: 'twilio-fpa;v=2' }, /cty/],
  ['a list as cty', { cty: ['twilio-fpa;v=1'] }, /cty/],
  ['crit', { crit: ['exp'] }, /crit/],
  ['crit null', { crit: null }, /crit/],
] as const) {
  test(`[TOK9] refused for its header: ${what}`, () => assertRefused(forge({ header }), 20102, why));
}

test('[TOK9] typ may be absent', () => {
  assert.equal(verifyAccessToken(forge({ header: { typ: undefined } }), world).identity, 'alice');
});

test('[TOK9] an unsigned token with alg none and no signature is refused', () => {
  const parts = `${base64url('{"alg":"none","typ":"JWT","cty":"twilio-fpa;v=1"}')}.${goodClaims}`;
  assertRefused(`${parts}.`, 20101, /three parts/);
  assertRefused(`${parts}.AA`, 20102, /alg/);
});

test('[TOK9] a key in the header is never used', () => {
  const own = 'an-attacker-chose-this-secret-0123456789';
  const header = { jwk: { kty: 'oct', k: base64url(own) }, kid: key, jku: 'https://evil.example/keys' };
  assertRefused(forge({ header, secret: own }), 20107, /another secret/);
});

test('[TOK10] every fault of issuer and subject is 20103 in the very same words', () => {
  const faults: object[] = [
    { iss: `SK${'7'.repeat(32)}` },
    { iss: undefined },
    { iss: null },
    { iss: 7 },
    { iss: [key] },
    { iss: 'constructor' },
    { iss: '__proto__' },
    { iss: account },
    { iss: forged.suspendedKey },
    { iss: forged.emptyKey },
    { sub: forged.otherAccount },
    { sub: undefined },
    { sub: [account] },
    { sub: '' },
  ];
  const messages = new Set<string>();
  for (const claims of faults) {
    const error = refusalOf(
      forge({ claims, ...('iss' in claims && claims.iss === forged.emptyKey && { secret: '' }) }),
    );
    assert.equal(error.code, 20103, JSON.stringify(claims));
    messages.add(error.message);
  }
  assert.equal(messages.size, 1);
  assert.match([...messages].join(''), /iss .* sub/);
});

test('[TOK10] the look-up is asked for sids of keys only, and a key revoked meanwhile is unknown', () => {
  const asked: string[] = [];
  const revoked: VerifyOptions = { ...world, findKey: (sid) => void asked.push(sid) };
  assertRefused(forge(), 20103, /iss/, revoked);
  assertRefused(forge({ claims: { iss: '../keys' } }), 20103, /iss/, revoked);
  assert.deepEqual(asked, [key]);
});

test('[TOK11] another secret, another digest, and altered parts are refused', () => {
  assertRefused(forge({ secret: 'another' }), 20107, /another secret, or altered/);
  assertRefused(forge({ digest: 'sha512' }), 20107, /altered/);
  assertRefused(forge({ header: { alg: 'HS384' } }), 20107, /altered/);
  assertRefused(forge({ header: { alg: 'HS512' }, digest: 'sha384' }), 20107, /altered/);
  const [, otherClaims = ''] = forge({ grants: { ...forged.goodGrants, identity: 'bob' } }).split('.');
  assertRefused(`${goodHeader}.${otherClaims}.${goodSignature}`, 20107, /altered/);
  assertRefused(`${goodHeader}.${goodClaims}.AA`, 20107, /altered/);
});

test('[TOK11] each algorithm goes with its own digest', () => {
  for (const [alg, digest] of [
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ] as const) {
    assert.equal(verifyAccessToken(forge({ header: { alg }, digest }), world).identity, 'alice');
  }
});

for (const [what, claims, code, why] of [
  ['exp missing', { exp: undefined }, 20104, /exp is missing/],
  ['exp null', { exp: null }, 20104, /exp is missing/],
  ['exp text', { exp: String(now + 60) }, 20104, /exp is .*not a number/],
  ['exp now', { exp: now }, 20104, /exp has passed/],
  ['exp past', { exp: now - 1 }, 20104, /exp has passed/],
  ['exp far below zero', { exp: -1e300 }, 20104, /exp has passed/],
  ['nbf 31 s ahead', { nbf: now + 31 }, 20105, /nbf lies ahead/],
  ['nbf text', { nbf: String(now) }, 20105, /nbf .*not a number/],
  ['nbf null', { nbf: null }, 20105, /nbf/],
  ['exp 24 h and 31 s ahead', { exp: now + 86_431 }, 20157, /exp lies more than 24 hours ahead/],
  ['exp in milliseconds', { exp: (now + 60) * 1000 }, 20157, /exp/],
] as const) {
  test(`[TOK12] refused for its time: ${what}`, () => assertRefused(forge({ claims }), code, why));
}

test('[TOK12] an exp beyond every number is no number', () => {
  const claims = JSON.stringify(forged.goodClaims).replace(/"exp":\d+/, '"exp":1e400');
  assertRefused(forge({ claims }), 20104, /not a number/);
});

test('[TOK12] the bounds themselves are taken, and iat and jti are not judged', () => {
  for (const claims of [
    { exp: now + 0.5 },
    { exp: now + 86_430 },
    { nbf: now + 30 },
    { nbf: 0 },
    { iat: undefined },
    { iat: now + 9999 },
    { iat: 'x' },
    { jti: undefined },
    { jti: {} },
  ]) {
    assert.equal(verifyAccessToken(forge({ claims }), world).identity, 'alice', JSON.stringify(claims));
  }
});

test('[TOK12] the end is sharp to the millisecond', () => {
  const at = (ms: number): VerifyOptions => ({ ...world, now: () => ms });
  const end = (now + 3600) * 1000;
  assert.equal(verifyAccessToken(forge(), at(end - 1)).expiresAt, end);
  assertRefused(forge(), 20104, /passed/, at(end));
});

for (const [what, faults, why] of [
  ['no grants', { grants: undefined }, /grants is missing/],
  ['grants as a list', { grants: [] }, /grants is .*not an object/],
  ['grants as text', { grants: 'data_sync' }, /grants is/],
  ['no identity', { grants: { data_sync: {} } }, /grants\.identity is missing/],
  ['an empty identity', { grants: { identity: '', data_sync: {} } }, /grants\.identity is empty/],
  ['a number as identity', { grants: { identity: 7, data_sync: {} } }, /grants\.identity is not text/],
  ['identity null', { grants: { identity: null, data_sync: {} } }, /grants\.identity is not text/],
  ['257 characters', { grants: { identity: 'a'.repeat(257), data_sync: {} } }, /grants\.identity is longer than 256/],
  ['U+0000', { grants: { identity: 'a\u0000', data_sync: {} } }, /grants\.identity holds U\+0000/],
  ['half a surrogate pair', { grants: { identity: 'a\ud800', data_sync: {} } }, /grants\.identity holds/],
  ['no Sync grant', { grants: { identity: 'a' } }, /data_sync is missing/],
  ['a chat grant only', { grants: { identity: 'a', chat: { service_sid: service } } }, /data_sync is missing/],
  ['data_sync null', { sync: null }, /data_sync is/],
  ['data_sync true', { sync: true }, /data_sync is/],
  ['data_sync as a list', { sync: [] }, /data_sync is/],
  ['a number as endpoint', { sync: { endpoint_id: 7 } }, /endpoint_id is not text/],
  ['endpoint null', { sync: { endpoint_id: null } }, /endpoint_id/],
  ['a long endpoint', { sync: { endpoint_id: 'a'.repeat(257) } }, /endpoint_id .*256/],
  ['half a character in the endpoint', { sync: { endpoint_id: '\udc00' } }, /endpoint_id/],
  ['a number as service', { sync: { service_sid: 7 } }, /service_sid is not text/],
  ['service null', { sync: { service_sid: null } }, /service_sid is not text/],
] as const) {
  test(`[TOK13] refused for its grants: ${what}`, () => assertRefused(forge(faults), 20106, why));
}

test('[TOK13] lengths are counted in code points', () => {
  const long = '😀'.repeat(256);
  const token = forge({ grants: { identity: long, data_sync: { endpoint_id: long } } });
  const verified = verifyAccessToken(token, world);
  assert.equal(verified.identity, long);
  assert.equal(verified.endpoint, long);
  assert.equal(verifyAccessToken(forge({ sync: { endpoint_id: '' } }), world).endpoint, undefined);
});

test('[TOK14] none, an empty one and the word default mean the default service', () => {
  for (const sync of [{}, { service_sid: '' }, { service_sid: 'default' }]) {
    assert.equal(verifyAccessToken(forge({ sync }), world).service, defaultService);
  }
});

test('[TOK14] an unknown service is 54050, one of another account 54056', () => {
  assertRefused(forge({ sync: { service_sid: `IS${'0'.repeat(32)}` } }), 54050, /service_sid/);
  assertRefused(forge({ sync: { service_sid: 'Default' } }), 54050, /service_sid/);
  assertRefused(forge({ sync: { service_sid: forged.foreignService } }), 54056, /another account/);
  assertRefused(forge({ sync: {} }), 54050, /service/, { ...world, findService: () => undefined });
});

test('[TOK14] regions are judged only when one is configured and one is named', () => {
  const token = forge({ header: { twr: 'au1' } });
  assert.equal(verifyAccessToken(token, world).identity, 'alice');
  assert.equal(verifyAccessToken(token, { ...world, region: '' }).identity, 'alice');
  assert.equal(verifyAccessToken(token, { ...world, region: 'au1' }).identity, 'alice');
  assert.equal(verifyAccessToken(forge(), { ...world, region: 'au1' }).identity, 'alice');
  assertRefused(token, 20102, /twr names another region/, { ...world, region: 'ie1' });
  assertRefused(forge({ header: { twr: 'au1' }, sync: { service_sid: 'x' } }), 20102, /twr/, {
    ...world,
    region: 'ie1',
  });
});

test('[TOK7] of all faults at once, the first rule decides; each one mended shows the next', () => {
  const header = { alg: 'none' };
  const claims = { iss: 'nobody', exp: now - 1, nbf: now + 99 };
  const late = { exp: now + 99_999, nbf: now + 99 };
  const bad = { grants: { data_sync: { service_sid: 'IS' } } };
  const nameless = { identity: 'a', data_sync: { service_sid: 'IS' } };
  const codes: [ErrorCode, string][] = [
    [20101, `${forge({ header, claims: { ...claims, ...bad } })}=`],
    [20102, forge({ header, secret: 'x', claims: { ...claims, ...bad } })],
    [20103, forge({ secret: 'x', claims: { ...claims, ...bad } })],
    [20107, forge({ secret: 'x', claims: { ...claims, ...bad, iss: key } })],
    [20104, forge({ claims: { ...claims, ...bad, iss: key } })],
    [20105, forge({ claims: { ...late, ...bad } })],
    [20157, forge({ claims: { ...late, ...bad, nbf: now } })],
    [20106, forge({ claims: bad })],
    [54050, forge({ grants: nameless })],
  ];
  for (const [code, token] of codes) assert.equal(refusalOf(token).code, code);
});

test('[TOK7] refusals keep the status of the register and name neither secret nor token', () => {
  for (const token of [forge({ secret: 'another' }), forge({ claims: { exp: 0 } }), forge({ grants: {} })]) {
    const error = refusalOf(token);
    assert.equal(error.status, 401);
    assert.ok(!error.message.includes(secret));
    assert.ok(!error.message.includes(token.slice(0, 20)));
  }
});

test('[TOK7] a token with any one character changed is refused with a code', () => {
  const token = forge();
  const places = fc.nat({ max: token.length - 1 });
  const base64 = fc.constantFrom(...forged.alphabet);
  fc.assert(
    fc.property(places, fc.oneof(base64, fc.string({ unit: 'binary', maxLength: 2 })), (at, text) => {
      const altered = token.slice(0, at) + text + token.slice(at + 1);
      fc.pre(altered !== token);
      refusalOf(altered);
    }),
    { numRuns: 2000 },
  );
});

test('[TOK7] signed nonsense is accepted or refused with a code, and nothing else', () => {
  const json = fc.json({ maxDepth: 3 });
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('HS256', 'JWT', key, account, now + 60, service));
  const members = (names: string[]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] });
  const headers = fc.oneof(json, members(['alg', 'typ', 'cty', 'crit', 'twr']));
  const claims = fc.oneof(json, members(['iss', 'sub', 'exp', 'nbf', 'grants', 'iat']));
  fc.assert(
    fc.property(headers, claims, (header, payload) => {
      refusalOf(forge({ header, claims: payload, grants: undefined }));
    }),
    { examples: [['{}', '{}']] },
  );
  fc.assert(fc.property(fc.anything(), (token) => void refusalOf(token)));
});
