import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readCredentials } from '../src/credentials-file.ts';
import { freePort, start } from './process.ts';
import type { Running } from './process.ts';

let folder: string;
let running: Running[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tallystick-run-'));
  running = [];
});
afterEach(async () => {
  // Not SIGKILL, which would leave the app of a dev behind.
  for (const { kill } of running) kill('SIGTERM');
  await Promise.all(running.map(({ ended }) => ended));
  await rm(folder, { recursive: true, force: true });
});

function tallystick(args: readonly string[], env: Record<string, string> = {}): Running {
  const one = start(folder, args, env);
  running.push(one);
  return one;
}

/** An app that answers on PORT with what it found in its environment. */
const app = `
import { createServer } from 'node:http';
const { TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET, TWILIO_SYNC_SERVICE_SID, TALLYSTICK_SOCKET_URL } = process.env;
const found = { TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET, TWILIO_SYNC_SERVICE_SID, TALLYSTICK_SOCKET_URL };
createServer((request, response) => response.end(JSON.stringify(found))).listen(process.env.PORT);
`;

async function devWithApp(source: string): Promise<{ dev: Running; appUrl: string }> {
  await writeFile(join(folder, 'app.mjs'), source);
  const port = await freePort();
  const args = ['dev', '--port', '0', '--store', 'memory', '--', process.execPath, 'app.mjs'];
  return { dev: tallystick(args, { PORT: String(port) }), appUrl: `http://localhost:${port}` };
}

test('[CFG10] serve runs on the credentials of init, is ready when it says so, and stops with 0 on SIGTERM', async () => {
  await tallystick(['init']).ended;
  const serve = tallystick(['serve', '--port', '0']);
  const [, url = '', socket] = await serve.printed(/^Tallystick serves (\S+) \(socket (\S+)\)$/m);
  assert.equal(socket, `${url.replace('http', 'ws')}/v3/wsconnect`);
  assert.equal((await fetch(`${url}/health/ready`)).status, 200);
  serve.kill('SIGTERM');
  assert.equal(await serve.ended, 0);
  assert.equal(serve.err(), '');
  const secrets = await readCredentials(join(folder, 'data'));
  assert.ok(
    secrets !== undefined && !serve.out().includes(secrets.apiSecret) && !serve.out().includes(secrets.authToken),
  );
});

test('[CFG7] [STO7] a data directory in use and a busy port are refused in one line each', async () => {
  const first = tallystick(['dev', '--port', '0']);
  await first.printed(/Ctrl\+C/);
  const second = tallystick(['serve', '--port', '0']);
  assert.equal(await second.ended, 1);
  assert.match(second.err(), /^tallystick: .*data.* in use.*\n$/);

  const holder = createServer();
  await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
  try {
    const address = holder.address();
    assert.ok(typeof address === 'object' && address !== null);
    const third = tallystick(['dev', '--store', 'memory', '--port', String(address.port)]);
    assert.equal(await third.ended, 1);
    assert.match(third.err(), new RegExp(`^tallystick: .*${address.port}.*TALLYSTICK_PORT.*\n$`));
  } finally {
    holder.close();
  }
});

test('[CFG9] dev gives the app its credentials and port, shows the card once it answers, and ends with it on SIGINT', async () => {
  const { dev, appUrl } = await devWithApp(app);
  const [, socket] = await dev.printed(/Socket +(ws:\S+)/);
  assert.match(dev.out(), new RegExp(`Open ${appUrl} in two windows`));
  const credentials = await readCredentials(join(folder, 'data'));
  assert.deepEqual(await (await fetch(appUrl)).json(), {
    TWILIO_ACCOUNT_SID: credentials?.accountSid,
    TWILIO_API_KEY: credentials?.apiKey,
    TWILIO_API_SECRET: credentials?.apiSecret,
    TWILIO_SYNC_SERVICE_SID: credentials?.serviceSid,
    TALLYSTICK_SOCKET_URL: socket,
  });
  dev.kill('SIGINT');
  assert.equal(await dev.ended, 0);
  await assert.rejects(fetch(appUrl), 'the app is still there');
});

test('[CFG9] an app that ends by itself ends dev with its code and one line', async () => {
  const { dev } = await devWithApp('process.exit(3)');
  assert.equal(await dev.ended, 3);
  assert.equal(dev.err(), 'tallystick: the app ended with code 3; stopping the service\n');
  assert.doesNotMatch(dev.out(), /Ctrl/);
});

test('[CFG9] an app that cannot be run, and a port that something else answers on, are refused in one line', async () => {
  const missing = tallystick(['dev', '--port', '0', '--store', 'memory', '--', './no-such-app'], {
    PORT: String(await freePort()),
  });
  assert.equal(await missing.ended, 1);
  assert.match(missing.err(), /^tallystick: cannot run "\.\/no-such-app" \(ENOENT\).*\n$/);

  const { dev, appUrl } = await devWithApp(app);
  await dev.printed(/Ctrl\+C/);
  const port = new URL(appUrl).port;
  const other = tallystick(['dev', '--port', '0', '--store', 'memory', '--', process.execPath, 'app.mjs'], {
    PORT: port,
  });
  assert.equal(await other.ended, 1);
  assert.match(other.err(), new RegExp(`^tallystick: port ${port}, where the app is to listen, is taken.*\n$`));
});

test('[CFG10] a second signal exits at once with 1, and leaves no app behind', async () => {
  const { dev, appUrl } = await devWithApp(`process.on('SIGTERM', () => {});${app}`);
  await dev.printed(/Ctrl\+C/);
  // One Ctrl+C may come twice within half a second; so it is repeated until it counts as a second one.
  const repeat = setInterval(() => dev.kill('SIGINT'), 100);
  assert.equal(await dev.ended, 1);
  clearInterval(repeat);
  await assert.rejects(fetch(appUrl), 'the app is still there');
});
