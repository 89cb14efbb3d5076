/** Documents, written by the official helper library and followed by the official client. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { suite, test } from 'node:test';
import { connectedClient, holds } from '../harness/clients.ts';
import type { Updated } from '../harness/clients.ts';
import { credentials } from '../harness/credentials.ts';
import { nextEvent, recorded } from '../harness/deadline.ts';
import { startService } from '../harness/service.ts';
import { expectOperations, libraryClient, restRefusal } from './library-client.ts';

const { port, socketUrl } = await startService();
expectOperations(/Document$/);

const { client, answers } = libraryClient(port);
const { documents } = client.sync.v1.services(credentials.serviceSid);
const one = (id: string) => client.sync.v1.services('default').documents(id);

suite('documents', () => {
  test('[RST8] [RST6] a document lives: made, fetched, updated, removed', async () => {
    const uniqueName = randomUUID();
    const made = await documents.create({ uniqueName, data: { title: 'board', '+&=%': 'ü 😀' }, ttl: 60 });
    assert.deepEqual(
      [made.uniqueName, made.revision, made.data, made.createdBy],
      [uniqueName, '0', { title: 'board', '+&=%': 'ü 😀' }, 'system'],
    );
    assert.equal(made.dateExpires.getTime() - made.dateCreated.getTime(), 60_000);
    assert.equal(answers.at(-1)?.headers['etag'], '"0"');
    for (const id of [uniqueName, made.sid]) {
      const fetched = await one(id).fetch();
      assert.deepEqual([fetched.sid, fetched.data], [made.sid, made.data]);
    }
    const updated = await one(uniqueName).update({ data: { n: 1 } });
    assert.deepEqual([updated.data, updated.revision], [{ n: 1 }, '1']);
    const forever = await updated.update({ ttl: 0 });
    assert.deepEqual([forever.data, forever.revision, forever.dateExpires], [{ n: 1 }, '1', null]);
    assert.equal(await forever.remove(), true);
    const refused = await restRefusal(one(made.sid).fetch());
    assert.deepEqual([refused.status, refused.code], [404, 20404]);
    assert.equal(refused.message, `The requested resource /Services/default/Documents/${made.sid} was not found`);
    assert.equal((await restRefusal(one(made.sid).remove())).code, 20404);
  });

  test('[RST8] [DOC4] a conditional update writes on the revision it knows, and on no other', async () => {
    const made = await documents.create({ data: { n: 0 } });
    const { revision } = await one(made.sid).update({ data: { n: 1 }, ifMatch: made.revision });
    assert.equal(revision, '1');
    const etag = answers.at(-1)?.headers['etag'] as string;
    assert.equal((await one(made.sid).update({ data: { n: 2 }, ifMatch: etag })).revision, '2');
    const late = await restRefusal(one(made.sid).update({ data: { n: 9 }, ifMatch: revision }));
    assert.deepEqual([late.status, late.code], [412, 54103]);
    assert.equal((await restRefusal(one(made.sid).update({ data: {}, ifMatch: 'x' }))).code, 54003);
    assert.deepEqual((await one(made.sid).fetch()).data, { n: 2 });
  });

  test('[RST7] [RST8] refusals have their statuses and codes', async () => {
    const { sid, uniqueName } = await documents.create({ uniqueName: randomUUID() });
    const large = { t: 'x'.repeat(16_377) };
    const cases: readonly (readonly [Promise<unknown>, number, number])[] = [
      [documents.create({ uniqueName }), 409, 54301],
      [documents.create({ uniqueName: `ET${'a'.repeat(32)}` }), 400, 54302],
      [documents.create({ uniqueName: '' }), 400, 54302],
      [documents.create({ data: large }), 413, 54006],
      [documents.create({ data: 'not JSON' }), 400, 54008],
      [documents.create({ data: [1] }), 400, 54008],
      [documents.create({ data: null }), 400, 54101],
      [documents.create({ ttl: 31_536_001 }), 400, 54011],
      [documents.create({ data: { t: 'x'.repeat(210_000) } }), 413, 20413],
      [one(sid).update({}), 400, 54010],
      [one(sid).update({ ttl: -1 }), 400, 54011],
      [one('missing').update({}), 404, 20404],
      [documents.list(), 405, 20004],
    ];
    for (const [refused, status, code] of await Promise.all(
      cases.map(async ([call, ...expected]) => [await restRefusal(call), ...expected] as const),
    )) {
      assert.deepEqual([refused.status, refused.code], [status, code], refused.message);
    }
  });

  test('[RST3] encoded names lead to their document and to no other', async () => {
    const before = randomUUID();
    const names = ['a/b', 'a#b', '%41', 'a?b', 'ü', '100%', '\\', 'a', 'A', 'a+b', ' '].map((end) => before + end);
    for (const name of names) await documents.create({ uniqueName: name, data: { name } });
    for (const name of names) assert.deepEqual((await one(encodeURIComponent(name)).fetch()).data, { name });
  });
});

suite('with the official client', () => {
  test('[RST7] what the back end writes reaches the client, in order', async (t) => {
    const made = await documents.create({ uniqueName: randomUUID(), data: { n: 0 } });
    const ann = await connectedClient(t, socketUrl, 'ann');
    const opened = await ann.document(made.uniqueName);
    assert.deepEqual([opened.sid, opened.data], [made.sid, { n: 0 }]);
    // Before it has subscribed it may skip writes.
    await one(made.sid).update({ data: { n: 1 } });
    await holds(opened, 'the first write', ({ n }) => n === 1);
    const seen = recorded<Updated>(opened, 'updated');
    for (let n = 2; n <= 6; n++) await one(made.sid).update({ data: { n } });
    await holds(opened, 'the last write', ({ n }) => n === 6);
    assert.deepEqual(
      seen.map(({ data, isLocal }) => [data['n'], isLocal]),
      [2, 3, 4, 5, 6].map((n) => [n, false]),
    );
    const removed = nextEvent(opened, 'removed');
    await one(made.sid).remove();
    await removed;
  });

  test('[RST7] what the client writes is what the back end reads, and conditions meet', async (t) => {
    const ann = await connectedClient(t, socketUrl, 'ann');
    const mine = await ann.document({ id: randomUUID(), data: { n: 0 } });
    const before = await one(mine.sid).fetch();
    assert.deepEqual([before.createdBy, before.uniqueName, before.revision], ['ann', mine.uniqueName, '0']);
    await mine.set({ n: 1 });
    const refused = await restRefusal(one(mine.sid).update({ data: { n: 9 }, ifMatch: before.revision }));
    assert.equal(refused.code, 54103);
    await one(mine.sid).update({ data: { n: 2 }, ifMatch: mine.revision });
    await mine.mutate((data) => ({ n: (data as { n: number }).n + 1 }));
    assert.deepEqual((await one(mine.sid).fetch()).data, { n: 3 });
    await mine.removeDocument();
    assert.equal((await restRefusal(one(mine.sid).fetch())).code, 20404);
  });
});

test('[RST3] [RST1] a path that is spelled otherwise leads nowhere, as it is written on the wire', async () => {
  const { sid } = await documents.create({ data: { n: 0 } });
  const path = `/v1/Services/default/Documents/${sid}`;
  const authorization = `Basic ${btoa(`${credentials.apiKey}:${credentials.apiSecret}`)}`;
  const statusOf = async (method: string, target: string, headers: Record<string, string>): Promise<unknown> => {
    const asked = request({ port, method, path: target, headers, agent: false });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
  assert.equal(await statusOf('GET', path, { authorization }), 200);
  for (const target of [
    ...[
      `${path}/`,
      `${path}/.`,
      `${path}/x/..`,
      `${path}/%2e`,
      path.replace('/Doc', '/./Doc'),
      path.replace('/', '//'),
    ],
    ...[path.replace('/Doc', '/%2e%2E/default/Doc'), `${path}\\`, `${path}%5C`, path.replace(/.v1/, '/v1/../v1')],
    ...[`http://127.0.0.1:${port}${path}/.`, `${path}%00`, path.replace('s/ET', 's%2FET')],
  ]) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      assert.equal(await statusOf(method, target, { authorization }), 404, `${method} ${target}`);
    }
  }
  // Ten are the limit.
  const unknown = `SK${'f'.repeat(32)}`;
  for (const pair of [`${unknown}:`, ':', `${unknown}:${credentials.apiSecret}`]) {
    assert.equal(await statusOf('GET', path, { authorization: `Basic ${btoa(pair)}` }), 401, pair);
  }
  for (const target of [path, `${path}/..`, '/v1/Nothing']) {
    assert.equal(await statusOf('GET', target, {}), 401, target);
  }
  assert.equal((await one(sid).fetch()).revision, '0');
});
