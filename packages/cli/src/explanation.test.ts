import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { AccessToken, SyncGrant } from '@tallystick/token';
import type { AccessTokenOptions, Algorithm } from '@tallystick/token';
import { explain } from './explanation.ts';
import type { Explanation, Known, ServiceView } from './explanation.ts';

const now = 1_800_000_000_000;
const seconds = now / 1000;
const account = `AC${'a'.repeat(32)}`;
const [atHand, elsewhere, revoked, unknown] = ['b', 'c', 'd', 'e'].map((hex) => `SK${hex.repeat(32)}`) as [
  string,
  string,
  string,
  string,
];
const [standard, other] = [`IS${'1'.repeat(32)}`, `IS${'2'.repeat(32)}`];
const secrets = [{ account, sid: atHand, secret: 'the secret', from: './data/credentials.env' }];
const iso = '2026-01-01T00:00:00.000Z';
const service: ServiceView = {
  account,
  keys: [
    { sid: atHand, name: null, createdAt: iso, revokedAt: null },
    { sid: elsewhere, name: null, createdAt: iso, revokedAt: null },
    { sid: revoked, name: null, createdAt: iso, revokedAt: '2026-02-03T04:05:06.000Z' },
  ],
  services: [
    { sid: other, uniqueName: null, createdAt: iso, isDefault: false },
    { sid: standard, uniqueName: 'default', createdAt: iso, isDefault: true },
  ],
};
const asked: Known = { service, secrets, defaultService: undefined };
const alone: Known = { service: undefined, secrets, defaultService: standard };

interface Minted extends AccessTokenOptions {
  readonly account?: string;
  readonly key?: string;
  readonly secret?: string;
  readonly serviceSid?: string;
  readonly algorithm?: Algorithm;
}

function minted({ key = atHand, secret = 'the secret', serviceSid, algorithm, ...options }: Minted = {}): string {
  const token = new AccessToken(options.account ?? account, key, secret, {
    ...{ identity: options.identity ?? 'ann', now: options.now ?? (() => now) },
    ...(options.ttl !== undefined && { ttl: options.ttl }),
  });
  token.addGrant(new SyncGrant({ serviceSid }));
  return token.toJwt(algorithm);
}

/** Signed with the right secret, whatever it says. */
function signed(claims: object, header: object = {}): string {
  const full = {
    ...{ iss: atHand, sub: account, iat: seconds, exp: seconds + 60 },
    ...{ grants: { identity: 'ann', data_sync: {} }, ...claims },
  };
  const text = [{ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1', ...header }, full]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', 'the secret').update(text).digest('base64url')}`;
}

function outcomes({ rules }: Explanation): string {
  return rules.map(({ outcome }) => outcome[0]).join('');
}

test('[CFG18] an accepted token passes every rule, and each says what it saw', () => {
  for (const known of [asked, alone]) {
    const explanation = explain(minted({ algorithm: 'HS384' }), known, now);
    assert.equal(explanation.verdict, 'accepted');
    assert.deepEqual([explanation.refusal, explanation.advice], [undefined, undefined]);
    assert.deepEqual(
      explanation.rules.map(({ rule, name, detail }) => `${rule} ${name} ${detail}`),
      [
        `TOK8 form three parts, ${minted({ algorithm: 'HS384' }).length} bytes`,
        'TOK9 header HS384',
        `TOK10 issuer ${atHand}, ${known === asked ? 'in force' : 'at hand'}`,
        'TOK11 signature made with the secret in ./data/credentials.env',
        'TOK12 time expires in 60 min, 2027-01-15 09:00:00 UTC',
        'TOK13 grants identity ann',
        `TOK14 service ${standard}`,
      ],
    );
  }
});

test('[CFG18] the first rule that refuses is named with its code, why, and what to do; those after it are not reached', () => {
  const cases: readonly [token: string, rule: string, code: number, why: RegExp, advice: RegExp][] = [
    ['a.b', 'TOK8', 20101, /three parts/, /without quotation marks/],
    ['x'.repeat(8193), 'TOK8', 20101, /longer than 8192/, /as the backend made it/],
    [signed({}, { alg: 'none' }), 'TOK9', 20102, /^alg must be/, /cty/],
    [signed({}, { cty: undefined }), 'TOK9', 20102, /^cty must be/, /library for Access Tokens/],
    [minted({ key: unknown }), 'TOK10', 20103, /^SKe+ is no key of this service$/, /keys create makes one\.$/],
    [minted({ key: revoked }), 'TOK10', 20103, /^SKd+ was revoked 2026-02-03 04:05 UTC$/, /keys list/],
    [signed({ iss: account }), 'TOK10', 20103, /^iss is an account; an API key must sign/, /a key in force/],
    [signed({ iss: 5 }), 'TOK10', 20103, /^iss is not the sid/, /a key in force/],
    [
      minted({ account: `AC${'f'.repeat(32)}` }),
      'TOK10',
      20103,
      /^sub is ACf+, and .* ACa+$/,
      /TWILIO_ACCOUNT_SID to ACa+/,
    ],
    [signed({ sub: undefined }), 'TOK10', 20103, /^sub is missing, and/, /TWILIO_ACCOUNT_SID/],
    [minted({ secret: 'another' }), 'TOK11', 20107, /another secret/, /TWILIO_API_SECRET/],
    [minted({ now: () => now - 7_200_000 }), 'TOK12', 20104, /^it expired 60 min ago, 2027-01-15 07/, /^Fetch another/],
    [minted({ ttl: 4, now: () => now - 5000 }), 'TOK12', 20104, /^it expired 1 s ago/, /lived for 4 s only.*Number/],
    [signed({ exp: 'soon' }), 'TOK12', 20104, /^exp is missing/, /Mint with a ttl/],
    [signed({ exp: seconds - 1, iat: undefined }), 'TOK12', 20104, /expired 1 s/, /^Fetch another/],
    [signed({ nbf: seconds + 50 }), 'TOK12', 20105, /^it is valid in 50 s only, 2027/, /ahead by 50 s, and 30 s/],
    [signed({ nbf: 'x' }), 'TOK12', 20105, /^nbf lies ahead or is not a number/, /without nbf, or with a whole/],
    [signed({ exp: seconds + 90_000 }), 'TOK12', 20157, /24 hours ahead/, /ttl of at most 86400/],
    [signed({ grants: { data_sync: {} } }), 'TOK13', 20106, /identity is missing/, /where the backend mints/],
    [
      minted({ serviceSid: `IS${'9'.repeat(32)}` }),
      'TOK14',
      54050,
      /names no service/,
      /service list.*TWILIO_SYNC_SERVICE_SID/,
    ],
  ];
  const ids = ['TOK8', 'TOK9', 'TOK10', 'TOK11', 'TOK12', 'TOK13', 'TOK14'];
  for (const [token, rule, code, why, advice] of cases) {
    const explanation = explain(token, asked, now);
    const { refusal } = explanation;
    assert.equal(explanation.verdict, 'refused');
    assert.deepEqual([refusal?.rule, refusal?.code], [rule, code]);
    assert.match(refusal?.why ?? '', why);
    assert.match(explanation.advice ?? '', advice);
    const at = ids.indexOf(rule);
    assert.equal(outcomes(explanation), `${'o'.repeat(at)}r${'n'.repeat(6 - at)}`);
    assert.equal(explanation.rules[at]?.detail, refusal?.why);
  }
});

test('[CFG18] without the service a key that is not at hand is refused, and says which ones are', () => {
  const { refusal, advice } = explain(minted({ key: elsewhere, secret: 'its own' }), alone, now);
  assert.deepEqual([refusal?.rule, refusal?.code], ['TOK10', 20103]);
  assert.match(refusal?.why ?? '', /^SKc+ is not at hand, only SKb+ of \.\/data\/credentials\.env$/);
  assert.match(advice ?? '', /--url/);
  const foreign = explain(minted({ account: `AC${'f'.repeat(32)}` }), alone, now);
  assert.match(foreign.advice ?? '', /TWILIO_ACCOUNT_SID to ACa+/);
});

test('[CFG18] a key in force whose secret is elsewhere leaves the signature open, and the other rules are judged', () => {
  const good = explain(minted({ key: elsewhere, secret: 'its own', serviceSid: other }), asked, now);
  assert.deepEqual([good.verdict, outcomes(good)], ['undecided', 'ooooooo']);
  assert.deepEqual(
    good.rules.map(({ outcome }) => outcome),
    ['ok', 'ok', 'ok', 'open', 'ok', 'ok', 'ok'],
  );
  assert.match(good.rules[3]?.detail ?? '', /^not judged: the secret of this key/);
  assert.match(good.advice ?? '', /^Set TALLYSTICK_API_KEY to SKc+ and/);
  assert.equal(good.rules[6]?.detail, other);
  const old = explain(minted({ key: elsewhere, secret: 'its own', now: () => now - 7_200_000 }), asked, now);
  assert.deepEqual([old.verdict, old.refusal?.code, old.rules[3]?.outcome], ['refused', 20104, 'open']);
});

test('[CFG18] without the service only the default one can be judged', () => {
  const named = explain(minted({ serviceSid: other }), alone, now);
  assert.deepEqual([named.verdict, named.rules[6]?.outcome], ['undecided', 'open']);
  assert.match(named.rules[6]?.detail ?? '', /only the service knows IS2+/);
  assert.match(named.advice ?? '', /--url/);
  assert.equal(explain(minted({ serviceSid: standard }), alone, now).verdict, 'accepted');
  const nothing = explain(minted(), { ...alone, defaultService: undefined }, now);
  assert.deepEqual([nothing.verdict, nothing.rules[6]?.detail], ['accepted', 'the default one']);
});

test('[CFG18] what a token says is shown without what a terminal would obey', () => {
  const { refusal } = explain(signed({ sub: '\u001b[2J' }), asked, now);
  assert.match(refusal?.why ?? '', /^sub is \\u\{1b\}\[2J,/);
  const { rules } = explain(signed({ grants: { identity: 'a\nb', data_sync: {} } }), asked, now);
  assert.equal(rules[5]?.detail, 'identity a\\u{a}b');
});
