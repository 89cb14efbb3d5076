import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';
import { statusOf } from '../../../test/frame-client.ts';

suite('[BND6] an init that came too fast', () => {
  const late = { address: '192.0.2.1', waitMs: 1234 };

  test('[BND6] is answered 429 with the time to stay away, in the form that the client library reads', async () => {
    const h = await openDoor();
    const client = h.open(late);
    const reply = await client.init(h.token());
    assert.deepEqual(statusOf(reply), {
      code: 429,
      status: 'TOO_MANY_REQUESTS',
      description: 'Too many requests',
      errorCode: 51202,
    });
    assert.deepEqual(reply?.payload, { backoff_policy: { reconnect_min_ms: 1234, reconnect_max_ms: 2468 } });
    assert.deepEqual([client.frames.length, client.link.closedWith?.code], [1, 1013]);
    assert.deepEqual([h.door.connections, h.clock.pending], [0, 1], 'only the sweeper waits');
  });

  test('[BND6] is answered so whatever its token is: that is not looked at', async () => {
    const h = await openDoor();
    for (const token of ['x', undefined, h.token('ann', { service: `IS${'9'.repeat(32)}` })]) {
      assert.equal(statusOf(await h.open(late).init(token)).errorCode, 51202);
    }
    assert.ok(!h.log.some(({ message }) => message === 'token refused'));
  });

  test('[BND6] does not change what else a first frame may be', async () => {
    const h = await openDoor();
    const client = h.open(late);
    client.send('message');
    assert.equal(statusOf(client.take()[0]).errorCode, 51215);
  });
});

suite('[CON18] the address in the log', () => {
  const arrival = { address: '2001:db8::7', waitMs: 0 };

  test('[CON18] a line says who connected from where, another which token of whom was refused', async () => {
    const h = await openDoor();
    const client = h.open(arrival);
    await client.init(h.token('ann'));
    const connected = h.log.find(({ message }) => message === 'connected');
    assert.deepEqual(connected?.fields, { identity: 'ann', service, address: arrival.address });

    await h.open(arrival).init('no token');
    const refused = h.log.filter(({ message }) => message === 'token refused');
    assert.deepEqual(refused.length, 1);
    const { code, address } = refused[0]!.fields as { code: number; address: string };
    assert.deepEqual([code, address], [20101, arrival.address]);

    await client.update('no token either');
    assert.equal(h.log.filter(({ message }) => message === 'token refused').length, 2);
  });

  test('[CON18] [OPS2] a connection that is cut is named by its address, and no token by anything', async () => {
    const h = await openDoor();
    const client = h.open(arrival);
    const token = h.token('ann');
    await client.init(token);
    for (let i = 0; i <= 50; i++) client.connection.control();
    const cut = h.log.find(({ message }) => message.startsWith('connection cut'));
    assert.deepEqual(cut?.fields, { address: arrival.address });
    assert.ok(!JSON.stringify(h.log).includes(token.slice(-20)));
  });
});
