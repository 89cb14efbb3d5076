/**
 * 5,000 valid frames, each with up to four faults, on the codec and on whole connections. A failing run prints its seed
 * and the path to its smallest case; what it found is kept in the table below.
 */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { openDoor } from '../../../test/door-harness.ts';
import type { Client, Harness } from '../../../test/door-harness.ts';
import { clientFrame, rawFrame, statusOf } from '../../../test/frame-client.ts';
import { drafts, edits, mutated } from '../../../test/hostile/mutation.ts';
import { seedOf } from '../../../test/hostile/seed.ts';
import { decodeFrame, isAcknowledgement, textOf } from './frame.ts';
import { requestOf } from './request.ts';

const runs = 5_000;
const index = fc.nat(12);

/** What earlier runs found, and what other servers fell over. */
const kept: Readonly<Record<string, Buffer>> = {
  'a context id that has no text': rawFrame(
    '{"id":"a","method":"put_notification_ctx","notification_ctx_id":{"toString":null,"valueOf":null}}',
  ),
  'a context id nested 100,000 deep': rawFrame(
    `{"id":"a","method":"delete_notification_ctx","notification_ctx_id":${nested(100_000)}}`,
  ),
  'a header nested 100,000 deep': rawFrame(`{"id":"a","method":"message","http_request":${nested(100_000)}}`),
  'a payload nested 100,000 deep': message('POST', '/v3/Documents', `{"data":${nested(100_000)}}`),
  'a subscription nested 100,000 deep': message('POST', '/v4/Subscriptions', `{"requests":${nested(100_000)}}`),
  'data that is a number beyond a double': message('POST', '/v3/Documents', '{"data":{"a":1e400}}'),
  'a correlation id beyond a double': message('POST', '/v4/Subscriptions', '{"correlation_id":1e400}'),
  'prototype names in a body': message('POST', '/v3/Documents', '{"__proto__":{"data":{}},"constructor":1}'),
  'prototype names in a header': rawFrame(
    '{"id":"a","method":"message","__proto__":{"http_request":{"method":"GET"}}}',
  ),
  'a method that is a prototype name': rawFrame('{"id":"a","method":"__proto__"}'),
  'a request method that is a prototype name': message('constructor', '/v3/Documents'),
  'headers that are no object': rawFrame(
    '{"id":"a","method":"message","http_request":{"method":"POST","path":"/","headers":7}}',
  ),
  'half a surrogate pair in a path': rawFrame(
    String.raw`{"id":"a","method":"message","http_request":{"method":"GET","path":"/v3/Documents/\ud800","headers":{}}}`,
  ),
  'half a surrogate pair as id': rawFrame(String.raw`{"id":"\ud800","method":"nothing"}`),
};

suite('[HOS1] mutated frames', () => {
  test('[HOS1] the codec reads or refuses every one', (t) => {
    const all = drafts('a token');
    fc.assert(
      fc.property(index, edits, (which, done) => {
        const bytes = mutated(all, which, done);
        const frame = decodeFrame(bytes);
        isAcknowledgement(bytes);
        if (frame === undefined) return;
        assert.ok(frame.id !== '' && frame.payload.length <= bytes.length);
        textOf(frame.payload);
        requestOf(frame)?.header('if-match');
      }),
      { ...seedOf(t), numRuns: runs },
    );
  });

  test('[HOS1] a connection answers every one, or ends', async (t) => {
    const h = await openDoor();
    const all = drafts(h.token());
    await fc.assert(
      fc.asyncProperty(index, edits, fc.nat(4), async (which, done, early) => {
        await assertHandled(h, mutated(all, which, done), early > 0);
      }),
      { ...seedOf(t), numRuns: runs },
    );
    assert.equal(h.door.connections, 0);
  });

  for (const [what, bytes] of Object.entries(kept)) {
    test(`[HOS1] kept: ${what}`, async () => {
      const h = await openDoor();
      await assertHandled(h, bytes, true);
      await assertHandled(h, bytes, false);
    });
  }
});

/** One message on a connection of its own: what must follow is told by the message, and then the connection serves or is over. */
async function assertHandled(h: Harness, bytes: Buffer, isLive: boolean): Promise<void> {
  const client = isLive ? await h.connect() : h.open();
  client.receive(bytes);
  await h.settle();
  const frame = decodeFrame(bytes);
  if (isLive && isAcknowledgement(bytes)) assert.ok(client.link.isOpen);
  else if (frame === undefined) assertClosed(client, 406);
  else if (!isLive && frame.method !== 'init') assertClosed(client, frame.method === 'close' ? undefined : 401);
  else if (!['reply', 'telemetry.v1', 'close'].includes(frame.method)) {
    const isAnswered = client.frames.some(({ method, id }) => method === 'reply' && id === frame.id);
    assert.ok(isAnswered || client.frames.at(-1)?.method === 'close', 'no answer');
  }
  await assertServes(h, client);
  client.connection.drop();
}

function assertClosed(client: Client, status: number | undefined): void {
  if (status !== undefined) assert.equal(statusOf(client.frames.at(-1)).code, status);
  assert.equal(client.link.closedWith?.code, status === undefined ? 1000 : 1008);
}

/** A connection that is not over answers an honest request. */
async function assertServes(h: Harness, client: Client): Promise<void> {
  if (client.link.isOpen) await client.init(h.token());
  if (!client.link.isOpen) return;
  const id = 'TM-honest';
  client.receive(
    clientFrame(id, 'message', { http_request: { method: 'GET', path: '/v3/Documents/none', headers: {} } }),
  );
  await h.settle();
  assert.equal(client.answerTo(id).status, 404);
}

function message(method: string, path: string, payload = ''): Buffer {
  return clientFrame('a', 'message', { http_request: { method, path, params: {}, headers: {} } }, payload);
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}
