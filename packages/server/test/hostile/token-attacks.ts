/** Tokens that were not minted by anybody, or not for this. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { statusOf } from '../frame-client.ts';
import { credentials } from './arena.ts';
import type { Arena } from './arena.ts';
import { Attacker } from './attacker.ts';

const goodHeader = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' };
const header = JSON.stringify(goodHeader);

function goodClaims(more: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  const grants = { identity: 'eve', data_sync: { service_sid: credentials.service } };
  return { iss: credentials.key, sub: credentials.account, iat: now, exp: now + 3600, grants, ...more };
}

/** Each as what is presented and the code that it is refused with. */
function cases(arena: Arena): Readonly<Record<string, readonly [unknown, number]>> {
  const good = arena.token();
  const [first = '', second = '', third = ''] = good.split('.');
  const withHeader = (faults: object): string => arena.forged({ ...goodHeader, ...faults }, goodClaims());
  const withClaims = (faults: object): string => arena.forged(header, goodClaims(faults));
  const withText = (text: string): string =>
    arena.forged(header, JSON.stringify(goodClaims()).replace(/}$/, `,${text}}`));
  const unsigned = (alg: unknown): string =>
    [{ ...goodHeader, alg }, goodClaims()].map((part) => encoded(JSON.stringify(part))).join('.');
  const huge = arena.asSecret(`${first}.${second}${'A'.repeat(65_536 - good.length)}.${third}`);
  return {
    nothing: [undefined, 20101],
    null: [null, 20101],
    'a number': [1e308, 20101],
    'an array that holds a good one': [[good], 20101],
    'an object that claims to be text': [{ toString: good, length: good.length, split: null }, 20101],
    'an object without a prototype to speak of': [JSON.parse('{"__proto__":{"length":1}}'), 20101],
    'empty text': ['', 20101],
    'two dots': ['..', 20101],
    '60,000 dots': ['.'.repeat(60_000), 20101],
    '64 KiB': [huge, 20101],
    '64 KiB, all of one part': [arena.asSecret(randomBytes(32_768).toString('hex')), 20101],
    'one byte more than may be': [arena.forged(header, goodClaims({ pad: 'x'.repeat(6200) })).padEnd(8193, 'A'), 20101],
    'a good one with a blank': [`${good} `, 20101],
    'a good one with a line end': [`${good}\n`, 20101],
    'a good one with a fourth part': [`${good}.${third}`, 20101],
    'a good one with padding': [`${first}=.${second}.${third}`, 20101],
    'a good one in the other alphabet': [`${first}.${second}.${third.slice(1)}+`, 20101],
    'a header that is not UTF-8': [
      `${Buffer.from('{"alg":"\xff"}', 'latin1').toString('base64url')}.${second}.${third}`,
      20101,
    ],
    'a header nested 3,000 deep': [arena.forged(`${'['.repeat(3000)}${']'.repeat(3000)}`, goodClaims()), 20101],
    'claims that are an array': [arena.forged(header, [goodClaims()]), 20101],
    'claims that are null': [arena.forged(header, 'null'), 20101],

    'alg none, unsigned': [`${unsigned('none')}.`, 20101],
    'alg none, with something for a signature': [`${unsigned('none')}.AA`, 20102],
    'alg None': [withHeader({ alg: 'None' }), 20102],
    'alg NONE': [withHeader({ alg: 'NONE' }), 20102],
    'alg in lower case': [withHeader({ alg: 'hs256' }), 20102],
    'alg with a blank': [withHeader({ alg: 'HS256 ' }), 20102],
    'alg with a NUL': [withHeader({ alg: 'HS256\0' }), 20102],
    'alg in an array': [withHeader({ alg: ['HS256'] }), 20102],
    'alg as an object': [withHeader({ alg: { toString: 'HS256', valueOf: null } }), 20102],
    'alg as a number': [withHeader({ alg: 256 }), 20102],
    'alg of a prototype name': [withHeader({ alg: '__proto__' }), 20102],
    'alg constructor': [withHeader({ alg: 'constructor' }), 20102],
    'alg of a digest': [withHeader({ alg: 'sha256' }), 20102],
    'alg HS1': [arena.forged({ ...goodHeader, alg: 'HS1' }, goodClaims(), credentials.secret, 'sha1'), 20102],
    'no alg': [withHeader({ alg: undefined }), 20102],
    'alg from the prototype': [
      arena.forged('{"__proto__":{"alg":"HS256","cty":"twilio-fpa;v=1"}}', goodClaims()),
      20102,
    ],
    'alg twice, the last counts': [
      arena.forged(header.replace('{', '{"alg":"HS256",').replace(/"HS256","typ/, '"none","typ'), goodClaims()),
      20102,
    ],
    'RS256 with a key of its own': [publicKeySigned(arena, 'RS256'), 20102],
    'ES256 with a key of its own': [publicKeySigned(arena, 'ES256'), 20102],
    crit: [withHeader({ crit: ['exp'] }), 20102],
    'another cty': [withHeader({ cty: 'twilio-fpa;v=2' }), 20102],
    'typ at+jwt': [withHeader({ typ: 'at+jwt' }), 20102],

    'a key that does not exist': [withClaims({ iss: `SK${'0'.repeat(32)}` }), 20103],
    'a key that is a path': [withClaims({ iss: '../../../dev/null' }), 20103],
    'a key that is a statement': [withClaims({ iss: "SK' OR '1'='1" }), 20103],
    'a key that is a prototype name': [withClaims({ iss: '__proto__' }), 20103],
    'a key in an array': [withClaims({ iss: [credentials.key] }), 20103],
    'the account for a key': [withClaims({ iss: credentials.account }), 20103],
    'another account': [withClaims({ sub: `AC${'0'.repeat(32)}` }), 20103],
    'no account': [withClaims({ sub: undefined }), 20103],

    'another secret': [arena.forged(header, goodClaims(), 'another secret'), 20107],
    'an empty secret': [arena.forged(header, goodClaims(), ''), 20107],
    'the sid of the key for a secret': [arena.forged(header, goodClaims(), credentials.key), 20107],
    'the file that kid names for a secret': [
      arena.forged({ ...goodHeader, kid: '/dev/null' }, goodClaims(), ''),
      20107,
    ],
    'the key that jku names': [
      arena.forged({ ...goodHeader, jku: 'http://127.0.0.1:1/keys' }, goodClaims(), 'x'),
      20107,
    ],
    'another digest than alg says': [arena.forged(header, goodClaims(), credentials.secret, 'sha512'), 20107],
    'another identity under the same signature': [`${first}.${encoded(JSON.stringify(goodClaims()))}.${third}`, 20107],
    'a signature cut short': [`${first}.${second}.${third.slice(0, 20)}`, 20107],
    'a signature of one byte': [`${first}.${second}.AA`, 20107],

    'exp of 1e400': [withText('"exp":1e400'), 20104],
    'exp of -0': [withText('"exp":-0'), 20104],
    'exp as text': [withClaims({ exp: '9999999999' }), 20104],
    'exp a second ago': [withClaims({ exp: Math.floor(Date.now() / 1000) - 1 }), 20104],
    'no exp': [withClaims({ exp: undefined }), 20104],
    'exp in 9,000 years': [withClaims({ exp: 2 ** 48 }), 20157],
    'nbf of 1e400': [withText('"nbf":1e400'), 20105],
    'nbf that is null': [withText('"nbf":null'), 20105],

    'grants from the prototype': [
      withText('"grants":null,"__proto__":{"grants":{"identity":"root","data_sync":{}}}'),
      20106,
    ],
    'an identity from the prototype': [
      withClaims({ grants: JSON.parse('{"__proto__":{"identity":"root"},"data_sync":{}}') }),
      20106,
    ],
    'an identity in an array': [withClaims({ grants: { identity: ['eve'], data_sync: {} } }), 20106],
    'an identity of 257 characters': [withClaims({ grants: { identity: 'x'.repeat(257), data_sync: {} } }), 20106],
    'an identity with a NUL': [withClaims({ grants: { identity: 'eve\0', data_sync: {} } }), 20106],
    'an identity with half of a surrogate pair': [
      withClaims({ grants: { identity: 'eve\ud800', data_sync: {} } }),
      20106,
    ],
    'no grant of ours': [withClaims({ grants: { identity: 'eve', chat: {} } }), 20106],
    'grants in an array': [withClaims({ grants: [{ identity: 'eve', data_sync: {} }] }), 20106],
    'a service that is an object': [withClaims({ grants: { identity: 'eve', data_sync: { service_sid: {} } } }), 20106],

    'a service that does not exist': [
      withClaims({ grants: { identity: 'eve', data_sync: { service_sid: `IS${'0'.repeat(32)}` } } }),
      54050,
    ],
    'a service that is a path': [
      withClaims({ grants: { identity: 'eve', data_sync: { service_sid: '../default' } } }),
      54050,
    ],
    'a service that is a prototype name': [
      withClaims({ grants: { identity: 'eve', data_sync: { service_sid: '__proto__' } } }),
      54050,
    ],
  };
}

export function tokenAttacks(arena: Arena): void {
  arena.test(
    '[CON2] [TOK7] no other token opens a connection, and each is refused with the code of its rule',
    async (t) => {
      for (const [what, [token, code]] of Object.entries(cases(arena))) {
        await t.test(what, async () => {
          const attacker = await Attacker.open(arena.port, arena.elsewhere);
          const status = statusOf(await attacker.init(token));
          assert.deepEqual([status.code, status.errorCode], [code < 54000 ? 401 : 403, code]);
          assert.equal(await attacker.ended(), 1008);
        });
      }
    },
  );

  arena.test('[TLC3] nor does any replace the one that a connection has', async (t) => {
    for (const [what, [token, code]] of Object.entries(cases(arena))) {
      await t.test(what, async () => {
        const attacker = await Attacker.open(arena.port, arena.elsewhere);
        await attacker.init(arena.token());
        attacker.send('update', { token }, '', 'TM-update');
        const status = statusOf(await attacker.reply('TM-update'));
        assert.deepEqual([status.code, status.errorCode], [401, code]);
        assert.equal(await attacker.ended(), 1008);
      });
    }
  });
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Well signed by a key pair of the attacker's, which the header names in every way there is. */
function publicKeySigned(arena: Arena, alg: 'RS256' | 'ES256'): string {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = pair.publicKey.export({ format: 'jwk' });
  const header = {
    ...goodHeader,
    alg,
    jwk,
    kid: 'mine',
    jku: 'http://127.0.0.1:1/',
    x5u: 'http://127.0.0.1:1/',
    x5c: ['AA'],
  };
  const signed = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(goodClaims()))}`;
  const signature = sign('sha256', Buffer.from(signed), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  return arena.asSecret(`${signed}.${signature.toString('base64url')}`);
}
