/** Requests that are no HTTP, more than one request, or another than they look like. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Arena } from './arena.ts';
import { upgradeRequest } from './attacker.ts';
import { assertCoded, exchange } from './http-exchange.ts';

interface Case {
  readonly sent: Buffer | string;
  /** The statuses of all answers. */
  readonly answers: readonly number[];
  /** What Node answers before anybody is asked has no body. */
  readonly isPlatforms?: true;
}

const host = 'Host: sync.example.org\r\n';
const live = `GET /health/live HTTP/1.1\r\n${host}\r\n`;

function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\n${host}${headers}\r\n`;
}

function post(headers: string, body: string): string {
  return `POST /health/live HTTP/1.1\r\n${host}${headers}\r\n${body}`;
}

const chunked = 'Transfer-Encoding: chunked\r\n';

const malformed: Readonly<Record<string, Case>> = {
  'nothing at all': { sent: '', answers: [] },
  zeros: { sent: Buffer.alloc(64), answers: [400] },
  'a handshake of TLS': { sent: Buffer.from('16030100c8010000c40303', 'hex'), answers: [400] },
  'the preface of HTTP/2': { sent: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', answers: [400] },
  'the greeting of SMTP': { sent: 'EHLO x\r\n', answers: [400] },
  'an unknown method': { sent: `BREW / HTTP/1.1\r\n${host}\r\n`, answers: [400] },
  'a method in lower case': { sent: `get / HTTP/1.1\r\n${host}\r\n`, answers: [400] },
  'line feeds alone': { sent: 'GET /health/live HTTP/1.1\nHost: x\n\n', answers: [400] },
  'a NUL in the address': { sent: get('/health/live\0'), answers: [400] },
  'a NUL in a header': { sent: get('/health/live', 'X: a\0b\r\n'), answers: [400] },
  'a line end in a header': { sent: get('/health/live', 'X: a\rb\r\n'), answers: [400] },
  'a header folded onto the next line': { sent: get('/health/live', 'X: a\r\n b\r\n'), answers: [400] },
  'a blank before a colon': { sent: get('/health/live', 'X : a\r\n'), answers: [400] },
  'a header without a name': { sent: get('/health/live', ': a\r\n'), answers: [400] },
  'no host': { sent: 'GET /health/live HTTP/1.1\r\n\r\n', answers: [400], isPlatforms: true },
  'two hosts': { sent: get('/health/live', 'Host: evil.example\r\n'), answers: [400] },
  'an expectation that nobody knows': {
    sent: get('/health/live', 'Expect: miracles\r\n'),
    answers: [417],
    isPlatforms: true,
  },
  'headers of 17 KiB': { sent: get('/health/live', `X: ${'x'.repeat(17_000)}\r\n`), answers: [431] },
  '5,000 headers': { sent: get('/health/live', 'A: b\r\n'.repeat(5000)), answers: [431] },
  'a header that does not end': { sent: `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`, answers: [431] },
  'an address of 5 KiB': { sent: get(`/${'x'.repeat(5000)}`), answers: [414] },
  'an address of 5 KiB for the socket': {
    sent: upgradeRequest().replace('wsconnect', `wsconnect?${'x'.repeat(5000)}`),
    answers: [414],
  },
  'a request cut off': { sent: live.slice(0, -10), answers: [400] },
};

const smuggling: Readonly<Record<string, Case>> = {
  'two sizes': { sent: post('Content-Length: 0\r\nContent-Length: 5\r\n', live), answers: [400] },
  'the same size twice': { sent: post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), answers: [400] },
  'a list of sizes': { sent: post('Content-Length: 5, 5\r\n', 'hello'), answers: [400] },
  'a negative size': { sent: post('Content-Length: -1\r\n', live), answers: [400] },
  'a size with a sign': { sent: post('Content-Length: +5\r\n', 'hello'), answers: [400] },
  'a size in hex': { sent: post('Content-Length: 0x5\r\n', 'hello'), answers: [400] },
  'a size beyond 64 bits': { sent: post('Content-Length: 18446744073709551616\r\n', live), answers: [400] },
  'a size and chunks': { sent: post(`Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${live}`), answers: [400] },
  'chunks and a size': { sent: post(`${chunked}Content-Length: 4\r\n`, `0\r\n\r\n${live}`), answers: [400] },
  'chunks that are not the last coding': {
    sent: post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${live}`),
    answers: [400],
  },
  'a size of a chunk beyond 64 bits': { sent: post(chunked, `fffffffffffffffff\r\n${live}`), answers: [404, 400] },
  'a size of a chunk that is no number': {
    sent: post(chunked, `0x5\r\nhello\r\n0\r\n\r\n${live}`),
    answers: [404, 400],
  },
  'a chunk with line feeds alone': { sent: post(chunked, `5\nhello\n0\n\n${live}`), answers: [404, 400] },
  'a request in the body': { sent: post(`Content-Length: ${live.length}\r\n`, live), answers: [404] },
  'a request in the body of a GET': {
    sent: get('/health/live', `Content-Length: ${live.length}\r\n`) + live,
    answers: [200],
  },
  'a request after an upgrade that is refused': {
    sent: upgradeRequest().replace('wsconnect', 'nothing') + live,
    answers: [404],
  },
};

const targets: Readonly<Record<string, number>> = {
  '/health/live': 200,
  '/health/live?x=%c0': 200,
  '/health/%6cive': 200,
  'http://evil.example/health/live': 200,
  '/health/live/': 404,
  '//health/live': 404,
  '/health//live': 404,
  '/./health/live': 404,
  '/x/../health/live': 404,
  '/%2e%2e/health/live': 404,
  '/health%2flive': 404,
  '/health\\live': 404,
  '/health/live%00': 404,
  '/health/live;a=b': 404,
  '/HEALTH/live': 404,
  '/health': 404,
  '/__proto__': 404,
  '/constructor': 404,
  '/v3/wsconnect': 404,
  '/.env': 404,
  '/../../etc/passwd': 404,
  '/%2e%2e%2f%2e%2e%2fetc%2fpasswd': 404,
  '/%c0%ae%c0%ae/': 400,
  '/%': 400,
  '/%zz': 400,
  '*': 404,
};

const methods: Readonly<Record<string, Case>> = {
  HEAD: { sent: `HEAD /health/live HTTP/1.1\r\n${host}\r\n`, answers: [200] },
  TRACE: { sent: `TRACE /health/live HTTP/1.1\r\n${host}X-Secret: x\r\n\r\n`, answers: [404] },
  OPTIONS: { sent: `OPTIONS * HTTP/1.1\r\n${host}\r\n`, answers: [404] },
  PROPFIND: { sent: `PROPFIND /health/live HTTP/1.1\r\n${host}\r\n`, answers: [404] },
  'CONNECT to elsewhere': { sent: `CONNECT evil.example:80 HTTP/1.1\r\n${host}\r\n`, answers: [] },
  'an authority for a target': { sent: get('evil.example:80'), answers: [400] },
  'an upgrade to HTTP/2': {
    sent: get('/health/live', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
    answers: [200],
  },
  'an upgrade to WebSocket elsewhere': {
    sent: upgradeRequest().replace('/v3/wsconnect', '/health/live'),
    answers: [404],
  },
  'an upgrade by POST': { sent: upgradeRequest().replace('GET', 'POST'), answers: [400] },
  'an upgrade without a key': { sent: upgradeRequest().replace(/Sec-WebSocket-Key.*\r\n/, ''), answers: [400] },
  'an upgrade with a short key': { sent: upgradeRequest().replace('AAAAAAAAAA==', '=='), answers: [400] },
  'an upgrade of another version': { sent: upgradeRequest().replace('Version: 13', 'Version: 12'), answers: [400] },
  'an upgrade with a token': { sent: upgradeRequest().replace('wsconnect', 'wsconnect?token=abc'), answers: [400] },
  'an upgrade with a token written otherwise': {
    sent: upgradeRequest().replace('wsconnect', 'wsconnect?%74oken=abc'),
    answers: [400],
  },
  'an upgrade by way of another path': { sent: upgradeRequest().replace('/v3/', '/v3/../v3/'), answers: [404] },
};

export function httpAttacks(arena: Arena): void {
  const run = async (t: TestContext, cases: Readonly<Record<string, Case>>): Promise<void> => {
    for (const [what, { sent, answers, isPlatforms }] of Object.entries(cases)) {
      await t.test(what, async () => {
        const given = await exchange(arena.port, sent, arena.elsewhere);
        assert.deepEqual(
          given.map(({ status }) => status),
          answers,
        );
        for (const answer of given) if (answer.status >= 400 && isPlatforms === undefined) assertCoded(answer);
      });
    }
  };

  arena.test('[CON17] [BND13] what is no HTTP is refused in one form, and its connection ends', (t) =>
    run(t, malformed),
  );
  arena.test('[HOS5] one request is never two', (t) => run(t, smuggling));
  arena.test('[HOS5] [CON17] methods and upgrades that nobody offers lead nowhere', (t) => run(t, methods));
  arena.test('[CON17] a path is taken as it is written', (t) =>
    run(
      t,
      Object.fromEntries(
        Object.entries(targets).map(([target, status]) => [target, { sent: get(target), answers: [status] }]),
      ),
    ),
  );
}
