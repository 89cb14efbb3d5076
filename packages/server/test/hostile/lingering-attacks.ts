/** Clients that hold on: they say nothing, or next to nothing, or do not go when they are sent away. */

import assert from 'node:assert/strict';
import { setInterval } from 'node:timers';
import { bounds } from './arena.ts';
import type { Arena } from './arena.ts';
import { Attacker, upgradeRequest } from './attacker.ts';
import { answersOf } from './http-exchange.ts';
import { RawSocket } from './raw-socket.ts';
import { webSocketFrame } from './websocket-frame.ts';

/** Between two bytes of a client that is slow on purpose. */
const dripMs = 50;
const slowRequest = 'POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n';
const pipelined = Buffer.from('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500));

export function lingeringAttacks(arena: Arena): void {
  arena.test('[BND12] [HOS3] connections without a whole request end, whatever their clients do', async () => {
    const [silent, dripping, refused] = [
      await openRaw(arena, 100),
      await openRaw(arena, 100),
      await openRaw(arena, 50),
    ];
    const wrong = ['no request\r\n\r\n', upgradeRequest().replace('wsconnect', 'nothing')];
    for (const [i, socket] of refused.entries()) socket.write(wrong[i % 2] ?? '');
    const dismissed = await Attacker.open(arena.port, arena.elsewhere);
    dismissed.socket.write(webSocketFrame('no frame'));
    let at = 0;
    const drip = setInterval(() => {
      for (const [i, socket] of dripping.entries()) socket.write([upgradeRequest(), slowRequest][i % 2]?.[at] ?? 'x');
      for (const socket of refused) socket.write('x');
      at++;
    }, dripMs);
    try {
      const late = [...silent, ...dripping];
      await Promise.all([...late, ...refused].map((socket) => socket.ended(4 * bounds.requestTimeoutMs)));
      for (const { received } of late) assert.deepEqual(statusesOf(received), [408]);
      await arena.emptied();
    } finally {
      clearInterval(drip);
    }
  });

  arena.test(
    '[CON1] [CON5] connections without a token, and live ones that went silent in the middle, are dropped',
    async () => {
      const silent = await Promise.all(Array.from({ length: 200 }, () => Attacker.open(arena.port, arena.elsewhere)));
      const live = await Promise.all(Array.from({ length: 4 }, () => Attacker.open(arena.port, arena.elsewhere)));
      for (const attacker of live) await attacker.init(arena.token());
      const frame = webSocketFrame(Buffer.alloc(100_000));
      live[1]?.socket.write(frame.subarray(0, 3));
      live[2]?.socket.write(frame.subarray(0, 1000));
      live[3]?.socket.write(webSocketFrame('TWIL', { fin: false }));
      const drip = setInterval(() => live[2]?.socket.write('x'), dripMs);
      const endings = await Promise.all(silent.map((attacker) => attacker.ended(3 * bounds.initTimeoutMs)));
      assert.deepEqual([...new Set(endings)], [1008]);
      await Promise.all(live.map((attacker) => attacker.ended(4 * bounds.pingIntervalMs))).finally(() =>
        clearInterval(drip),
      );
    },
  );

  arena.test('[HOS3] a connection whose client says that nothing more comes is ended', async () => {
    const attackers = await Promise.all(Array.from({ length: 10 }, () => Attacker.open(arena.port, arena.elsewhere)));
    for (const attacker of attackers.slice(5)) await attacker.init(arena.token());
    for (const { socket } of attackers) socket.end();
    await Promise.all(attackers.map(({ socket }) => socket.closed()));
  });

  arena.test('[HOS3] a thousand connections that are reset at once leave nothing', async () => {
    for (let i = 0; i < 20; i++) {
      for (const [j, socket] of (await openRaw(arena, 50)).entries()) {
        if (j % 2 === 0) socket.write(upgradeRequest());
        socket.reset();
      }
    }
  });

  arena.test('[HOS2] [HOS3] requests back to back, whose answers nobody reads', async () => {
    const sockets = await openRaw(arena, 5);
    for (const socket of sockets) socket.stopReading();
    await Promise.all(sockets.map((socket) => socket.flood(pipelined, Infinity, 3000)));
    for (const socket of sockets) assert.ok(socket.hasEnded, 'the service goes on answering');
  });
}

function openRaw(arena: Arena, count: number): Promise<RawSocket[]> {
  return Promise.all(Array.from({ length: count }, () => RawSocket.open(arena.port, arena.elsewhere)));
}

function statusesOf(received: Buffer): readonly number[] {
  return answersOf(received).map(({ status }) => status);
}
