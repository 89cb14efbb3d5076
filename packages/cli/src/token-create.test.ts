import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyAccessToken } from '@tallystick/token';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

const account = fiveVariables.TALLYSTICK_ACCOUNT_SID;
const service = fiveVariables.TALLYSTICK_SERVICE_SID;
const [ours, theirs] = [
  { sid: fiveVariables.TALLYSTICK_API_KEY, secret: fiveVariables.TALLYSTICK_API_SECRET },
  { sid: `SK${'d'.repeat(32)}`, secret: 'the-secret-of-the-backend' },
];
const backend = { TWILIO_ACCOUNT_SID: account, TWILIO_API_KEY: theirs.sid, TWILIO_API_SECRET: theirs.secret };
const now = 1_800_000_000_000;

async function create(argv: readonly string[], env: Record<string, string> = fiveVariables) {
  const surroundings = testSurroundings(env, { now: () => now, fetch: () => assert.fail('it asks the service') });
  const code = await run(['token', 'create', '--data-dir=/nowhere', ...argv], surroundings);
  return { code, ...surroundings.written };
}

function verified(token: string) {
  return verifyAccessToken(token, {
    now: () => now,
    findKey: (sid) => [ours, theirs].map((key) => ({ ...key, account })).find((key) => key.sid === sid),
    findService: (sid) => ({ sid: sid ?? service, account }),
  });
}

test('[CFG17] create prints the token alone, minted without asking the service', async () => {
  const { code, out, err } = await create(['--identity', 'alice']);
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.deepEqual(verified(out.trimEnd()), {
    account,
    key: ours.sid,
    identity: 'alice',
    service,
    endpoint: undefined,
    expiresAt: now + 3_600_000,
  });
});

test('[CFG17] identity, service, life, device and algorithm are those of the flags; --json says when it ends', async () => {
  const named = `IS${'e'.repeat(32)}`;
  const { out } = await create([
    ...['--identity=ann', `--service=${named}`, '--ttl=60', '--endpoint-id=phone', '--algorithm=HS512', '--json'],
  ]);
  const { token, ...rest } = JSON.parse(out) as { token: string };
  assert.deepEqual(rest, { identity: 'ann', expiresAt: new Date(now + 60_000).toISOString() });
  const { key: _, account: __, ...said } = verified(token);
  assert.deepEqual(said, { identity: 'ann', service: named, endpoint: 'phone', expiresAt: now + 60_000 });
  assert.equal(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg, 'HS512');
});

test('[CFG17] all that cannot be is refused at once, by flag', async () => {
  const { code, out, err } = await create([
    ...[
      '--identity',
      'x'.repeat(257),
      '--ttl',
      '1h',
      '--endpoint-id',
      'y'.repeat(257),
      '--algorithm',
      'RS256',
      '--key',
      'hush',
    ],
  ]);
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.deepEqual(err.trimEnd().split('\n'), [
    'tallystick: --identity is longer than 256 characters',
    'tallystick: --endpoint-id is longer than 256 characters',
    'tallystick: --ttl is "1h"; give a whole number of seconds from 1 to 86400',
    'tallystick: --algorithm is "RS256"; give one of HS256, HS384, HS512',
    'tallystick: --key is not acceptable; give SK and 32 lower-case hex digits',
  ]);
  for (const ttl of ['0', '86401', '-1', '1.5', ''])
    assert.equal((await create(['--identity=a', `--ttl=${ttl}`])).code, 1);
  assert.match((await create(['--identity=a', '--service=IS'])).err, /--service is not acceptable/);
});

test('[CFG17] the key is ours, else that of the backend, else refused; a secret never goes with another key', async () => {
  const keyOf = async (argv: readonly string[], env: Record<string, string>) =>
    verified((await create(['--identity=a', ...argv], env)).out.trimEnd()).key;
  assert.equal(await keyOf([], { ...fiveVariables, ...backend }), ours.sid);
  assert.equal(await keyOf([], backend), theirs.sid);
  assert.equal(await keyOf(['--key', theirs.sid], { ...fiveVariables, ...backend }), theirs.sid);
  const secretAlone = { TALLYSTICK_ACCOUNT_SID: account, TALLYSTICK_API_SECRET: theirs.secret };
  assert.equal(await keyOf(['--key', theirs.sid], secretAlone), theirs.sid);
  const accountElsewhere = {
    TWILIO_ACCOUNT_SID: account,
    TALLYSTICK_API_KEY: ours.sid,
    TALLYSTICK_API_SECRET: ours.secret,
  };
  assert.equal(await keyOf([], accountElsewhere), ours.sid);

  const refusals: readonly [readonly string[], Record<string, string>, RegExp][] = [
    [[], {}, /no key to sign with: set .*TALLYSTICK_API_SECRET.*\/nowhere\/credentials\.env is not there\)/],
    [
      ['--key', theirs.sid],
      fiveVariables,
      /the secret of SKd+ is not at hand \(TALLYSTICK_API_SECRET belongs to TALLYSTICK_API_KEY, another key\)/,
    ],
    [['--key', theirs.sid], {}, /the secret of SKd+ is not at hand; set TALLYSTICK_API_KEY and TALLYSTICK_API_SECRET/],
    [[], { ...backend, TALLYSTICK_API_KEY: ours.sid }, /TALLYSTICK_API_SECRET is not set, but TALLYSTICK_API_KEY is/],
    [[], { ...backend, TWILIO_API_KEY: '' }, /TWILIO_API_KEY is not set, but TWILIO_API_SECRET is/],
    [[], { ...backend, TWILIO_ACCOUNT_SID: '' }, /TWILIO_ACCOUNT_SID is not set/],
    [[], { ...backend, TWILIO_ACCOUNT_SID: 'hush' }, /TWILIO_ACCOUNT_SID is not acceptable; give AC/],
    [[], { ...backend, TWILIO_API_KEY: 'hush' }, /TWILIO_API_KEY is not acceptable; give SK/],
  ];
  for (const [argv, env, line] of refusals) {
    const { code, out, err } = await create(['--identity=a', ...argv], env);
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, line);
    assert.doesNotMatch(err, /hush|the-secret/);
  }
});
