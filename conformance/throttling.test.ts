/** New connections that come too fast, as the official SDK lives them. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient } from 'twilio-sync';
import { becomes, createClient } from './harness/clients.ts';
import { recorded, until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startService } from './harness/service.ts';
import type { Service } from './harness/service.ts';

interface ConnectionError {
  readonly terminal: boolean;
  readonly httpStatusCode?: number;
  readonly errorCode?: number;
}

/** Takes what may come at once, so that the next client comes too fast. */
async function exhaust(t: TestContext, service: Service, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { header } = await new RawConnection(t, service.socketUrl).init('first');
    assert.equal((header['status'] as { code: number }).code, 200);
  }
}

suite('[BND6] [BND7] a client that comes too fast', () => {
  test('[BND6] waits as long as it was told, and gets in; calls made while it waits are delivered', async (t) => {
    const service = await startService({ CONNECTION_RATE: '1' });
    await exhaust(t, service, 10);
    const client = createClient(t, service.socketUrl, 'ann', { retryMs: 10 });
    const errors = recorded<ConnectionError>(client, 'connectionError');
    await until('the refusal is told', () => errors.length > 0);
    const refusedAt = performance.now();
    assert.deepEqual(
      errors.map(({ terminal, httpStatusCode, errorCode }) => ({ terminal, httpStatusCode, errorCode })),
      [{ terminal: false, httpStatusCode: 429, errorCode: 51202 }],
    );
    assert.equal(client.connectionState, 'connecting');
    const opened = client.document('throttled');
    await becomes(client, 'connected', 20_000);
    // It was told two seconds and a little more, and takes off a fifth at most. Without being told it would be back at once.
    const waitedMs = performance.now() - refusedAt;
    assert.ok(waitedMs > 1500, `back after ${waitedMs} ms`);
    assert.match((await opened).sid, /^ET/);
  });

  test('[BND7] a storm of clients comes back spread, and each gets in', async (t) => {
    const service = await startService({ CONNECTION_RATE: '10' });
    await exhaust(t, service, 100);
    const accepted = service.relay.accepted;
    const clients = Array.from({ length: 30 }, (_, i) => createClient(t, service.socketUrl, `client${i}`));
    await Promise.all(clients.map((client) => becomes(client, 'connected', 30_000)));
    const attempts = service.relay.accepted - accepted;
    assert.ok(attempts <= 90, `${attempts} connections for 30 clients`);
    const documents = await Promise.all(clients.map((client: SyncClient) => client.document('together')));
    assert.equal(new Set(documents.map(({ sid }) => sid)).size, 1);
  });
});
