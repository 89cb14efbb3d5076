import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttp } from './http.ts';

test('[OPS1] live answers while the process runs, ready only while writes are taken', async () => {
  let isReady = false;
  const http = createHttp({ isReady: () => isReady });
  const status = async (url: string): Promise<number> => (await http.inject({ method: 'GET', url })).statusCode;
  assert.deepEqual([await status('/health/live'), await status('/health/ready')], [200, 503]);
  isReady = true;
  assert.deepEqual([await status('/health/live'), await status('/health/ready')], [200, 200]);
  await http.close();
});

test('[OPS1] what there is not is a coded 404 without a word about the request', async () => {
  const http = createHttp({ isReady: () => true });
  for (const [method, url] of [
    ['GET', '/'],
    ['POST', '/health/live'],
    ['GET', '/HEALTH/live'],
    ['GET', '/v3/wsconnect?token=abc'],
  ] as const) {
    const answer = await http.inject({ method, url });
    assert.equal(answer.statusCode, 404);
    assert.deepEqual(answer.json(), { code: 20404, message: 'No such resource', status: 404 });
  }
  await http.close();
});

test('[OPS1] a fault inside is a coded 500 that tells nothing of it', async () => {
  const http = createHttp({
    isReady() {
      throw new Error('the secret reason');
    },
  });
  const answer = await http.inject({ method: 'GET', url: '/health/ready' });
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json<{ code: number }>().code, 20500);
  assert.ok(!answer.body.includes('secret'));
  await http.close();
});
