/** The service as a process of its own, stopped and killed under load: clients come back, and nothing is lost. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SyncClient } from 'twilio-sync';
import { connectedClient, dataOf, holds } from './harness/clients.ts';
import type { Updated } from './harness/clients.ts';
import { recorded, until } from './harness/deadline.ts';
import { RawConnection } from './harness/raw-connection.ts';
import { startServiceProcess } from './harness/service-process.ts';
import type { ServiceProcess } from './harness/service-process.ts';
import { Writer } from './harness/writer.ts';

async function stored(t: TestContext, service: ServiceProcess, sid: string): Promise<{ n: number }> {
  const raw = new RawConnection(t, service.socketUrl);
  await raw.init('reader');
  return (await raw.request('GET', `/v3/Documents/${sid}`)).body['data'] as { n: number };
}

/** Restarts again and again; each time the writers are at work before and after. */
async function restartUnderLoad(
  t: TestContext,
  rounds: readonly ('SIGTERM' | 'SIGKILL')[],
  watch: (clients: readonly SyncClient[]) => void = () => {},
): Promise<void> {
  const service = await startServiceProcess();
  const clients = await Promise.all(
    ['ann', 'ben', 'cem', 'reader'].map((identity) => connectedClient(t, service.socketUrl, identity)),
  );
  watch(clients);
  const reader = clients[3]!;
  const shared = await Promise.all(clients.map((client) => client.document('shared')));
  const own = await Promise.all(clients.slice(0, 3).map((client, i) => client.document(`own-${i}`)));
  const heard = await Promise.all(own.map(({ sid }) => reader.document(sid)));
  const ownUpdates = heard.map((document) => recorded<Updated>(document, 'updated'));
  const sharedWriters = shared.slice(0, 3).map((document) => new Writer(document));
  const ownWriters = own.map((document) => new Writer(document));
  const writers = [...sharedWriters, ...ownWriters];

  for (const signal of rounds) {
    await allWrite(writers);
    await service.end(signal);
    await service.start();
  }
  await allWrite(writers);
  await Promise.all(writers.map((writer) => writer.stop()));

  const sum = await stored(t, service, shared[0]!.sid);
  const acknowledged = sharedWriters.reduce((total, writer) => total + writer.acknowledged, 0);
  // An orderly stop answers whatever it applies, so what was not answered was not applied.
  const isOrderly = rounds.every((signal) => signal === 'SIGTERM');
  const unknownOf = (writer: Writer): number => (isOrderly ? 0 : writer.unknown);
  const unknown = sharedWriters.reduce((total, writer) => total + unknownOf(writer), 0);
  assert.ok(
    sum.n >= acknowledged && sum.n <= acknowledged + unknown,
    `${sum.n}: ${acknowledged} and ${unknown} unknown`,
  );
  for (const document of shared) await holds(document, 'the stored sum', ({ n }) => n === sum.n);
  for (const [i, writer] of ownWriters.entries()) {
    const { n } = await stored(t, service, own[i]!.sid);
    assert.ok(n >= writer.acknowledged && n <= writer.acknowledged + unknownOf(writer), `${n}: ${writer.acknowledged}`);
    await holds(heard[i]!, 'what is stored', (data) => data['n'] === n);
    const told = ownUpdates[i]!.map(({ data }) => data['n'] as number);
    for (let at = 1; at < told.length; at++) assert.ok(told[at]! > told[at - 1]!, `${told[at - 1]} then ${told[at]}`);
    assert.equal(dataOf(own[i]!)['n'], n);
  }
}

/** Resolves when each writer has got five more writes acknowledged. */
async function allWrite(writers: readonly Writer[]): Promise<void> {
  const targets = writers.map((writer) => writer.acknowledged + 5);
  await until(
    () => `every writer writes: ${writers.map((writer) => writer.acknowledged).join()} of ${targets.join()}`,
    () => writers.every((writer, i) => writer.acknowledged >= targets[i]!),
    25_000,
  );
}

suite('restarts under load', { concurrency: true }, () => {
  test('[CON6] [OPS3] [SUB7] orderly stops: clients come back by themselves and no acknowledged write is lost', async (t) => {
    const errors: unknown[] = [];
    await restartUnderLoad(t, ['SIGTERM', 'SIGTERM'], (clients) => {
      for (const client of clients) {
        client.on('connectionError', (error) => {
          if (error.terminal) errors.push(error);
        });
      }
    });
    assert.deepEqual(errors, []);
  });

  test('[STO1] [STO5] [SUB7] kills at any moment: no acknowledged write is lost, none is there in part', async (t) => {
    await restartUnderLoad(t, ['SIGKILL', 'SIGKILL']);
  });

  test('[CON6] a drain answers every request that it has read, and closes with 1012', async (t) => {
    const service = await startServiceProcess();
    const raw = new RawConnection(t, service.socketUrl);
    await raw.init('ann');
    const names = Array.from({ length: 200 }, (_, n) => `drain-${n}`);
    for (const name of names) {
      const request = { method: 'POST', path: '/v3/Documents', headers: {} };
      await raw.sendFrame({ method: 'message', id: name, http_request: request }, `{"unique_name":"${name}"}`);
      // Some are answered, some under way and some still to be read when the signal comes.
      if (name === 'drain-100') await raw.frame('the first answers', ({ id }) => id === 'drain-0');
    }
    const ended = service.end('SIGTERM');
    assert.equal(await raw.closed(), 1012);
    await ended;
    await service.start();
    const again = new RawConnection(t, service.socketUrl);
    await again.init('ann');
    for (const name of names) {
      const isAnswered = raw.frames.some(({ id }) => id === name);
      const { status } = await again.request('GET', `/v3/Documents/${name}`);
      assert.equal(status, isAnswered ? 200 : 404, name);
    }
  });
});
