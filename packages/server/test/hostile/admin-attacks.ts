/** The operator's door, which stands on the same port as everything else. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { credentials } from './arena.ts';
import type { Arena } from './arena.ts';
import { answersOf, assertCoded, exchange } from './http-exchange.ts';
import { RawSocket } from './raw-socket.ts';

const host = 'Host: sync.example.org\r\n';
const json = 'Content-Type: application/json\r\n';

function basic(user: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}\r\n`;
}

const good = basic(credentials.account, credentials.authToken);

/** Any request, with good credentials unless the headers bring others. */
function ask(method: string, target: string, body = '', headers: string = good + json): string {
  const size = body === '' && method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${host}Connection: close\r\n${headers}${size}\r\n${body}`;
}

function post(target: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${target} HTTP/1.1\r\n${host}Connection: close\r\n${good}${json}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

const keys = '/admin/v1/keys';
const services = '/admin/v1/services';

/** Each with the statuses of all its answers. */
type Cases = Readonly<Record<string, readonly [string | Buffer, number]>>;

/** Nine at most: the tenth in a minute locks the address out. */
const strangers: Cases = {
  'no credentials': [ask('GET', keys, '', ''), 401],
  'no credentials, a path written otherwise': [ask('GET', '/%61dmin/v1/keys', '', ''), 401],
  'no credentials, and a body of 50 KB': [ask('POST', keys, ' '.repeat(50_000), json), 401],
  'no credentials, and nothing there': [ask('GET', '/admin/v1/nothing', '', ''), 401],
  'a token of the other door': [ask('GET', keys, '', 'Authorization: Bearer x\r\n'), 401],
  'the account without its token': [ask('GET', keys, '', basic(credentials.account, '')), 401],
  'the key and its secret': [ask('GET', keys, '', basic(credentials.key, credentials.secret)), 401],
  'credentials of 12 KB': [ask('GET', keys, '', basic(credentials.account, 'x'.repeat(9000))), 401],
  'credentials twice, the good ones last': [ask('GET', keys, '', basic('x', 'y') + good), 401],
};

const paths: Cases = {
  'out of the door and in again': [ask('GET', '/admin/v1/../v1/keys'), 404],
  'dots in escapes': [ask('GET', '/admin/v1/%2e%2e/v1/keys'), 404],
  'an escaped slash': [ask('GET', '/admin%2fv1%2fkeys'), 404],
  'two slashes': [ask('GET', '//admin/v1/keys'), 404],
  'two slashes inside': [ask('GET', '/admin//v1/keys'), 404],
  'a slash at the end': [ask('GET', `${keys}/`), 404],
  'a NUL': [ask('GET', `${keys}%00`), 404],
  'another case': [ask('GET', '/ADMIN/v1/keys'), 404],
  'a parameter in the path': [ask('GET', `${keys};a=b`), 404],
  'an address elsewhere': [ask('GET', `http://evil.example${keys}`), 200],
  'a key that is a path': [ask('DELETE', `${keys}/..%2f..%2fkeys`), 400],
  'a key that is a prototype name': [ask('DELETE', `${keys}/__proto__`), 400],
  'a key that is a statement': [ask('DELETE', `${keys}/'%20OR%201=1`), 400],
  'a key of 3 KB': [ask('DELETE', `${keys}/${'x'.repeat(3000)}`), 400],
  'a key in broken escapes': [ask('DELETE', `${keys}/%zz`), 400],
  'a service that is a prototype name': [ask('DELETE', `${services}/constructor/connections?identity=a`), 400],
  'no identity': [ask('DELETE', `${services}/default/connections`), 400],
  'two identities': [ask('DELETE', `${services}/default/connections?identity=a&identity=b`), 400],
  'an identity that is a prototype': [ask('DELETE', `${services}/default/connections?__proto__=a`), 400],
  'an identity in broken escapes': [ask('DELETE', `${services}/default/connections?identity=%ff`), 400],
  'an identity of 60 KB': [ask('DELETE', `${services}/default/connections?identity=${'x'.repeat(60_000)}`), 431],
  'a method that is not there': [ask('PUT', keys, '{}'), 404],
  TRACE: [ask('TRACE', keys), 404],
  'a method by header': [ask('GET', keys, '', `${good}X-HTTP-Method-Override: DELETE\r\n`), 200],
};

const bodies: Cases = {
  'a body of 16 KB and one': [post(keys, JSON.stringify({ name: 'x'.repeat(16_384) })), 413],
  'a body of 1 GB, announced': [
    `POST ${keys} HTTP/1.1\r\n${host}${good}${json}Content-Length: 1000000000\r\n\r\n{`,
    413,
  ],
  'a body nested 8,000 deep': [post(keys, nested(8000)), 400],
  'a name nested 8,000 deep': [post(keys, `{"name":${nested(8000)}}`), 400],
  'a body that is no JSON': [post(keys, '{"name":'), 400],
  'a body that is not UTF-8': [post(keys, Buffer.from('{"name":"\xff"}', 'latin1')), 400],
  'a byte order mark': [post(services, '\ufeff{"uniqueName":"bom"}'), 201],
  'a prototype': [post(keys, '{"__proto__":{"name":"x"}}'), 400],
  'a constructor': [post(keys, '{"constructor":{"prototype":{"x":1}}}'), 400],
  'a number beyond a double': [post(keys, '{"name":1e400}'), 400],
  'a name that is an array': [post(keys, '{"name":["x"]}'), 400],
  'a name with a NUL': [post(keys, String.raw`{"name":"a\u0000"}`), 400],
  'a name with half of a surrogate pair': [post(services, String.raw`{"uniqueName":"\ud800"}`), 400],
  "a secret of the asker's own": [post(keys, '{"secret":"x"}'), 400],
  'an array': [post(keys, '[]'), 400],
  null: [post(services, 'null'), 201],
  'a form': [ask('POST', keys, 'name=x', `${good}Content-Type: application/x-www-form-urlencoded\r\n`), 400],
  XML: [ask('POST', keys, '<name/>', `${good}Content-Type: application/xml\r\n`), 400],
  'no type': [ask('POST', keys, '{}', good), 400],
  'another charset': [ask('POST', keys, '{}', `${good}Content-Type: application/json; charset=utf-16\r\n`), 201],
};

export function adminAttacks(arena: Arena): void {
  arena.asSecret(good.slice('Authorization: Basic '.length, -2));
  const run = async (t: TestContext, cases: Cases): Promise<void> => {
    for (const [what, [sent, expected]] of Object.entries(cases)) {
      await t.test(what, async () => {
        const answers = await exchange(arena.port, sent, { ...arena.elsewhere, staysOpen: true });
        assert.deepEqual(
          answers.map(({ status }) => status),
          [expected],
        );
        for (const answer of answers) if (answer.status >= 400) assertCoded(answer);
      });
    }
  };

  arena.test('[CON17] [ADM1] no other path leads to the door, and no other path out of it', (t) => run(t, paths));
  arena.test('[CON17] [ADM3] a body that is too much, too deep or no JSON is refused', (t) => run(t, bodies));

  arena.test('[ADM3] [HOS3] a body that does not end is not read to its end', async () => {
    const socket = await RawSocket.open(arena.port, arena.elsewhere);
    socket.write(`POST ${keys} HTTP/1.1\r\n${host}${good}${json}Transfer-Encoding: chunked\r\n\r\n`);
    await socket.flood(Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`), 1000);
    await socket.ended();
    // The answer is lost when what comes after it is refused before it was read.
    for (const { status } of answersOf(socket.received)) assert.equal(status, 413);
    assert.ok(socket.written < 32 * 1_048_576, `${socket.written} bytes were read`);
  });

  arena.test('[ADM1] [ADM2] strangers are told nothing, and wait after ten attempts', async (t) => {
    await run(t, strangers);
    const sent = ask('GET', keys, '', basic(credentials.account, 'a guess'));
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++)
      for (const answer of await exchange(arena.port, sent, { ...arena.elsewhere, staysOpen: true }))
        statuses.push(answer.status);
    assert.equal(statuses.at(-1), 429);
    const [answer] = await exchange(arena.port, ask('GET', keys), { ...arena.elsewhere, staysOpen: true });
    assert.equal(answer?.status, 429, 'the right ones wait as well');
  });
}
