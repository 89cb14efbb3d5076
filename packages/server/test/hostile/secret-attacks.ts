/** Secrets in every place where they do not belong: whoever mislays one must not find it in a log. */

import type { Arena } from './arena.ts';
import { credentials } from './arena.ts';
import { Attacker, upgradeRequest } from './attacker.ts';
import { exchange } from './http-exchange.ts';
import { webSocketFrame } from './websocket-frame.ts';

const host = 'Host: sync.example.org\r\n';

/** Requests to the HTTP door, good and broken ones. */
function requests(secret: string): readonly string[] {
  const headers = [
    `Authorization: Bearer ${secret}`,
    `Cookie: session=${secret}`,
    `X-Token: ${secret}`,
    `${secret}: x`,
  ];
  return [
    `GET /${secret} HTTP/1.1\r\n${host}\r\n`,
    `GET /health/live?token=${secret} HTTP/1.1\r\n${host}\r\n`,
    `GET /%zz?token=${secret} HTTP/1.1\r\n${host}\r\n`,
    `GET http://${secret}@sync.example.org/nothing HTTP/1.1\r\n${host}\r\n`,
    `GET /admin/v1/keys/${secret} HTTP/1.1\r\n${host}${headers.join('\r\n')}\r\n\r\n`,
    `DELETE /admin/v1/keys/${secret} HTTP/1.1\r\n${host}\r\n`,
    `POST /nothing HTTP/1.1\r\n${host}Content-Length: ${secret.length}\r\n\r\n${secret}`,
    // What the parser refuses it hands over whole, in the error.
    `GET /${secret} HTTP/1.1\r\n${host}X : ${secret}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}${headers.join('\r\n')}\r\nContent-Length: ${secret}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}X: ${secret.padEnd(20_000, 'x')}\r\n\r\n`,
    `${secret} / HTTP/1.1\r\n\r\n`,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${secret}\r\n`,
    upgradeRequest().replace('wsconnect', `wsconnect?token=${secret}`),
    upgradeRequest().replace('wsconnect', secret),
    upgradeRequest().replace('AAAAAAAAAAAAAAAAAAAAAA==', secret),
    upgradeRequest(`Sec-WebSocket-Protocol: ${secret},\r\n`),
  ];
}

export function secretAttacks(arena: Arena): void {
  arena.test('[OPS2] secrets that come where none belong are refused unseen', async () => {
    const secrets = [arena.token(), credentials.secret, credentials.authToken, credentials.secretsKey];
    for (const secret of secrets) {
      for (const request of requests(secret)) await exchange(arena.port, request, arena.elsewhere);
    }
    for (const secret of secrets) {
      const attacker = await Attacker.open(arena.port, arena.elsewhere, `Sec-WebSocket-Protocol: ${secret}\r\n`);
      attacker.socket.write(webSocketFrame(`TWILSOCK V3.0 ${secret}`));
      await attacker.ended();
      await requestsOf(await Attacker.open(arena.port, arena.elsewhere), arena.token(), secret);
    }
  });
}

/** Of a live client: the answers are coded errors, which say nothing of the request. */
async function requestsOf(attacker: Attacker, token: string, secret: string): Promise<void> {
  await attacker.init(token);
  const requests: readonly (readonly [string, string, string])[] = [
    ['GET', `/v3/${secret}`, ''],
    ['GET', `/v3/Documents/${secret}%zz`, ''],
    ['POST', '/v3/Documents', `{"data":"${secret}"}`],
    ['POST', '/v3/Documents', `{"data":{},"ttl":"${secret}"}`],
    ['POST', '/v4/Subscriptions', `{"action":"${secret}"}`],
    [secret, '/v3/Documents/a', ''],
  ];
  for (const [i, [method, path, body]] of requests.entries()) {
    attacker.request(method, path, body, `TM${i}`);
    await attacker.reply(`TM${i}`);
  }
  attacker.send(secret, { token: secret }, '', 'TM-unknown');
  await attacker.reply('TM-unknown');
  attacker.send('update', { token: secret }, '', 'TM-update');
  await attacker.ended();
}
