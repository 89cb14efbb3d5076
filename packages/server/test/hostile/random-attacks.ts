/** Seeded nonsense at every door, cut into pieces anywhere: the service answers or ends each, and nothing else happens. */

import fc from 'fast-check';
import { Random } from '../simulation/random.ts';
import type { Arena } from './arena.ts';
import { Attacker, upgradeRequest } from './attacker.ts';
import { drafts, edits, mutated } from './mutation.ts';
import { RawSocket } from './raw-socket.ts';
import { seedOf } from './seed.ts';
import { webSocketFrame } from './websocket-frame.ts';

const sessions = 300;
const atOnce = 20;

export function randomAttacks(arena: Arena): void {
  arena.test(`[HOS1] ${sessions} clients of random bytes`, async (t) => {
    const { seed } = seedOf(t);
    const random = new Random(seed);
    const all = drafts(arena.token());
    const done = fc.sample(edits, { seed, numRuns: sessions });
    const nonsense = (i: number): Buffer => mutated(all, random.between(0, 20), done[i] ?? []);
    for (let i = 0; i < sessions; i += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, j) => session(arena, random, nonsense(i + j))));
    }
  });
}

/** One connection: as far in as chance has it, then the nonsense, then nothing more. */
async function session(arena: Arena, random: Random, nonsense: Buffer): Promise<void> {
  const depth = random.pick(['tcp', 'http', 'websocket', 'frame', 'live'] as const);
  const framed = webSocketFrame(nonsense, {
    fin: random.chance(0.9),
    reserved: random.chance(0.1) ? random.between(1, 7) : 0,
    opcode: random.chance(0.2) ? random.between(0, 15) : 2,
    masked: random.chance(0.95),
    ...(random.chance(0.1) ? { size: BigInt(random.between(0, 2 ** 40)) } : {}),
  });
  const socket = await enter(arena, depth);
  const bytes = { tcp: nonsense, http: damaged(random), websocket: nonsense, frame: framed, live: framed }[depth];
  for (let at = 0; at < bytes.length;) {
    const size = random.between(1, random.pick([4, 1000, bytes.length]));
    socket.write(bytes.subarray(at, at + size));
    at += size;
  }
  socket.end();
  await socket.closed();
}

async function enter(arena: Arena, depth: 'tcp' | 'http' | 'websocket' | 'frame' | 'live'): Promise<RawSocket> {
  if (depth === 'tcp' || depth === 'http') return await RawSocket.open(arena.port, arena.elsewhere);
  const attacker = await Attacker.open(arena.port, arena.elsewhere);
  if (depth === 'live') await attacker.init(arena.token());
  return attacker.socket;
}

/** A good request with a few bytes wrong. */
function damaged(random: Random): Buffer {
  const request = random.chance(0.5)
    ? upgradeRequest()
    : 'GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc';
  const bytes = Buffer.from(request);
  for (let i = random.between(1, 4); i > 0; i--) bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
  return bytes;
}
