/** The commands against the real service, in this process: what an operator does, and what the clients see of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { parseEnv } from 'node:util';
import { createServer, credentialsOf, loadConfig } from '@tallystick/server';
import type { Log, Server } from '@tallystick/server';
import { run } from '../src/dispatch.ts';
import { SocketClient } from './socket-client.ts';
import { fiveVariables, testSurroundings } from './surroundings.ts';

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} };

interface World {
  /** Runs a command that must succeed, with these variables beside the account's, and gives what it printed. */
  readonly does: (argv: readonly string[], env?: NodeJS.ProcessEnv) => Promise<string>;
  readonly explains: (token: string, env?: NodeJS.ProcessEnv) => Promise<{ code: number; out: string }>;
  readonly connect: (token: string) => Promise<{ client: SocketClient; code: number; errorCode: number | undefined }>;
}

async function startWorld(t: TestContext): Promise<World> {
  const config = loadConfig({ argv: ['--port=0', '--store=memory', '--drain-ms=0'], env: {} });
  const credentials = credentialsOf(fiveVariables);
  assert.ok(credentials !== undefined);
  const server: Server = await createServer({ ...config, credentials }, { log: quiet });
  const clients: SocketClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });
  const account = {
    TALLYSTICK_ACCOUNT_SID: credentials.accountSid,
    TALLYSTICK_AUTH_TOKEN: credentials.authToken,
    TALLYSTICK_PORT: String(server.port),
    TALLYSTICK_DATA_DIR: '/nowhere',
  };
  const command = async (argv: readonly string[], env: NodeJS.ProcessEnv, stdin: string) => {
    const surroundings = testSurroundings({ ...account, ...env }, { fetch, now: Date.now, stdin });
    const code = await run(argv, surroundings);
    return { code, ...surroundings.written };
  };
  return {
    async does(argv, env = {}) {
      const { code, out, err } = await command(argv, env, '');
      assert.equal(code, 0, err);
      return out.trimEnd();
    },
    explains: (token, env = {}) => command(['token', 'explain'], env, token),
    async connect(token) {
      const client = new SocketClient(server.socketUrl);
      clients.push(client);
      return { client, ...(await client.init(token)) };
    },
  };
}

/** A new key as the environment of a backend. */
async function newKey({ does }: World, name: string): Promise<NodeJS.ProcessEnv> {
  return parseEnv(await does(['keys', 'create', '--env', '--name', name]));
}

const create = (identity: string): string[] => ['token', 'create', '--identity', identity];

test('[CFG16] [CFG17] [CFG18] a new key signs at once: made, minted with, explained and accepted', async (t) => {
  const world = await startWorld(t);
  const backend = await newKey(world, 'backend');
  const token = await world.does(create('alice'), backend);
  const explained = await world.explains(token, backend);
  assert.deepEqual([explained.code, explained.out.startsWith('Accepted.')], [0, true]);
  assert.equal((await world.connect(token)).code, 200);
  const keys = await world.does(['keys', 'list']);
  assert.match(keys, new RegExp(`^${backend['TWILIO_API_KEY']} .* in force +backend$`, 'm'));
});

test('[ACC3] [CFG16] a key is rotated without downtime: nobody is cut off before the old one is revoked', async (t) => {
  const world = await startWorld(t);
  const { does, connect } = world;
  const a = await newKey(world, 'a');
  const tokenOfA = await does(create('alice'), a);
  const before = await connect(tokenOfA);

  const b = await newKey(world, 'b');
  const withB = await connect(await does(create('alice'), b));
  const lateA = await connect(await does(create('ben'), a));
  const renewed = await connect(tokenOfA);
  assert.deepEqual([before.code, withB.code, lateA.code, renewed.code], [200, 200, 200, 200]);
  assert.equal((await renewed.client.update(await does(create('alice'), b))).code, 200);
  assert.ok((await before.client.isAlive()) && (await withB.client.isAlive()));

  const revoked = await does(['keys', 'revoke', String(a['TWILIO_API_KEY']), '--yes']);
  assert.match(revoked, /^Revoked SK/);
  await Promise.all([before.client.closed, lateA.client.closed]);
  assert.ok((await withB.client.isAlive()) && (await renewed.client.isAlive()), 'who has a token of B stays');
  const refused = await connect(tokenOfA);
  assert.deepEqual([refused.code, refused.errorCode], [401, 20103]);
  const { code, out } = await world.explains(tokenOfA, a);
  assert.equal(code, 1);
  assert.match(out, /^Refused with 20103 by rule TOK10: SK[a-f0-9]{32} was revoked/);
  assert.equal((await connect(await does(create('ben'), b))).code, 200);
});

test('[ACC9] [CFG19] disconnect ends the connections of one identity in one service, and nobody else’s', async (t) => {
  const world = await startWorld(t);
  const { does, connect } = world;
  const key = {
    TALLYSTICK_API_KEY: fiveVariables.TALLYSTICK_API_KEY,
    TALLYSTICK_API_SECRET: fiveVariables.TALLYSTICK_API_SECRET,
  };
  const { sid } = JSON.parse(await does(['service', 'create', '--name', 'shop', '--json'])) as { sid: string };
  assert.match(await does(['service', 'list']), new RegExp(`^${sid} .* shop$`, 'm'));
  const alice = await does(create('alice'), key);
  const [first, second] = [await connect(alice), await connect(alice)];
  const inShop = await connect(await does([...create('alice'), '--service', sid], key));
  const ben = await connect(await does(create('ben'), key));

  assert.match(await does(['disconnect', '--identity', 'alice']), /^Dropped 2 connections of alice\./);
  await Promise.all([first.client.closed, second.client.closed]);
  assert.ok((await inShop.client.isAlive()) && (await ben.client.isAlive()));
  assert.equal(await does(['disconnect', '--identity=alice', '--service', sid, '--json']), '{"dropped":1}');
  await inShop.client.closed;
  assert.ok(await ben.client.isAlive());
});
