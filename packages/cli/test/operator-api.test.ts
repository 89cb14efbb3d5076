/** The real `fetch` over a real port: what unit tests can only assume of it. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { run } from '../src/dispatch.ts';
import { freePort } from './process.ts';
import { fiveVariables, testSurroundings } from './surroundings.ts';

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

async function keys(url: string, ...argv: readonly string[]) {
  const surroundings = testSurroundings(fiveVariables, { fetch });
  const code = await run(['keys', ...argv, '--data-dir=/nowhere', '--url', url], surroundings);
  return { code, ...surroundings.written };
}

test('[CFG14] a real refusal of the connection is told in one line', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const line = `tallystick: no service answers at ${url}; start it with tallystick serve, or name another address with --url\n`;
  assert.deepEqual(await keys(url, 'list'), { code: 1, out: '', err: line });
});

test('[CFG14] credentials are shown to the service alone, and not where it redirects to', async (t) => {
  let others = 0;
  const other = await listen(t, (_request, response) => {
    others += 1;
    response.end();
  });
  const seen: IncomingMessage[] = [];
  const url = await listen(t, (request, response) => {
    seen.push(request);
    response.writeHead(307, { location: other }).end();
  });
  assert.match((await keys(url, 'create')).err, /sends elsewhere, and credentials do not follow/);
  const { TALLYSTICK_ACCOUNT_SID: sid, TALLYSTICK_AUTH_TOKEN: token } = fiveVariables;
  assert.equal(seen[0]?.headers.authorization, `Basic ${btoa(`${sid}:${token}`)}`);
  assert.ok(!seen[0]?.url?.includes(token));
  assert.equal(others, 0);
});

test('[CFG14] a connection that ends in the middle of an answer is told in one line', async (t) => {
  const url = await listen(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{', () => response.destroy());
  });
  const { code, err } = await keys(url, 'list');
  assert.equal(code, 1);
  assert.match(err, /^tallystick: http:\/\/\S+ cannot be asked \(\w+\); is it a Tallystick service\?.*\n$/);
});
