import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { testSurroundings } from '../test/surroundings.ts';
import type { Replaced } from '../test/surroundings.ts';
import { run } from './dispatch.ts';

const now = 1_800_000_000_000;
const [account, key] = [`AC${'a'.repeat(32)}`, `SK${'b'.repeat(32)}`];

function token(age: number, ttl = 3600): string {
  const made = new AccessToken(account, key, 'a secret', { identity: 'ann', ttl, now: () => now - age * 1000 });
  made.addGrant(new SyncGrant({ endpointId: 'phone' }));
  return made.toJwt();
}

/** A token of any content, signed by nobody. */
function forged(claims: string, header = '{"alg":"none"}'): string {
  return [header, claims, ''].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

async function inspect(stdin: Replaced['stdin'], argv: readonly string[] = [], isTerminal = false) {
  const surroundings = testSurroundings({}, { now: () => now, stdin: stdin ?? '', isTerminal });
  const code = await run(['token', 'inspect', ...argv], surroundings);
  return { code, ...surroundings.written };
}

test('[CFG18] inspect shows header, claims with times for people, and grants, and says that it verifies nothing', async () => {
  const { code, out, err } = await inspect(`${token(2880)}\n`, ['-']);
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.match(out, /^Decoded, not verified/);
  assert.match(out, /^Header\n {2}alg +HS256$/m);
  assert.match(out, new RegExp(`^ {2}iss +${key} +the API key$`, 'm'));
  assert.match(out, new RegExp(`^ {2}sub +${account} +the account$`, 'm'));
  assert.match(out, /^ {2}iat +1799997120 +minted 48 min ago, 2027-01-15 07:12:00 UTC$/m);
  assert.match(out, /^ {2}exp +1800000720 +expires in 12 min, 2027-01-15 08:12:00 UTC$/m);
  assert.match(out, /^Grants\n {2}data_sync +\{"endpoint_id":"phone"\}\n {2}identity +ann$/m);
  assert.match((await inspect(token(4 * 3600, 3600))).out, /exp .* expired 3 h ago,/);
  assert.match((await inspect(token(3600, 3600))).out, /exp .* expired 0 s ago,/);
});

test('[CFG18] inspect takes apart what no service would accept, and shows it as plain text', async () => {
  const { out } = await inspect(
    forged('{"exp":1e300,"nbf":"soon","iat":1800000090,"x":"\\u001b[2J\\u202e","grants":5}'),
  );
  assert.match(out, /alg +none/);
  assert.match(out, /exp +1e\+300 +not a time/);
  assert.match(out, /nbf +soon +not a time/);
  assert.match(out, /iat .* minted in 90 s, ahead of this clock/);
  assert.match(out, /x +\\u\{1b\}\[2J\\u\{202e\}$/m);
  assert.match(out, /grants +5 +not an object/);
  const deep = `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  // Whether such depth becomes text depends on the Node; neither way may end in a stack.
  assert.match((await inspect(forged(deep))).out, /x +(\(nested too deeply to show\)|\[{399})/);
  assert.match((await inspect(forged('{}'))).out, /grants +missing/);
  assert.ok((await inspect(forged(`{"x":"${'y'.repeat(30_000)}"}`))).out.length < 1000);
});

test('[CFG18] inspect --json gives header and claims, and says that nothing was verified', async () => {
  const json = JSON.parse((await inspect(token(0), ['--json'])).out) as Record<string, Record<string, unknown>>;
  assert.equal(json['verified'], false);
  assert.equal(json['header']?.['alg'], 'HS256');
  assert.equal(json['claims']?.['iss'], key);
});

test('[CFG18] what is no token is refused in one line without its text', async () => {
  const one = Buffer.from('{}').toString('base64url');
  const refusals: Record<string, RegExp> = {
    hushhush: /not made of parts joined by dots/,
    [`${one}.${one}.${one}.${one}.${one}`]: /it has 5 parts and not 3/,
    [`hush.${one}.hush`]: /its header is not JSON in base64url/,
    [`${one}.${Buffer.from('[]').toString('base64url')}.hush`]: /its payload is not a JSON object/,
    '': /no token came/,
    ' \n ': /no token came/,
  };
  for (const [text, line] of Object.entries(refusals)) {
    const { code, out, err } = await inspect(text);
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, line);
    assert.doesNotMatch(err, /hush/);
  }
});

test('[CFG13] standard input takes a token with blanks around it, in pieces, or in the answer of a token endpoint', async () => {
  const text = token(0);
  const expected = (await inspect(text)).out;
  const pieces = [text.slice(0, 9), text.slice(9)].map((piece) => Buffer.from(piece));
  for (const stdin of [` \n${text}\r\n\n`, pieces, JSON.stringify({ identity: 'ann', token: text })]) {
    assert.equal((await inspect(stdin)).out, expected);
  }
  assert.match((await inspect('{"token":5}')).err, /not made of parts/);
});

test('[CFG13] at most 65,536 bytes are read from standard input', async () => {
  let pieces = 0;
  const endless = {
    *[Symbol.iterator]() {
      for (;;) {
        pieces += 1;
        yield Buffer.alloc(8192, 'a');
      }
    },
  };
  const { code, err } = await inspect(endless);
  assert.deepEqual([code, err], [1, 'tallystick: more than 65536 bytes came, and a token has at most 8192\n']);
  assert.ok(pieces < 30);
  const most = `${token(0)}${' '.repeat(65_536 - token(0).length)}`;
  assert.equal((await inspect(most)).code, 0);
  assert.equal((await inspect(`${most} `)).code, 1);
});

test('[CFG13] at a terminal one pasted line is enough', async () => {
  const typed = {
    *[Symbol.iterator]() {
      yield Buffer.from(`${token(0)}\n`);
      assert.fail('it waits for more');
    },
  };
  const { code, err } = await inspect(typed, [], true);
  assert.deepEqual([code, err], [0, 'Paste the token and press Enter.\n']);
});
