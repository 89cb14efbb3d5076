/** The wire as programs other than the SDK may use it: broken frames, foreign requests, old ways. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { suite, test } from 'node:test';
import { encodeFrame, statusOf } from './harness/frames.ts';
import type { Status } from './harness/frames.ts';
import { libraryToken, credentials } from './harness/credentials.ts';
import { until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startService } from './harness/service.ts';

const service = await startService({ MAX_FRAME_BYTES: '65536' });
const strict = await startService({ INIT_TIMEOUT_MS: '100' });
const pinging = await startService({ PING_INTERVAL_MS: '300' });

/** The close frame that must be the last thing before the socket is closed. */
async function refused(connection: RawConnection): Promise<Status> {
  await connection.closed();
  const last = connection.frames.at(-1);
  assert.equal(last?.method, 'close');
  return statusOf(last);
}

suite('frames', { concurrency: true }, () => {
  test('[CON1] a request before init is refused with 401 / 51215, and the socket closed', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.sendFrame({
      method: 'message',
      id: 'TM1',
      http_request: { method: 'GET', path: '/v3/Documents/a' },
    });
    const { code, errorCode } = await refused(connection);
    assert.deepEqual([code, errorCode], [401, 51215]);
  });

  test('[CON1] a connection without init is closed with 1008 when the time for it is over', async (t) => {
    const connection = new RawConnection(t, strict.socketUrl);
    assert.equal(await connection.closed(), 1008);
  });

  test('[CON3] a second init on a live connection is answered 400 and changes nothing', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const again = await connection.init('ben', { token: libraryToken('ben') });
    assert.equal(statusOf(again).code, 400);
    const made = await connection.request('POST', '/v3/Documents', '{"data":{}}');
    assert.equal(made.body['created_by'], 'ann');
  });

  const garbage: readonly (readonly [what: string, message: Buffer | string])[] = [
    ['a text message', 'TWILSOCK V3.0 2\r\n{}\r\n'],
    ['bytes without sense', Buffer.from([0, 1, 2, 255, 254, 13, 10])],
    ['nothing', Buffer.alloc(0)],
    ['another preamble', Buffer.from('TWILSOCK V2.0 2\r\n{}\r\n')],
    ['a header that is not JSON', Buffer.from('TWILSOCK V3.0 5\r\n{"a":\r\n')],
    ['a header that is an array', Buffer.from('TWILSOCK V3.0 2\r\n[]\r\n')],
    ['a header without method and id', Buffer.from('TWILSOCK V3.0 2\r\n{}\r\n')],
    ['a frame cut off in the header', encodeFrame({ method: 'message', id: 'TM1' }).subarray(0, 30)],
    ['a frame cut off in the payload', encodeFrame({ method: 'message', id: 'TM1' }, '{"a":1}').subarray(0, -3)],
    [
      'a payload longer than told',
      Buffer.concat([encodeFrame({ method: 'message', id: 'TM1' }, '{}'), Buffer.from('xxxxx')]),
    ],
    ['a header that is not UTF-8', Buffer.from('TWILSOCK V3.0 4\r\n{"\xff"}\r\n', 'latin1')],
  ];
  for (const [what, message] of garbage) {
    for (const moment of ['before', 'after'] as const) {
      test(`[CON4] ${what} ${moment} init is answered with close 406, and only that connection ends`, async (t) => {
        const bystander = new RawConnection(t, service.socketUrl);
        await bystander.init('ben');
        const connection = new RawConnection(t, service.socketUrl);
        if (moment === 'after') await connection.init('ann');
        await connection.opened();
        connection.send(message);
        assert.equal((await refused(connection)).code, 406);
        assert.equal((await bystander.request('GET', '/v3/Documents/none')).status, 404);
      });
    }
  }

  test('[CON4] a frame larger than the limit ends its connection, and the service lives on', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    connection.send(encodeFrame({ method: 'message', id: 'TM1' }, 'x'.repeat(70_000)));
    assert.equal(await connection.closed(), 1009);
    const next = new RawConnection(t, service.socketUrl);
    assert.equal(statusOf(await next.init('ann')).code, 200);
  });

  test('[CON4] an unknown method is answered 400, and the connection stays', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    assert.equal(statusOf(await connection.ask({ method: 'dance' })).code, 400);
    assert.equal((await connection.request('GET', '/v3/Documents/none')).status, 404);
  });

  test('[CON4] a blank after the preamble and a line end after the payload are accepted, as other clients send them', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const request = { method: 'POST', path: '/v3/Documents' };
    const frame = encodeFrame({ method: 'message', id: 'TM1', http_request: request }, '{"data":{"a":1}}').toString();
    connection.send(Buffer.from(`${frame.replace('\r\n', ' \r\n')}\r\n`));
    const reply = await connection.frame('the reply', ({ id }) => id === 'TM1');
    assert.deepEqual(reply.header['http_status'], { code: 201, status: 'Created' });
  });

  test('[CON4] telemetry is taken without an answer', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const events = [{ start: -4, end: -1, title: 'Establish WebSocket connection', details: '' }];
    await connection.sendFrame({ method: 'telemetry.v1', id: 'TMtelemetry', events });
    await connection.request('GET', '/v3/Documents/none');
    assert.equal(
      connection.frames.some(({ id }) => id === 'TMtelemetry'),
      false,
    );
  });

  test('[CON12] a token in the address is refused at the upgrade, and another path too', async (t) => {
    for (const url of [`${service.socketUrl}?token=${libraryToken('ann')}`, `${service.socketUrl}/more`]) {
      const connection = new RawConnection(t, url);
      assert.equal(await connection.closed(), 1006);
    }
  });
});

suite('init', { concurrency: true }, () => {
  const refusals: readonly (readonly [what: string, token: unknown, code: number, errorCode: number])[] = [
    ['no text', 17, 401, 20101],
    ['empty', '', 401, 20101],
    ['no token', 'nonsense', 401, 20101],
    ['signed with another secret', libraryToken('ann', { secret: 'x'.repeat(32) }), 401, 20107],
    ['for a service that is not there', libraryToken('ann', { serviceSid: `IS${'9'.repeat(32)}` }), 403, 54050],
  ];
  for (const [what, token, code, errorCode] of refusals) {
    test(`[CON2] a token that is ${what} is refused with ${code} / ${errorCode}, and the connection closed`, async (t) => {
      const connection = new RawConnection(t, service.socketUrl);
      const status = statusOf(await connection.init('ann', { token }));
      assert.deepEqual([status.code, status.errorCode], [code, errorCode]);
      await connection.closed();
    });
  }

  test('[CON7] a foreign continuation token is answered with a fresh one', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    const reply = await connection.init('ann', { fields: { continuation_token: 'somebody else' } });
    assert.equal(statusOf(reply).code, 200);
    assert.notEqual(reply.header['continuation_token'], 'somebody else');
    const mine = { continuation_token: reply.header['continuation_token'] };
    const again = await new RawConnection(t, service.socketUrl).init('ann', { fields: mine });
    assert.equal(again.header['continuation_token'], mine.continuation_token);
    const other = await new RawConnection(t, service.socketUrl).init('ben', { fields: mine });
    assert.notEqual(other.header['continuation_token'], mine.continuation_token);
  });

  test('[CON8] the storage id is the same for one identity, and differs for another', async (t) => {
    const ids: string[] = [];
    for (const identity of ['ann', 'ann', 'ben']) {
      const fields = { capabilities: ['offline_storage'] };
      const reply = await new RawConnection(t, service.socketUrl).init(identity, { fields });
      const { data_sync: sync } = reply.header['offline_storage'] as { data_sync: { storage_id: string } };
      ids.push(sync.storage_id);
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
  });

  test('[CON8] capabilities that were not asked for are not granted', async (t) => {
    const reply = await new RawConnection(t, service.socketUrl).init('ann', { fields: { capabilities: [] } });
    assert.deepEqual(reply.header['capabilities'], []);
    assert.equal(reply.header['offline_storage'], undefined);
  });
});

suite('requests', { concurrency: true }, () => {
  test('[CON10] [CON11] an unknown route is 404 / 54001 inside an outer 200', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    for (const [method, path] of [
      ['GET', '/v3/Nothing'],
      ['PATCH', '/v3/Documents/a'],
      ['GET', '/v9/Documents/a'],
      ['GET', '/'],
      ['POST', '/v3/Documents/a/b/c'],
    ] as const) {
      const { outer, status, body } = await connection.request(method, path);
      assert.deepEqual([outer, status, body['code']], [200, 404, 54001], `${method} ${path}`);
    }
  });

  test('[CON10] the address of another service is 403 / 54056, that of the own one works', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const other = await connection.request('GET', `/v3/Services/IS${'8'.repeat(32)}/Documents/a`);
    assert.deepEqual([other.outer, other.status, other.body['code']], [200, 403, 54056]);
    const own = await connection.request('GET', `/v3/Services/${credentials.serviceSid}/Documents/none`);
    assert.deepEqual([own.status, own.body['code']], [404, 54300]);
  });

  test('[CON10] [CON11] broken percent-encoding is 400 inside an outer 200', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    for (const path of ['/v3/Documents/%', '/v3/Documents/%zz', '/v3/Documents/%ff', 'v3/Documents/a']) {
      const { outer, status } = await connection.request('GET', path);
      assert.deepEqual([outer, status], [200, 400], path);
    }
  });

  test('[DOC5] bodies that are no JSON, or JSON beyond the bounds, are 400 / 54008 and missing data is 54101', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const { body } = await connection.request('POST', '/v3/Documents', '{"data":{}}');
    const path = `/v3/Documents/${String(body['sid'])}`;
    const refusals: readonly (readonly [body: string | Buffer, code: number])[] = [
      ['', 54008],
      ['{', 54008],
      ['[]', 54008],
      ['{"data":[]}', 54008],
      ['{"data":"text"}', 54008],
      ['{"data":{"n":1e400}}', 54008],
      [`{"data":{"deep":${'['.repeat(250)}${']'.repeat(250)}}}`, 54008],
      [Buffer.from('{"data":{"a":"\xff"}}', 'latin1'), 54008],
      ['{"data":null}', 54101],
      ['{}', 54101],
    ];
    for (const [text, code] of refusals) {
      const answer = await connection.request('POST', path, text);
      assert.deepEqual([answer.status, answer.body['code']], [400, code], text.toString());
    }
    assert.equal((await connection.request('GET', path)).body['revision'], '0');
  });

  test('[DOC4] a conditional write: missing 404, impossible revision 400 / 54003, another 412 / 54103, the right one wins', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const { body } = await connection.request('POST', '/v3/Documents', '{"data":{"n":0}}');
    const path = `/v3/Documents/${String(body['sid'])}`;
    const write = (to: string, ifMatch: string) =>
      connection.request('POST', to, '{"data":{"n":1}}', { 'If-Match': ifMatch });
    assert.equal((await write(`/v3/Documents/ET${'0'.repeat(32)}`, 'x y')).body['code'], 54100);
    assert.deepEqual((await write(path, 'no revision')).body['code'], 54003);
    const stale = await write(path, '7');
    assert.deepEqual([stale.status, stale.body['code']], [412, 54103]);
    const right = await write(path, '0');
    assert.deepEqual([right.status, right.body['revision']], [200, '1']);
    assert.equal((await write(path, '0')).status, 412);
  });

  test('[DOC7] a DELETE is understood although its payload is not JSON', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const { body } = await connection.request('POST', '/v3/Documents', '{"data":{}}');
    assert.equal((await connection.request('DELETE', `/v3/Documents/${String(body['sid'])}`, 'data_sync')).status, 204);
  });

  test('[WRI3] a write repeated with the same request id gets the first answer and is applied once', async (t) => {
    const connection = new RawConnection(t, service.socketUrl);
    await connection.init('ann');
    const { body } = await connection.request('POST', '/v3/Documents', '{"data":{}}');
    const path = `/v3/Documents/${String(body['sid'])}`;
    const headers = { 'Twilio-Request-Id': `RQ${randomUUID().replaceAll('-', '')}` };
    const write = () => connection.request('POST', path, '{"data":{"n":1}}', headers);
    const answers = await Promise.all([write(), write(), write()]);
    assert.deepEqual(
      answers.map((answer) => answer.body['revision']),
      ['1', '1', '1'],
    );
    const later = new RawConnection(t, service.socketUrl);
    await later.init('ann');
    assert.equal((await later.request('POST', path, '{"data":{"n":1}}', headers)).body['revision'], '1');
    const stranger = new RawConnection(t, service.socketUrl);
    await stranger.init('ben');
    assert.equal((await stranger.request('POST', path, '{"data":{"n":1}}', headers)).body['revision'], '2');
  });
});

// Alone: with so short an interval a busy moment of this process would pass for dead clients.
suite('keeping alive', () => {
  test('[CON5] a connection that acknowledges no ping is dropped, one that does stays', async (t) => {
    const dead = new RawConnection(t, pinging.socketUrl);
    const alive = new RawConnection(t, pinging.socketUrl);
    dead.acknowledges = false;
    await Promise.all([dead.init('ann'), alive.init('ben')]);
    assert.equal(await dead.closed(), 1006);
    const pings = (): number => alive.frames.filter(({ method }) => method === 'ping').length;
    await until('three pings', () => pings() >= 3);
    assert.equal((await alive.request('GET', '/v3/Documents/none')).status, 404);
  });
});
