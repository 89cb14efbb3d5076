/** One run: the real engine and door, simulated clients, wires, disk and time, and every choice from one seed. */

import { AccessToken, SyncGrant } from '@tallystick/token';
import { createAuthenticate } from '../../src/auth.ts';
import { createLocalBus } from '../../src/bus/local.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Clock, Log } from '../../src/platform.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createSealer } from '../../src/sealing.ts';
import { createCompatDoor } from '../../src/transport/compat/door.ts';
import type { CompatDoor } from '../../src/transport/compat/door.ts';
import { decodeFrame } from '../../src/transport/compat/frame.ts';
import { Client } from './client.ts';
import type { ClientEnd } from './wire.ts';
import { History } from './history.ts';
import type { Counts } from './history.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './storage.ts';
import { VirtualTime } from './virtual-time.ts';
import { Wire } from './wire.ts';

/** Where a deliberate fault may be put in. */
export interface Faults {
  storage?: (storage: Storage) => Storage;
  bus?: (bus: Bus) => Bus;
  clock?: (clock: Clock) => Clock;
  /** What travels in place of a message to a client. */
  down?: (bytes: Buffer) => Buffer[];
  /** What the server gets in place of a message from a client. */
  up?: (bytes: Buffer) => Buffer;
}

export interface Result {
  readonly violations: readonly string[];
  readonly counts: Counts;
}

const account = `AC${'0'.repeat(32)}`;
const key = `SK${'0'.repeat(32)}`;
const sealer = createSealer('the secrets key of the simulation, long enough');
const service = `IS${'0'.repeat(32)}`;
const secret = 'a secret of the simulation, long enough';
const names = ['board', 'poll', 'café', 'a/b c', 'last'];
const clientCount = 8;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

interface Node {
  readonly engine: Engine;
  readonly door: CompatDoor;
}

export async function simulate(seed: number, faults: Faults = {}): Promise<Result> {
  const run = new Run(seed, faults);
  await run.play();
  return { violations: run.history.violations, counts: run.history.counts };
}

class Run {
  readonly history: History = new History();
  readonly #time: VirtualTime = new VirtualTime();
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #disk: SimulatedDisk;
  readonly #clients: Client[] = [];
  readonly #wires: Set<Wire> = new Set();
  #node: Node | undefined;
  #calm = false;

  constructor(seed: number, faults: Faults) {
    this.#random = new Random(seed);
    this.#faults = faults;
    this.#disk = new SimulatedDisk(this.#time, this.#random, this.history);
  }

  async play(): Promise<void> {
    await this.#disk.storage.commitNow([
      { type: 'putAccount', sid: account, authToken: sealer.seal(account, secret) },
      { type: 'putService', sid: service, account, uniqueName: 'default' },
      { type: 'putKey', sid: key, account, name: null, secret: sealer.seal(key, secret) },
    ]);
    await this.#start();
    for (let i = 0; i < clientCount; i++) this.#clients.push(this.#client(`client${i}`));
    for (const client of this.#clients) {
      client.connect();
      this.#live(client);
    }
    this.#trouble();
    this.#disk.failures = 0.03;
    this.#disk.hangs = 0.005;
    await this.#time.run(60_000);

    this.#calm = true;
    this.#disk.failures = 0;
    this.#disk.hangs = 0;
    await this.#time.run(150_000);
    await this.#compare();
    await this.#finish();
  }

  #client(identity: string): Client {
    return new Client(identity, {
      time: this.#time,
      random: this.#random,
      history: this.history,
      mint: (name) => this.#mint(name),
      dial: (end) => this.#dial(end),
    });
  }

  /** One thing after another, with pauses, until the trouble is over. */
  #live(client: Client): void {
    if (this.#calm) return;
    const replicas = [...client.replicas.values()];
    const choice = this.#random.next();
    if (client.isConnected) {
      if (replicas.length === 0 || choice < 0.15) void client.open(this.#random.pick(names));
      else {
        const replica = this.#random.pick(replicas);
        if (choice < 0.5) void client.change(replica, true);
        else if (choice < 0.85) void client.change(replica, false);
        else if (choice < 0.95) client.close(replica, this.#random.chance(0.6));
        else void client.remove(replica);
      }
    }
    this.#time.after(this.#random.between(5, 250), () => this.#live(client));
  }

  /** Lost connections, slow readers, restarts. */
  #trouble(): void {
    if (this.#calm) return;
    const wire = this.#random.pick(this.#clients).wire;
    const choice = this.#random.next();
    if (choice < 0.1) wire?.cut();
    else if (choice < 0.95) {
      this.history.counts.stalls++;
      wire?.stall(this.#random.between(500, 6_000));
    } else void this.#restart();
    this.#time.after(this.#random.between(50, 1_500), () => this.#trouble());
  }

  async #start(): Promise<void> {
    const faults = this.#faults;
    const time = this.#time;
    const clock = faults.clock?.(time) ?? time;
    const storage = faults.storage?.(this.#disk.storage) ?? this.#disk.storage;
    const bus = faults.bus?.(createLocalBus()) ?? createLocalBus();
    // Sids of documents and frames need no luck, only difference.
    const ids = { secret: (bytes: number) => this.#hex(bytes * 2) };
    const options = {
      writeQueue: 1_000,
      batchCommands: 16,
      commitTimeoutMs: 1_500,
      maxSubscriptions: 100,
      sweepIntervalMs: 500,
    };
    const engine = new Engine({ storage, bus, clock, ids, log: silent, sealer, options });
    await engine.start();
    const door = createCompatDoor({
      engine,
      authenticate: createAuthenticate(engine.directory, time.now),
      clock,
      ids,
      log: silent,
      options: {
        publicUrl: 'http://simulated',
        outboxBytes: 20_000,
        initTimeoutMs: 30_000,
        maxFrameBytes: 262_144,
        maxRequests: 32,
        requestRate: Infinity,
        pingIntervalMs: 10_000,
        drainMs: 1_000,
      },
    });
    door.start();
    this.#node = { engine, door };
  }

  /** The process dies without a word and another takes its place. Its last commit may still reach the disk. */
  async #restart(): Promise<void> {
    if (this.#node === undefined) return;
    this.history.counts.restarts++;
    const dead = this.#node;
    this.#node = undefined;
    for (const wire of this.#wires) wire.kill();
    this.#wires.clear();
    await this.#time.wait(this.#random.between(10, 2_000));
    // What is left of the dead process goes quiet, as it would with its sockets gone.
    await Promise.all([dead.door.drain(), dead.engine.stop()]);
    await this.#disk.idle();
    await this.#start();
  }

  #dial(end: ClientEnd): Wire | undefined {
    const node = this.#node;
    if (node === undefined) return undefined;
    let expiresAt = Infinity;
    const wire = new Wire(this.#time, this.#random, (bytes) => {
      this.#checkExpiry(bytes, expiresAt);
      return this.#faults.down?.(bytes) ?? [bytes];
    });
    const connection = node.door.accept(wire, { address: '192.0.2.1', waitMs: 0 });
    this.#wires.add(wire);
    wire.connect(
      {
        receive: (bytes) => {
          expiresAt = expiryOf(bytes) ?? expiresAt;
          if (this.#time.now() >= expiresAt) this.history.counts.heldRequests++;
          connection.receive(this.#faults.up?.(bytes) ?? bytes, true);
        },
        drained: () => connection.drained(),
        closed: () => {
          this.#wires.delete(wire);
          connection.closed();
        },
      },
      end,
    );
    return wire;
  }

  #checkExpiry(bytes: Buffer, expiresAt: number): void {
    if (this.#time.now() < expiresAt) return;
    const frame = decodeFrame(bytes);
    const isRefusal = JSON.stringify(frame?.header['status'] ?? {}).includes('401');
    if (!isRefusal) this.history.violate('TLC4', `a ${frame?.method} went out after the token had run out`);
  }

  /** Mostly short lives, so that tokens run out while much is under way; some are fetched too late on purpose. */
  #mint(identity: string): string {
    const ttl = this.#calm ? 3_600 : this.#random.between(4, 60);
    const token = new AccessToken(account, key, secret, { identity, ttl, now: this.#time.now });
    token.addGrant(new SyncGrant({ serviceSid: service }));
    return token.toJwt();
  }

  async #compare(): Promise<void> {
    for (const client of this.#clients) {
      if (!client.isConnected) this.history.violate('SUB7', `${client.identity} did not come back`);
      for (const replica of client.replicas.values()) {
        const ref = { service, kind: 'document', by: 'sid', value: replica.sid } as const;
        const [stored] = await this.#disk.storage.read([{ query: 'document', ref }]);
        if (stored === undefined) this.history.violate('SUB7', `${client.identity} holds the removed ${replica.sid}`);
        else if (stored.row.eventId !== replica.position || stored.data !== JSON.stringify(replica.data)) {
          this.history.violate(
            'SUB7',
            `${client.identity} holds ${replica.sid} at ${replica.position}, the store has ${stored.row.eventId}`,
          );
        }
      }
    }
  }

  async #finish(): Promise<void> {
    for (const client of this.#clients) client.stop();
    await this.#time.run(1_000);
    const { engine, door } = this.#node ?? {};
    if (engine === undefined || door === undefined) return;
    if (engine.hub.followedObjects > 0) this.history.violate('SUB6', 'objects are followed by nobody');
    if (door.connections > 0) this.history.violate('CON6', 'connections are left over');
    const stopped = Promise.all([door.drain(), engine.stop()]);
    await this.#time.run(5_000);
    await stopped;
    if (this.#time.pending > 0) this.history.violate('OPS3', `${this.#time.pending} timers are left over`);
  }

  #hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.#random.between(0, 15).toString(16);
    return text;
  }
}

/** The end of the token that a frame brings, if it brings one. */
function expiryOf(bytes: Buffer): number | undefined {
  const frame = decodeFrame(bytes);
  if (frame?.method !== 'init' && frame?.method !== 'update') return undefined;
  const [, claims = ''] = String(frame.header['token']).split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }).exp * 1000;
}
