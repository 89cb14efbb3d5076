import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientFrame, rawFrame, serverFrame } from '../../../test/frame-client.ts';
import { decodeFrame, encodeFrame, isAcknowledgement, textOf } from './frame.ts';

const anyText = fc.string({ unit: 'binary' });

test('[CON4] what a client writes is read, whatever its id, fields and payload', () => {
  const id = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(id, anyText, fc.dictionary(anyText, fc.jsonValue()), fc.uint8Array(), (id, method, fields, payload) => {
      const { id: _id, method: _method, payload_size: _size, ...more } = fields;
      const frame = decodeFrame(clientFrame(id, method, more, Buffer.from(payload)));
      assert.deepEqual([frame?.id, frame?.method], [id, method]);
      assert.deepEqual(frame?.payload, Buffer.from(payload));
      for (const [name, value] of Object.entries(more)) {
        assert.equal(JSON.stringify(frame?.header[name]), JSON.stringify(value));
      }
    }),
  );
});

test('[CON4] what the server writes is read, its sizes counted in bytes', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (id, description, data) => {
      const status = { code: 200, status: 'OK', description };
      const bytes = encodeFrame('reply', id, `,"status":${JSON.stringify(status)}`, JSON.stringify({ data }));
      const frame = serverFrame(bytes);
      assert.deepEqual([frame.method, frame.id], ['reply', id]);
      assert.deepEqual(frame.header['status'], JSON.parse(JSON.stringify(status)));
      assert.deepEqual(frame.payload, { data });
      assert.equal(serverFrame(encodeFrame('ping', id, '')).payload, undefined);
    }),
  );
});

test('[CON4] sizes are bytes, not characters', () => {
  const payload = '{"data":{"name":"Ærø 😀"}}';
  const frame = decodeFrame(clientFrame('TM1', 'message', { note: 'é' }, payload));
  assert.equal(textOf(frame!.payload), payload);
  const encoded = serverFrame(encodeFrame('notification', 'é', ',"message_type":"é"', payload));
  assert.equal(encoded.header['payload_size'], Buffer.byteLength(payload));
  assert.equal(encoded.payloadText, payload);

  const header = `{"id":"a","method":"message","payload_size":${payload.length}}`;
  assert.equal(decodeFrame(rawFrame(header, payload)), undefined);
});

test('[CON4] a line end after the payload and a blank in the preamble are taken', () => {
  const header = '{"id":"a","method":"message","payload_size":2}';
  for (const bytes of [
    rawFrame(header, '{}'),
    rawFrame(header, '{}\r\n'),
    Buffer.from(`TWILSOCK V3.0 ${header.length} \r\n${header}\r\n{}`),
  ]) {
    assert.equal(decodeFrame(bytes)?.payload.toString(), '{}');
  }
  const empty = '{"id":"a","method":"close","payload_size":0}';
  for (const bytes of [
    rawFrame(empty),
    rawFrame(empty, '\r\n'),
    rawFrame(empty).subarray(0, -2),
    rawFrame('{"id":"a","method":"close"}'),
  ]) {
    assert.equal(decodeFrame(bytes)?.method, 'close');
    assert.equal(decodeFrame(bytes)?.payload.length, 0);
  }
});

test('[CON4] everything that breaks the framing is refused', () => {
  const header = '{"id":"a","method":"message","payload_size":2}';
  const size = header.length;
  const broken: Readonly<Record<string, Buffer>> = {
    'nothing at all': Buffer.alloc(0),
    'another mark': Buffer.from(`TWILSOCKS V3.0 ${size}\r\n${header}\r\n{}`),
    'another version': Buffer.from(`TWILSOCK V4.0 ${size}\r\n${header}\r\n{}`),
    'no size': Buffer.from(`TWILSOCK V3.0\r\n${header}\r\n{}`),
    'a size that is no number': Buffer.from(`TWILSOCK V3.0 0x2f\r\n${header}\r\n{}`),
    'a negative size': Buffer.from(`TWILSOCK V3.0 -1\r\n${header}\r\n{}`),
    'a size beyond the message': Buffer.from(`TWILSOCK V3.0 9999999\r\n${header}\r\n{}`),
    'a size that cuts the header': Buffer.from(`TWILSOCK V3.0 ${size - 1}\r\n${header}\r\n{}`),
    'a size that takes from the payload': Buffer.from(`TWILSOCK V3.0 ${size + 2}\r\n${header}\r\n{}`),
    'a preamble without end': Buffer.from(`TWILSOCK V3.0 ${'0'.repeat(60)}${size}\r\n${header}\r\n{}`),
    'a line feed alone': Buffer.from(`TWILSOCK V3.0 ${size}\n${header}\n{}`),
    'something before the preamble': Buffer.concat([Buffer.from('x'), rawFrame(header, '{}')]),
    'a header that is no JSON': rawFrame('{"id":"a","method":"message",}'),
    'a header that is an array': rawFrame('["id","method"]'),
    'a header that is null': rawFrame('null'),
    'a header that is text': rawFrame('"reply"'),
    'a header that is not UTF-8': rawFrame(Buffer.from('{"id":"\xe9","method":"close"}', 'latin1')),
    'no method': rawFrame('{"id":"a"}'),
    'a method that is no text': rawFrame('{"id":"a","method":1}'),
    'no id': rawFrame('{"method":"close"}'),
    'an empty id': rawFrame('{"id":"","method":"close"}'),
    'an id that is no text': rawFrame('{"id":7,"method":"close"}'),
    'a payload size that is text': rawFrame('{"id":"a","method":"message","payload_size":"2"}', '{}'),
    'a negative payload size': rawFrame('{"id":"a","method":"message","payload_size":-2}', '{}'),
    'a broken payload size': rawFrame('{"id":"a","method":"message","payload_size":1.5}', '{}'),
    'a payload that is too short': rawFrame('{"id":"a","method":"message","payload_size":3}', '{}'),
    'a payload that is too long': rawFrame(header, '{}x'),
    'a payload of which nothing was said': rawFrame('{"id":"a","method":"message","payload_size":0}', '{}'),
    'no line end before the payload': Buffer.from(`TWILSOCK V3.0 ${size}\r\n${header}XX{}`),
    'something other than a line end at the end': rawFrame(header, '{}XX'),
    'something other than a line end after the header': Buffer.from(
      'TWILSOCK V3.0 27\r\n{"id":"a","method":"close"}XX',
    ),
    'two frames in one message': Buffer.concat([rawFrame(header, '{}'), rawFrame(header, '{}')]),
  };
  for (const [why, bytes] of Object.entries(broken)) assert.equal(decodeFrame(bytes), undefined, why);
});

test('[CON4] no bytes whatever make the decoder throw', () => {
  const bytes = fc.uint8Array().map((array) => Buffer.from(array));
  const whole = clientFrame('TM1', 'message', {}, '{"a":"é"}');
  const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => {
    const copy = Buffer.from(whole);
    copy[at] = value;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(bytes, damaged), (message) => {
      isAcknowledgement(message);
      const frame = decodeFrame(message);
      if (frame !== undefined) assert.ok(frame.id !== '' && frame.payload.length <= message.length);
    }),
    { numRuns: 500 },
  );
});

test('[EVT4] an acknowledgement as the client library writes it is recognised by its bytes', () => {
  const id = 'TMab45b1051432421bbb4ac82bdf4d2068';
  const status = { payload_type: 'application/json', status: { code: 200, status: 'OK' } };
  assert.equal(isAcknowledgement(clientFrame(id, 'reply', status)), true);
  assert.equal(isAcknowledgement(clientFrame(id, 'reply')), true);
});

test('[EVT4] nothing that may be a request is taken for an acknowledgement', () => {
  const request = { http_request: { method: 'POST', path: '/v3/Documents', headers: {} } };
  const requests: Readonly<Record<string, Buffer>> = {
    'a request': clientFrame('TM1', 'message', request, '{}'),
    'a method that begins so': clientFrame('TM1', 'reply2', request),
    'a method that ends so': clientFrame('TM1', 'noreply', request),
    'the words in the id': clientFrame('","method":"reply"', 'message', request),
    'the words in a later field': clientFrame('TM1', 'message', { note: { id: 'x', method: 'reply' } }),
    'the words in the payload': clientFrame('TM1', 'message', request, '{"id":"x","method":"reply"}'),
    'the words as an inner object': rawFrame('{"x":{"id":"x","method":"reply"},"id":"TM1","method":"message"}'),
    'the words as an inner object on a line of its own': rawFrame('{"x":\r\n{"id":"x","method":"reply"},"id":"TM1"}'),
    'a long id': clientFrame('x'.repeat(49), 'reply'),
    'an update': clientFrame('TM1', 'update', { token: 'x' }),
    'another order': rawFrame('{"method":"reply","id":"TM1"}'),
    'a message cut off': clientFrame('TM1', 'reply').subarray(0, 40),
    nothing: Buffer.alloc(0),
  };
  for (const [why, bytes] of Object.entries(requests)) assert.equal(isAcknowledgement(bytes), false, why);
});

test('[DOC5] a payload that is not UTF-8 has no text', () => {
  assert.equal(textOf(Buffer.from([0x22, 0xc3, 0x28, 0x22])), undefined);
  assert.equal(textOf(Buffer.from([0xed, 0xa0, 0x80])), undefined);
  assert.equal(textOf(Buffer.from('é😀')), 'é😀');
});
