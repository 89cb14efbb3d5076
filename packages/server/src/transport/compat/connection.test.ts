import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AccessToken } from '@tallystick/token';
import { account, keySid, missingService, otherService, putService, service } from '../../../test/commands.ts';
import { allTypes, notifications, openDoor, secret } from '../../../test/door-harness.ts';
import type { Harness } from '../../../test/door-harness.ts';
import { clientFrame, rawFrame, statusOf } from '../../../test/frame-client.ts';

suite('[CON1] the first frame', () => {
  for (const method of ['message', 'update', 'reply', 'telemetry.v1', 'put_notification_ctx', 'nonsense']) {
    test(`[CON1] ${method} before init is refused, and the connection closed`, async () => {
      const h = await openDoor();
      const client = h.open();
      client.send(method, { token: h.token() });
      const [frame, ...more] = client.take();
      assert.deepEqual([frame?.method, more.length], ['close', 0]);
      assert.equal(statusOf(frame).code, 401);
      assert.equal(statusOf(frame).errorCode, 51215);
      assert.equal(client.link.closedWith?.code, 1008);
      assert.equal(h.door.connections, 0);
    });
  }

  test('[CON1] a connection without init is closed after the given time', async () => {
    const h = await openDoor({ initTimeoutMs: 30_000 });
    const silent = h.open();
    const lively = await h.connect();
    await h.advance(29_999);
    assert.equal(silent.link.isOpen, true);
    await h.advance(1);
    assert.deepEqual(silent.link.closedWith?.code, 1008);
    assert.deepEqual(silent.take(), []);
    assert.equal(lively.link.isOpen, true);
    assert.equal(h.door.connections, 1);
  });

  test('[CON1] a client may leave again without a word', async () => {
    const h = await openDoor();
    const client = h.open();
    client.send('close');
    assert.equal(client.link.closedWith?.code, 1000);
    assert.deepEqual(client.take(), []);
  });
});

suite('[CON2] init', () => {
  test('[CON2] a good token is granted what was asked for and is offered', async () => {
    const h = await openDoor();
    const reply = await h.open().init(h.token());
    assert.deepEqual(statusOf(reply), { code: 200, status: 'OK' });
    assert.deepEqual(reply?.header['capabilities'], ['client_update', 'offline_storage']);
    assert.equal(reply?.payload, undefined);

    const plain = await h.open().init(h.token(), { capabilities: [] });
    assert.deepEqual(plain?.header['capabilities'], []);
    assert.equal(plain?.header['offline_storage'], undefined);
    const older = await h.open().init(h.token(), { capabilities: undefined, registrations: null });
    assert.equal(statusOf(older).code, 200);
  });

  const refusals: readonly [code: number, why: string, token: (h: Harness) => unknown][] = [
    [20101, 'no text', () => 7],
    [20101, 'no token', () => undefined],
    [20101, 'no JWT', () => 'abc'],
    [20102, 'another kind of token', (h) => tampered(h.token(), 0, { alg: 'HS256', typ: 'JWT' })],
    [20103, 'an unknown key', (h) => signed(h, { key: keySid(9) })],
    [20103, 'the key of another account', (h) => signed(h, { account: `AC${'b'.repeat(32)}` })],
    [20107, 'another secret', (h) => signed(h, { secret: 'not the secret of key 1' })],
    [20107, 'altered claims', (h) => tampered(h.token(), 1, { iss: keySid(1), sub: account })],
    [20105, 'a token of tomorrow', (h) => h.token('ann', { ttl: 7200, nbf: Math.floor(h.clock.at / 1000) + 3600 })],
    [20106, 'no grant for this product', (h) => signed(h, { grant: { chat: {} } })],
    [54050, 'a service that is not there', (h) => h.token('ann', { service: missingService })],
    [54056, 'a service of another account', (h) => h.token('ann', { service: foreign })],
  ];
  for (const [code, why, token] of refusals) {
    test(`[CON2] a token is refused with ${code}: ${why}`, async () => {
      const h = await openDoor();
      await foreignService(h);
      const client = h.open();
      const reply = await client.init(token(h));
      const status = code < 54000 ? { code: 401, status: 'UNAUTHORIZED' } : { code: 403, status: 'FORBIDDEN' };
      assert.deepEqual(pick(statusOf(reply)), { ...status, errorCode: code });
      assert.equal(client.frames.length, 1);
      assert.equal(client.link.closedWith?.code, 1008);
      assert.equal(h.door.connections, 0);
      assert.equal(h.clock.pending, 1, 'only the sweeper waits');
    });
  }

  test('[TLC5] an expired token is refused as such', async () => {
    const h = await openDoor();
    const token = h.token('ann', { ttl: 60 });
    await h.advance(60_000);
    const client = h.open();
    const reply = await client.init(token);
    assert.deepEqual(pick(statusOf(reply)), { code: 401, status: 'UNAUTHORIZED', errorCode: 20104 });
    assert.equal(client.link.closedWith?.code, 1008);
  });

  test('[CON3] a second init changes nothing', async () => {
    const h = await openDoor();
    const client = await h.connect('ann');
    const sid = await client.create({ n: 0 });
    await client.follow(sid);
    const reply = await client.init(h.token('ben', { service: otherService }), { registrations: null });
    assert.equal(statusOf(reply).code, 400);
    client.take();
    await client.write(sid, { n: 1 });
    assert.equal(notifications(client.take()).length, 1);
    const { body } = await client.call('POST', '/v3/Documents', {});
    assert.deepEqual([body['created_by'], body['service_sid']], ['ann', service]);
  });
});

suite('[CON4] what is not understood', () => {
  const broken: readonly [why: string, bytes: Buffer, isBinary: boolean][] = [
    ['no frame', Buffer.from('hello'), true],
    ['a text frame', clientFrame('TM1', 'close'), false],
    ['a text frame that looks like an acknowledgement', clientFrame('TM1', 'reply'), false],
    ['a header that is an array', rawFrame('[]'), true],
    ['sizes that lie', rawFrame('{"id":"a","method":"message","payload_size":9}', '{}'), true],
  ];
  for (const [why, bytes, isBinary] of broken) {
    for (const isConnected of [true, false]) {
      test(`[CON4] ${why} ends the connection ${isConnected ? 'after' : 'before'} init`, async () => {
        const h = await openDoor();
        const client = isConnected ? await h.connect() : h.open();
        client.receive(bytes, isBinary);
        const [frame, ...more] = client.take();
        assert.deepEqual([frame?.method, statusOf(frame).code, more.length], ['close', 406, 0]);
        assert.equal(client.link.closedWith?.code, 1008);
        assert.equal(h.door.connections, 0);
      });
    }
  }

  test('[CON4] answers that are ready go out before the connection is closed for a broken frame', async () => {
    const h = await openDoor();
    const client = await h.connect();
    client.send('put_notification_ctx', {}, '{}');
    client.receive(Buffer.from('broken'));
    assert.deepEqual(
      client.take().map(({ method }) => method),
      ['reply', 'close'],
    );
  });

  test('[CON4] an unknown method is answered 400, and the connection lives on', async () => {
    const h = await openDoor();
    const client = await h.connect();
    const id = client.send('subscribe');
    await h.settle();
    assert.equal(statusOf(client.replyTo(id)).code, 400);
    assert.equal((await client.call('POST', '/v3/Documents', {})).status, 201);
  });

  test('[CON4] acknowledgements and telemetry are taken without an answer', async () => {
    const h = await openDoor();
    const client = await h.connect();
    client.send('reply', { payload_type: 'application/json', status: { code: 200, status: 'OK' } });
    client.receive(rawFrame('{"method":"reply","id":"TM1","payload_size":0}'));
    client.send('telemetry.v1', { events: [] });
    await h.settle();
    assert.deepEqual(client.take(), []);
    assert.equal(client.link.isOpen, true);
  });

  test('[CON4] a close is answered by closing the socket', async () => {
    const h = await openDoor();
    const client = await h.connect();
    await client.follow(await client.create());
    client.send('close');
    assert.equal(client.link.closedWith?.code, 1000);
    assert.equal(h.door.connections, 0);
    assert.equal(h.engine.hub.followedObjects, 0);
  });
});

suite('[CON7] [CON8] what a client keeps over connections', () => {
  const granted = async (h: Harness, token: string, given: unknown): Promise<{ token: string; storage: string }> => {
    const reply = await h.open().init(token, { continuation_token: given });
    const { storage_id: storage } = (reply!.header['offline_storage'] as { data_sync: { storage_id: string } })
      .data_sync;
    return { token: reply?.header['continuation_token'] as string, storage };
  };

  test('[CON7] the own continuation token is given back, any other is replaced', async () => {
    const h = await openDoor();
    const { token: first } = await granted(h, h.token('ann'), null);
    assert.equal((await granted(h, h.token('ann'), first)).token, first);
    for (const foreign of ['', 'x', `${first}x`, first.replace(/^./, 'x'), 7, {}, `.${first}`]) {
      const { token } = await granted(h, h.token('ann'), foreign);
      assert.notEqual(token, foreign);
      assert.equal(typeof token, 'string');
    }
  });

  test('[CON7] the continuation token of another gives no rights', async () => {
    const h = await openDoor();
    const { token: anns } = await granted(h, h.token('ann'), null);
    const ben = h.open();
    const reply = await ben.init(h.token('ben'), { continuation_token: anns });
    assert.notEqual(reply?.header['continuation_token'], anns);
    assert.equal((await ben.call('POST', '/v3/Documents', {})).body['created_by'], 'ben');
  });

  test('[CON8] the storage id is that of service, identity and epoch', async () => {
    const h = await openDoor();
    const { storage } = await granted(h, h.token('ann'), null);
    assert.equal((await granted(h, h.token('ann', { key: 2, ttl: 60 }), null)).storage, storage);
    const others = [
      (await granted(h, h.token('ben'), null)).storage,
      (await granted(h, h.token('ann', { service: otherService }), null)).storage,
      (await granted(h, h.token('ann","x'), null)).storage,
    ];
    assert.equal(new Set([storage, ...others]).size, 4);
    const restored = await openDoor({}, 'another epoch');
    assert.notEqual((await granted(restored, restored.token('ann'), null)).storage, storage);
  });
});

suite('[CON9] message types', () => {
  const events = async (types: readonly string[] | undefined): Promise<readonly unknown[]> => {
    const h = await openDoor();
    const registrations = types === undefined ? null : [{ type: 'ers', message_types: types }];
    const ann = await h.connect('ann', {}, { registrations });
    const sid = await ann.create();
    ann.subscribe([{ object_sid: sid, last_event_id: null }]);
    await h.settle();
    await ann.write(sid, { n: 1 });
    return ann.frames.filter(({ method }) => method === 'notification').map(({ header }) => header['message_type']);
  };

  test('[CON9] both types: outcomes in one, events in the other', async () => {
    assert.deepEqual(await events(allTypes), ['twilio.sync.event', 'com.twilio.rtd.cds.document']);
  });

  test('[CON9] a client that registered only the general type gets everything in it', async () => {
    assert.deepEqual(await events(['twilio.sync.event']), ['twilio.sync.event', 'twilio.sync.event']);
  });

  test('[CON9] nothing is sent to a client that registered nothing, or other types', async () => {
    assert.deepEqual(await events(undefined), []);
    assert.deepEqual(await events([]), []);
    assert.deepEqual(await events(['com.twilio.rtd.cds.list', 'twilio.ipmsg.message']), []);
  });

  test('[CON9] a context whose name cannot be one is answered 400, and nothing is registered', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', {}, { registrations: null });
    const names = [undefined, null, 7, [], { toString: null, valueOf: null }, 'x'.repeat(129)];
    for (const name of names) {
      for (const method of ['put_notification_ctx', 'delete_notification_ctx']) {
        const id = ann.send(method, { notification_ctx_id: name }, JSON.stringify({ message_types: allTypes }));
        await h.settle();
        assert.equal(statusOf(ann.replyTo(id)).code, 400, `${method} ${JSON.stringify(name)}`);
      }
    }
    const sid = await ann.create();
    ann.take();
    ann.subscribe([{ object_sid: sid, last_event_id: null }]);
    await h.settle();
    assert.deepEqual(
      ann.take().filter(({ method }) => method === 'notification'),
      [],
    );
  });

  test('[CON9] older clients register with a frame of its own, which is answered', async () => {
    const h = await openDoor();
    const ann = await h.connect('ann', {}, { registrations: null });
    const id = ann.send(
      'put_notification_ctx',
      { notification_ctx_id: 'x' },
      JSON.stringify({ message_types: allTypes }),
    );
    const bad = ann.send('put_notification_ctx', { notification_ctx_id: 'y' }, '{"message_types":');
    const gone = ann.send('delete_notification_ctx', { notification_ctx_id: 'y' });
    await h.settle();
    for (const each of [id, bad, gone]) assert.equal(statusOf(ann.replyTo(each)).code, 200);
    const sid = await ann.create();
    await ann.follow(sid);
    await ann.write(sid, {});
    assert.equal(notifications(ann.take()).length, 1);
    ann.send('delete_notification_ctx', { notification_ctx_id: 'x' });
    await h.settle();
    await ann.write(sid, {});
    assert.equal(notifications(ann.take()).length, 0);
  });
});

const foreign = `IS${'f'.repeat(32)}`;

async function foreignService(h: Harness): Promise<void> {
  const made = h.engine.administration.put([{ ...putService(foreign), account: `AC${'b'.repeat(32)}` }]);
  await h.settle();
  await made;
}

interface Signed {
  readonly key?: string;
  readonly account?: string;
  readonly secret?: string;
  readonly grant?: Readonly<Record<string, object>>;
}

/** A real token with one thing wrong. */
function signed(h: Harness, wrong: Signed): string {
  const token = new AccessToken(wrong.account ?? account, wrong.key ?? keySid(1), wrong.secret ?? secret, {
    identity: 'ann',
    now: h.clock.now,
  });
  token.addGrant(wrong.grant ?? { data_sync: {} });
  return token.toJwt();
}

/** The token with another header (0) or other claims (1) under the old signature. */
function tampered(token: string, part: 0 | 1, by: object): string {
  const parts = token.split('.');
  parts[part] = Buffer.from(JSON.stringify(by)).toString('base64url');
  return parts.join('.');
}

function pick(status: ReturnType<typeof statusOf>): object {
  const { code, status: name, errorCode } = status;
  return { code, status: name, errorCode };
}
