import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fiveVariables, testSurroundings } from '../test/surroundings.ts';
import { serve } from './serve.ts';

test('[CFG10] serve takes the credentials of the environment, says where it listens, and stops when asked', async () => {
  const surroundings = testSurroundings(fiveVariables);
  const code = serve(['--port', '0', '--data-dir', '/nowhere'], surroundings);
  surroundings.requestStop();
  assert.equal(await code, 0);
  assert.equal(surroundings.created[0]?.port, 0);
  assert.equal(surroundings.created[0]?.credentials.apiKey, fiveVariables.TALLYSTICK_API_KEY);
  assert.equal(
    surroundings.written.out,
    'Tallystick serves http://127.0.0.1:8080 (socket ws://127.0.0.1:8080/v3/wsconnect)\n',
  );
  assert.equal(surroundings.stops(), 1);
});

test('[OPS8] storage that does not close is told in one line, and the process ends without waiting for it', async () => {
  const surroundings = testSurroundings(fiveVariables, {
    stop: () => Promise.reject(new Error('storage does not answer')),
  });
  surroundings.requestStop();
  assert.equal(await serve([], surroundings), 1);
  assert.equal(surroundings.written.err, 'tallystick: storage does not answer\n');
  assert.equal(surroundings.abandoned(), 1);
});

test('[CFG10] a stop that hangs is given up after the drain and five seconds more, exit code 1', async (t) => {
  const stopping = Promise.withResolvers<void>();
  const surroundings = testSurroundings(fiveVariables, {
    stop() {
      stopping.resolve();
      return new Promise(() => {});
    },
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let code: number | undefined;
  const ended = serve(['--drain-ms', '2000'], surroundings).then((value) => (code = value));
  surroundings.requestStop();
  await stopping.promise;
  t.mock.timers.tick(6999);
  await Promise.resolve();
  assert.equal(code, undefined);
  t.mock.timers.tick(1);
  assert.equal(await ended, 1);
  assert.match(surroundings.written.err, /did not stop within 7000 ms/);
});
