/** Clients that send without end, and many that begin at once. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { clientFrame, rawFrame, statusOf } from '../frame-client.ts';
import type { Arena } from './arena.ts';
import { Attacker } from './attacker.ts';
import { opcode, webSocketFrame } from './websocket-frame.ts';

/** A frame that takes long to read for its size. */
const heavy = webSocketFrame(rawFrame(`{"id":"TM1","method":"message","http_request":[${'[],'.repeat(80_000)}0]}`));

export function floodAttacks(arena: Arena): void {
  cutFloods(arena);
  pacedFloods(arena);
  crowds(arena);
}

function cutFloods(arena: Arena): void {
  arena.test('[BND11] [HOS2] control frames without end are cut, also when what they cause is not read', async () => {
    const floods = [
      webSocketFrame(Buffer.alloc(125), { opcode: opcode.ping }),
      webSocketFrame('', { opcode: opcode.pong }),
      webSocketFrame(clientFrame('TM1', 'update', { token: arena.token() })),
    ];
    for (const frame of floods) {
      const attackers = await openLive(arena, 3);
      await flood(attackers, repeated(frame, 100), 300);
      for (const { socket } of attackers) socket.readAgain();
      await endingsOf(attackers);
    }
    // Not for their silence, which would have ended them, too.
    await arena.wrote(/"msg":"connection cut: it sends too many control frames/g, 9);
  });

  arena.test('[BND11] [HOS2] the smallest frames there are, before the token, from several', async () => {
    const attackers = await open(arena, 15);
    await flood(attackers, repeated(webSocketFrame('', { opcode: opcode.pong }), 10_000), 500);
  });

  arena.test('[BND10] [HOS3] what is sent after the token has run out is kept in bounded space', async () => {
    const attackers = await open(arena, 8);
    // It runs out one or two seconds from now; until then each is refused.
    await Promise.all(attackers.map((attacker) => attacker.init(arena.token('eve', 2))));
    const large = request('POST', '/v3/Documents', JSON.stringify({ data: { text: 'x'.repeat(240_000) } }));
    await Promise.all(attackers.map(({ socket }) => socket.flood(large, Infinity, 5000)));
    for (const { socket } of attackers) assert.ok(socket.hasEnded);
    // Each of them before its grace was over, which would have ended it, too.
    await arena.wrote(/"msg":"connection cut: more waits/g, attackers.length);
  });
}

function pacedFloods(arena: Arena): void {
  arena.test('[BND3] [BND8] [HOS2] requests without end, whose answers nobody reads, wait at the sender', async () => {
    const attackers = await openLive(arena, 20);
    const data = { text: 'x'.repeat(16_000) };
    attackers[0]?.request('POST', '/v3/Documents', JSON.stringify({ unique_name: 'large', data }));
    await attackers[0]?.reply('TM1');
    await flood(attackers, repeated(request('GET', '/v3/Documents/large'), 500), 1000);
    for (const { socket } of attackers) assert.ok(socket.written < 64 * 1_048_576, 'the service reads on');
  });

  arena.test('[BND9] [HOS2] acknowledgements of nothing, and what needs no answer', async () => {
    const reply = webSocketFrame(rawFrame('{"method":"reply","id":"TM1","payload_size":0}'));
    const telemetry = webSocketFrame(clientFrame('TM1', 'telemetry.v1', { events: [] }));
    const attackers = await openLive(arena, 20);
    await flood(attackers, repeated(Buffer.concat([reply, telemetry]), 300));
  });

  arena.test('[HOS2] many clients that send what takes long to read', async () => {
    const attackers = await openLive(arena, 20);
    await flood(attackers, heavy);
  });

  arena.test('[HOS2] bodies nested 100,000 deep, one after another', async () => {
    const attackers = await openLive(arena, 10);
    await flood(attackers, request('POST', '/v3/Documents', `{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`));
  });

  arena.test('[HOS2] [SUB3] subscriptions to a thousand objects that do not exist, one after another', async () => {
    const requests = Array.from({ length: 1000 }, (_, i) => ({ object_sid: `ET${i}`, object_type: 'document' }));
    const body = { action: 'establish', event_protocol_version: 4, correlation_id: 1, requests };
    const attackers = await openLive(arena, 5);
    await flood(attackers, request('POST', '/v4/Subscriptions', JSON.stringify(body)));
  });
}

function crowds(arena: Arena): void {
  arena.test('[HOS2] [CON1] a hundred that begin with what takes long to read', async () => {
    const attackers = await open(arena, 100);
    for (const { socket } of attackers) socket.write(heavy);
    assert.deepEqual(await endingsOf(attackers), [1008]);
  });

  arena.test('[HOS2] [CON2] hundreds that begin with a token of 64 KiB', async () => {
    const attackers = await open(arena, 200);
    const token = arena.asSecret(randomBytes(32_768).toString('hex'));
    for (const attacker of attackers) attacker.send('init', { token });
    assert.deepEqual(await endingsOf(attackers), [1008]);
    assert.equal(statusOf(attackers[0]?.frames[0]).errorCode, 20101);
  });

  arena.test(
    '[BND6] [HOS2] a storm of connections is let in at its rate, the rest told when to come back',
    async () => {
      const from = process.platform === 'linux' ? { from: '127.0.0.3' } : {};
      const codes = new Set<number>();
      for (let round = 0; round < 6; round++) {
        const attackers = await Promise.all(Array.from({ length: 250 }, () => Attacker.open(arena.port, from)));
        const replies = await Promise.all(attackers.map((attacker) => attacker.init(arena.token())));
        for (const reply of replies) codes.add(statusOf(reply).code);
      }
      assert.deepEqual(codes, new Set([200, 429]));
    },
  );
}

function open(arena: Arena, count: number): Promise<Attacker[]> {
  return Promise.all(Array.from({ length: count }, () => Attacker.open(arena.port, arena.elsewhere)));
}

async function openLive(arena: Arena, count: number): Promise<Attacker[]> {
  const attackers = await open(arena, count);
  await Promise.all(attackers.map((attacker) => attacker.init(arena.token())));
  return attackers;
}

/** The different ways in which they were ended. */
async function endingsOf(attackers: readonly Attacker[]): Promise<readonly unknown[]> {
  return [...new Set(await Promise.all(attackers.map((attacker) => attacker.ended(10_000))))];
}

/** All at once send the same bytes without end, and read nothing. */
async function flood(attackers: readonly Attacker[], bytes: Buffer, ms = 600): Promise<void> {
  for (const { socket } of attackers) socket.stopReading();
  await Promise.all(attackers.map(({ socket }) => socket.flood(bytes, Infinity, ms)));
}

function request(method: string, path: string, payload = ''): Buffer {
  const http = { method, path, params: {}, headers: {} };
  return webSocketFrame(clientFrame('TM1', 'message', { http_request: http }, payload));
}

function repeated(frame: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => frame));
}
