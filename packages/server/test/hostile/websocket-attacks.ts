/** Clients that break the rules of WebSocket itself (RFC 6455), before and after they have presented a token. */

import assert from 'node:assert/strict';
import { clientFrame } from '../frame-client.ts';
import type { Arena } from './arena.ts';
import { Attacker } from './attacker.ts';
import type { Ending } from './attacker.ts';
import { closingFrame, opcode, webSocketFrame } from './websocket-frame.ts';

const { continuation, text, binary, close, ping, pong } = opcode;
const fine = clientFrame('TM1', 'reply');
const half = webSocketFrame(fine.subarray(0, 10), { fin: false });

interface Case {
  readonly sent: Buffer;
  /** The close code that the service answers with. */
  readonly code: Ending;
}

const protocol = 1002;
const notUtf8 = 1007;
const policy = 1008;
const tooLarge = 1009;

const cases: Readonly<Record<string, Case>> = {
  'a frame without a mask': { sent: webSocketFrame(fine, { masked: false }), code: protocol },
  'the first reserved bit, as if it were compressed': { sent: webSocketFrame(fine, { reserved: 4 }), code: protocol },
  'the second reserved bit': { sent: webSocketFrame(fine, { reserved: 2 }), code: protocol },
  'the third reserved bit': { sent: webSocketFrame(fine, { reserved: 1 }), code: protocol },
  'reserved bits in a ping': { sent: webSocketFrame('', { opcode: ping, reserved: 7 }), code: protocol },
  ...Object.fromEntries(
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((unknown) => [
      `the unknown opcode ${unknown}`,
      { sent: webSocketFrame('', { opcode: unknown }), code: protocol },
    ]),
  ),
  'a size of 2^63': { sent: webSocketFrame('', { size: 2n ** 63n }), code: tooLarge },
  'a size of 2^64 - 1': { sent: webSocketFrame('', { size: 2n ** 64n - 1n }), code: tooLarge },
  'a size of 2^53': { sent: webSocketFrame('', { size: 2n ** 53n }), code: tooLarge },
  'a size of 2^32': { sent: webSocketFrame('', { size: 2n ** 32n }), code: tooLarge },
  'one byte more than may be, announced': { sent: webSocketFrame('', { size: 262_145n }), code: tooLarge },
  'one byte more than may be, sent': { sent: webSocketFrame(Buffer.alloc(262_145)), code: tooLarge },
  'fragments that are too much together': {
    sent: Buffer.concat([
      webSocketFrame(Buffer.alloc(200_000), { fin: false }),
      webSocketFrame(Buffer.alloc(200_000), { opcode: continuation }),
    ]),
    code: tooLarge,
  },
  'too many fragments': {
    sent: Buffer.concat([
      half,
      ...Array.from({ length: 1_100 }, () => webSocketFrame('x', { opcode: continuation, fin: false })),
    ]),
    code: policy,
  },
  'a continuation of nothing': { sent: webSocketFrame(fine, { opcode: continuation }), code: protocol },
  'a new message inside another': { sent: Buffer.concat([half, webSocketFrame(fine)]), code: protocol },
  'a text message inside a binary one': {
    sent: Buffer.concat([half, webSocketFrame('x', { opcode: text })]),
    code: protocol,
  },
  'a ping in fragments': { sent: webSocketFrame('', { opcode: ping, fin: false }), code: protocol },
  'a close in fragments': { sent: webSocketFrame('', { opcode: close, fin: false }), code: protocol },
  'a ping of 126 bytes': { sent: webSocketFrame(Buffer.alloc(126), { opcode: ping }), code: protocol },
  'a pong of 64 KiB': { sent: webSocketFrame(Buffer.alloc(65_536), { opcode: pong }), code: protocol },
  'a close of 126 bytes': { sent: closingFrame(1000, 'x'.repeat(124)), code: protocol },
  'a close of one byte': { sent: webSocketFrame('x', { opcode: close }), code: protocol },
  ...Object.fromEntries(
    [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) => [
      `a close with the code ${code}`,
      { sent: closingFrame(code), code: protocol },
    ]),
  ),
  'a close whose reason is not UTF-8': { sent: closingFrame(1000, Buffer.from([0xc3, 0x28])), code: notUtf8 },
  'a close with a good code': { sent: closingFrame(4321, 'bye'), code: 4321 },
  'a close without a code': { sent: webSocketFrame('', { opcode: close }), code: 1005 },
  'text that is not UTF-8': { sent: webSocketFrame(Buffer.from([0xff]), { opcode: text }), code: notUtf8 },
  'text that is a frame': { sent: webSocketFrame(fine, { opcode: text }), code: policy },
  'an empty text': { sent: webSocketFrame('', { opcode: text }), code: policy },
  'an empty message': { sent: webSocketFrame('', { opcode: binary }), code: policy },
  'HTTP instead of WebSocket': { sent: Buffer.from('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'), code: protocol },
};

export function webSocketAttacks(arena: Arena): void {
  for (const isLive of [false, true]) {
    const when = isLive ? 'after the token' : 'before the token';
    arena.test(
      `[HOS4] [BND14] [BND11] what breaks WebSocket ends its connection with the code of RFC 6455, ${when}`,
      async (t) => {
        for (const [what, { sent, code }] of Object.entries(cases)) {
          await t.test(what, async () => {
            const attacker = await Attacker.open(arena.port, arena.elsewhere);
            if (isLive) await attacker.init(arena.token());
            attacker.socket.write(sent);
            assert.equal(await attacker.ended(), code);
          });
        }
      },
    );
  }

  arena.test('[HOS4] sizes that are written longer than need be are read', async () => {
    for (const sizeBits of [16, 64] as const) {
      const attacker = await Attacker.open(arena.port, arena.elsewhere);
      attacker.socket.write(webSocketFrame('x', { sizeBits }));
      assert.equal(await attacker.ended(), policy);
    }
  });

  arena.test('[HOS4] a compression that was offered is not taken, and compressed frames are refused', async () => {
    const attacker = await Attacker.open(
      arena.port,
      arena.elsewhere,
      'Sec-WebSocket-Extensions: permessage-deflate\r\n',
    );
    assert.ok(!/sec-websocket-extensions/i.test(attacker.answer), attacker.answer);
    attacker.socket.write(webSocketFrame(Buffer.from('ca48cdc9c907000000ffff', 'hex'), { reserved: 4 }));
    assert.equal(await attacker.ended(), protocol);
  });

  arena.test('[HOS4] pings between the fragments of a message are answered, and the message is read', async () => {
    const attacker = await Attacker.open(arena.port, arena.elsewhere);
    const whole = clientFrame('TM1', 'init', { token: arena.token() });
    attacker.socket.write(webSocketFrame(whole.subarray(0, 30), { fin: false }));
    attacker.socket.write(webSocketFrame('are you there', { opcode: ping }));
    attacker.socket.write(webSocketFrame(whole.subarray(30), { opcode: continuation }));
    assert.equal((await attacker.reply('TM1')).method, 'reply');
    assert.equal(attacker.pongs, 1);
  });
}
