/** Services, read by the official helper library. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { credentials } from '../harness/credentials.ts';
import { startService } from '../harness/service.ts';
import { expectOperations, libraryClient, restRefusal } from './library-client.ts';

const others = ['4', '5', '6', '7'].map((digit) => `IS${digit.repeat(32)}`);
const { port } = await startService({}, others);
expectOperations(/Service$/);

suite('services', { concurrency: true }, () => {
  test('[RST10] a service is fetched by its sid and as default', async () => {
    const { client } = libraryClient(port);
    // The service of the first start.
    for (const [id, sid, name] of [
      [credentials.serviceSid, credentials.serviceSid, null],
      ['default', others[0], 'default'],
    ] as const) {
      const service = await client.sync.v1.services(id).fetch();
      const { accountSid } = credentials;
      assert.deepEqual([service.sid, service.accountSid, service.uniqueName], [sid, accountSid, name]);
      assert.ok(Math.abs(service.dateCreated.getTime() - Date.now()) < 600_000);
      assert.equal(service.links['documents'], `${service.url}/Documents`);
    }
    const refused = await restRefusal(client.sync.v1.services(`IS${'0'.repeat(32)}`).fetch());
    assert.deepEqual([refused.status, refused.code], [404, 20404]);
  });

  test('[RST9] [RST10] the library goes through the pages by itself, forward and back', async () => {
    const { client, answers } = libraryClient(port);
    const all = await client.sync.v1.services.list();
    assert.deepEqual(all.map(({ sid }) => sid).toSorted(), [credentials.serviceSid, ...others].toSorted());
    const asked = answers.length;
    const byTwo = await client.sync.v1.services.list({ pageSize: 2 });
    assert.deepEqual(
      byTwo.map(({ sid }) => sid),
      all.map(({ sid }) => sid),
    );
    assert.equal(answers.length - asked, 3);
    assert.equal((await client.sync.v1.services.list({ limit: 4 })).length, 4);
    assert.equal((await client.sync.v1.services.list({ limit: 1000 })).length, 5);
    assert.equal(await (await client.sync.v1.services.page({ pageSize: 5 })).nextPage(), undefined);
    const first = await client.sync.v1.services.page({ pageSize: 3 });
    const second = await first.nextPage();
    assert.equal(second?.instances.length, 2);
    assert.equal(await second.nextPage(), undefined);
    const back = await second.previousPage();
    assert.deepEqual(
      back?.instances.map(({ sid }) => sid),
      first.instances.map(({ sid }) => sid),
    );
    const refused = await restRefusal(client.sync.v1.services.list({ pageSize: 1001 }));
    assert.deepEqual([refused.status, refused.code], [400, 54454]);
  });

  test('[RST1] account and key may read, others may not', async () => {
    const { accountSid, authToken, apiKey } = credentials;
    const byAccount = libraryClient(port, accountSid, authToken);
    assert.equal((await byAccount.client.sync.v1.services.list()).length, 5);
    for (const user of [apiKey, accountSid]) {
      const refused = await restRefusal(libraryClient(port, user, 'wrong').client.sync.v1.services.list());
      assert.deepEqual([refused.status, refused.code], [401, 20003]);
      assert.match(refused.moreInfo, /\/20003$/);
    }
  });
});
