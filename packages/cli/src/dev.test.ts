import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { dev } from './dev.ts';

test('[CFG9] dev is refused in production, naming serve', async () => {
  const surroundings = testSurroundings({ ...fiveVariables, NODE_ENV: 'production' });
  await assert.rejects(dev([], surroundings), /^StartError: dev is for development.*tallystick serve/);
  assert.deepEqual(surroundings.created, []);
});

test('[CFG9] dev without a command runs the service alone, quietly, and stops when asked', async () => {
  const surroundings = testSurroundings(fiveVariables);
  const code = dev(['--port', '0'], surroundings);
  surroundings.requestStop();
  assert.equal(await code, 0);
  assert.equal(surroundings.created[0]?.logLevel, 'warn');
  assert.match(surroundings.written.out, /Tallystick is running/);
  assert.match(surroundings.written.out, /Credentials +from the environment/);
  assert.equal(surroundings.stops(), 1);
});

test('[CFG9] the log level of dev can be set', async () => {
  const surroundings = testSurroundings({ ...fiveVariables, TALLYSTICK_LOG_LEVEL: 'debug' });
  surroundings.requestStop();
  await dev([], surroundings);
  assert.equal(surroundings.created[0]?.logLevel, 'debug');
});

test('[CFG9] the port of the app must be one, and not that of the service', async () => {
  for (const [port, problem] of [
    ['x', /PORT, where the app is to listen, is "x"; give a number from 1 to 65535/],
    ['0', /PORT, where the app is to listen, is "0"/],
    ['8080', /port 8080, where the app is to listen, is taken; set PORT to a free one/],
  ] as const) {
    const surroundings = testSurroundings({ ...fiveVariables, PORT: port });
    await assert.rejects(dev(['--', 'node', '--version'], surroundings), problem);
    assert.deepEqual(surroundings.created, []);
  }
});
