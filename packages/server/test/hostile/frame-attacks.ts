/** Messages that break the compatible wire, or use it in ways that no client does. */

import assert from 'node:assert/strict';
import { clientFrame, rawFrame, statusOf } from '../frame-client.ts';
import type { Arena } from './arena.ts';
import { Attacker } from './attacker.ts';
import { webSocketFrame } from './websocket-frame.ts';

/** What breaks the framing, whatever the state of the connection. */
const broken: Readonly<Record<string, Buffer>> = {
  'no frame': Buffer.from('hello'),
  'a line end and nothing': Buffer.from('\r\n'),
  'another mark': Buffer.from('TWILSOCX V3.0 2\r\n{}'),
  'another version': Buffer.from('TWILSOCK V3.1 2\r\n{}'),
  'a preamble without end': Buffer.from(`TWILSOCK V3.0 ${'1'.repeat(100_000)}`),
  'a header size that lies high': Buffer.from('TWILSOCK V3.0 9999999\r\n{"id":"a","method":"init"}'),
  'a header size that lies low': Buffer.from('TWILSOCK V3.0 5\r\n{"id":"a","method":"init"}'),
  'a header size of zero': Buffer.from('TWILSOCK V3.0 0\r\n{"id":"a","method":"init"}'),
  'a header size below zero': Buffer.from('TWILSOCK V3.0 -1\r\n{}'),
  'a header size of 1e400': Buffer.from('TWILSOCK V3.0 1e400\r\n{}'),
  'a header size in other digits': Buffer.from('TWILSOCK V3.0 ٣٤\r\n{"id":"a","method":"init"}'),
  'a payload size that lies high': rawFrame('{"id":"a","method":"init","payload_size":100}', 'x'),
  'a payload size that lies low': rawFrame('{"id":"a","method":"init","payload_size":1}', 'xyz'),
  'a payload size of 1e400': rawFrame('{"id":"a","method":"init","payload_size":1e400}', 'x'),
  'a payload size of 2^63': rawFrame('{"id":"a","method":"init","payload_size":9223372036854775808}', 'x'),
  'a payload size of -0.5': rawFrame('{"id":"a","method":"init","payload_size":-0.5}', 'x'),
  'a payload size that is an object': rawFrame('{"id":"a","method":"init","payload_size":{"valueOf":null}}', 'x'),
  'a truncated frame': clientFrame('TM1', 'init', { token: 'x' }).subarray(0, 40),
  'a header nested 100,000 deep and open': rawFrame('['.repeat(100_000)),
  'a header that is an array, 100,000 deep': rawFrame(nested(100_000)),
  'a header that is not UTF-8': rawFrame(Buffer.from('{"id":"\xff","method":"init"}', 'latin1')),
  'a header in UTF-16': rawFrame(Buffer.from('{"id":"a","method":"init"}', 'utf16le')),
  'a header after a byte order mark': rawFrame('\ufeff{"id":"a","method":"init"}'),
  'a header with half of a surrogate pair in bytes': rawFrame(
    Buffer.from('7b226964223a22eda080222c226d6574686f64223a22696e6974227d', 'hex'),
  ),
  'an id that is the prototype': rawFrame('{"__proto__":{"id":"a","method":"init"}}'),
  'a method that is an object': rawFrame('{"id":"a","method":{"toString":"init"}}'),
  'a frame of zeros': Buffer.alloc(200_000),
};

/** What is understood and refused, on a connection that goes on. The status is that of the tunnelled request, or the outer one. */
const refused: Readonly<Record<string, { readonly sent: Buffer; readonly status: number; readonly code: number }>> = {
  'a second init': { sent: clientFrame('TM1', 'init', { token: 'x' }), status: 400, code: 51130 },
  'an unknown method': { sent: clientFrame('TM1', 'drop_tables'), status: 400, code: 51130 },
  'a method that is a prototype name': { sent: clientFrame('TM1', 'constructor'), status: 400, code: 51130 },
  'a context without an id': { sent: clientFrame('TM1', 'put_notification_ctx', {}, '{}'), status: 400, code: 51130 },
  'a context id that has no text': {
    sent: rawFrame(
      '{"id":"TM1","method":"put_notification_ctx","notification_ctx_id":{"toString":null,"valueOf":null}}',
    ),
    status: 400,
    code: 51130,
  },
  'a context id nested 100,000 deep': {
    sent: rawFrame(`{"id":"TM1","method":"delete_notification_ctx","notification_ctx_id":${nested(100_000)}}`),
    status: 400,
    code: 51130,
  },
  'a context id of 200 KB': {
    sent: clientFrame(
      'TM1',
      'put_notification_ctx',
      { notification_ctx_id: 'x'.repeat(200_000) },
      '{"message_types":["twilio.sync.event"]}',
    ),
    status: 400,
    code: 51130,
  },
  'a request that is none': { sent: clientFrame('TM1', 'message'), status: 400, code: 20001 },
  'a request nested 100,000 deep': {
    sent: rawFrame(`{"id":"TM1","method":"message","http_request":${nested(100_000)}}`),
    status: 400,
    code: 20001,
  },
  'a path of 200 KB': { sent: request('GET', `/v3/Documents/${'a/'.repeat(100_000)}`), status: 404, code: 54001 },
  'a name of 200 KB': { sent: request('GET', `/v3/Documents/${'a'.repeat(200_000)}`), status: 404, code: 54300 },
  'half of a surrogate pair in a path': {
    sent: rawFrame(
      String.raw`{"id":"TM1","method":"message","http_request":{"method":"GET","path":"/v3/Documents/\ud800","headers":{}}}`,
    ),
    status: 400,
    code: 20001,
  },
  'the path of another service': {
    sent: request('GET', `/v3/Services/IS${'0'.repeat(32)}/Documents/a`),
    status: 403,
    code: 54056,
  },
  'a path out of the service': { sent: request('GET', '/v3/Documents/../../admin/v1/keys'), status: 404, code: 54001 },
  'data nested 100,000 deep': {
    sent: request('POST', '/v3/Documents', `{"data":{"a":${nested(100_000)}}}`),
    status: 400,
    code: 54008,
  },
  'data nested 100,000 deep and open': {
    sent: request('POST', '/v3/Documents', `{"data":${'{"a":'.repeat(40_000)}`),
    status: 400,
    code: 54008,
  },
  'a number beyond a double': {
    sent: request('POST', '/v3/Documents', '{"data":{"a":1e400}}'),
    status: 400,
    code: 54008,
  },
  'data that is not UTF-8': {
    sent: request('POST', '/v3/Documents', Buffer.from('{"data":{"a":"\xff"}}', 'latin1')),
    status: 400,
    code: 54008,
  },
  'data after a byte order mark': {
    sent: request('POST', '/v3/Documents', '\ufeff{"data":{}}'),
    status: 400,
    code: 54008,
  },
  'data of 200 KB': {
    sent: request('POST', '/v3/Documents', `{"data":{"a":"${'x'.repeat(200_000)}"}}`),
    status: 413,
    code: 54006,
  },
  'a body that is a prototype': {
    sent: request('POST', '/v3/Documents/a', '{"__proto__":{"data":{}}}'),
    status: 400,
    code: 54101,
  },
  'a name that is a prototype': { sent: request('GET', '/v3/Documents/__proto__'), status: 404, code: 54300 },
  'a ttl of 1e400': { sent: request('POST', '/v3/Documents', '{"data":{},"ttl":1e400}'), status: 400, code: 54008 },
  'a ttl of -1': { sent: request('POST', '/v3/Documents', '{"data":{},"ttl":-1}'), status: 400, code: 54011 },
  'a ttl that is an object': {
    sent: request('POST', '/v3/Documents', '{"data":{},"ttl":{"valueOf":1}}'),
    status: 400,
    code: 54011,
  },
  'a name that is an object': {
    sent: request('POST', '/v3/Documents', '{"data":{},"unique_name":{"length":5}}'),
    status: 400,
    code: 54302,
  },
  'a name nested 100 deep': {
    sent: request('POST', '/v3/Documents', `{"data":{},"unique_name":${nested(100)}}`),
    status: 400,
    code: 54302,
  },
  'a subscription nested 100,000 deep': {
    sent: request('POST', '/v4/Subscriptions', `{"requests":${nested(100_000)}}`),
    status: 400,
    code: 20001,
  },
  'a subscription to 1,001 objects': {
    sent: subscription(Array.from({ length: 1001 }, () => entry('x'))),
    status: 400,
    code: 20001,
  },
  'a correlation of 1e400': {
    sent: request(
      'POST',
      '/v4/Subscriptions',
      '{"action":"cancel","event_protocol_version":4,"correlation_id":1e400,"requests":[]}',
    ),
    status: 400,
    code: 20001,
  },
};

export function frameAttacks(arena: Arena): void {
  arena.test('[CON4] [CON1] what breaks the framing is told so, and its connection ends', async (t) => {
    for (const [what, sent] of Object.entries(broken)) {
      await t.test(what, async () => {
        for (const isLive of [false, true]) {
          const attacker = await Attacker.open(arena.port, arena.elsewhere);
          if (isLive) await attacker.init(arena.token());
          attacker.socket.write(webSocketFrame(sent));
          assert.equal(await attacker.ended(), 1008);
          const last = attacker.frames.at(-1);
          assert.deepEqual([last?.method, statusOf(last).code, statusOf(last).errorCode], ['close', 406, 51130]);
        }
      });
    }
  });

  arena.test('[CON1] whatever comes before the token is refused, and its connection ends', async (t) => {
    for (const [what, { sent }] of Object.entries(refused)) {
      if (what === 'a second init') continue;
      await t.test(what, async () => {
        const attacker = await Attacker.open(arena.port, arena.elsewhere);
        attacker.socket.write(webSocketFrame(sent));
        assert.equal(await attacker.ended(), 1008);
        assert.equal(statusOf(attacker.frames[0]).errorCode, 51215);
      });
    }
  });

  arena.test('[HOS1] [CON11] what is understood and wrong is refused, and the connection goes on', async (t) => {
    const attacker = await Attacker.open(arena.port, arena.elsewhere);
    await attacker.init(arena.token());
    for (const [what, { sent, status, code }] of Object.entries(refused)) {
      await t.test(what, async () => {
        attacker.frames.length = 0;
        attacker.socket.write(webSocketFrame(sent));
        const { header, payload } = await attacker.reply('TM1');
        const inner = (header['http_status'] ?? header['status']) as { code: number; errorCode?: number };
        assert.deepEqual([inner.code, payload?.['code'] ?? inner.errorCode], [status, code]);
      });
    }
  });

  arena.test('[HOS1] [SUB3] subscriptions to what cannot exist fail one by one', async () => {
    const attacker = await Attacker.open(arena.port, arena.elsewhere);
    await attacker.init(arena.token());
    const objects = [
      '',
      '__proto__',
      'constructor',
      'x'.repeat(10_000),
      'ET\ud800',
      `ET${'0'.repeat(32)}\u0000`,
      "' OR 1=1 --",
    ];
    const entries = objects.flatMap((object) => [
      entry(object),
      entry(`${object} `, 1e308),
      entry(`${object}  `, -0.5),
    ]);
    attacker.socket.write(webSocketFrame(subscription(entries)));
    await attacker.reply('TM1');
    const failed = await attacker.socket.until('the outcomes', () => {
      attacker.read();
      const outcomes = attacker.frames.flatMap(
        ({ payload }) => (payload?.['events'] ?? []) as { error?: { code: number } }[],
      );
      return outcomes.length === entries.length ? outcomes : undefined;
    });
    assert.deepEqual([...new Set(failed.map(({ error }) => error?.code))], [54100]);
  });

  arena.test('[OBJ3] half of a surrogate pair finds no other name', async () => {
    const attacker = await Attacker.open(arena.port, arena.elsewhere);
    await attacker.init(arena.token());
    attacker.request('POST', '/v3/Documents', '{"unique_name":"half \ufffd","data":{}}', 'TM2');
    await attacker.reply('TM2');
    for (const method of ['GET', 'POST', 'DELETE']) {
      const path = 'half \ud800';
      attacker.request(method, `/v3/Documents/${path}`, '{"data":{"stolen":true}}', `TM-${method}`);
      const { header } = await attacker.reply(`TM-${method}`);
      assert.equal((header['http_status'] as { code: number }).code, 400, method);
    }
  });
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function request(method: string, path: string, payload: string | Buffer = ''): Buffer {
  return clientFrame('TM1', 'message', { http_request: { method, path, params: {}, headers: {} } }, payload);
}

function entry(object: string, after: number | null = null): object {
  return { object_sid: object, object_type: 'document', last_event_id: after };
}

function subscription(requests: readonly object[]): Buffer {
  return request(
    'POST',
    '/v4/Subscriptions',
    JSON.stringify({ action: 'establish', event_protocol_version: 4, correlation_id: 7, requests }),
  );
}
