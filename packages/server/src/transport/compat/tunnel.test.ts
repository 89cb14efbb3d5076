import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service } from '../../../test/commands.ts';
import { openDoor } from '../../../test/door-harness.ts';

test('[MET1] requests are counted under a few words, whatever a client makes up', async () => {
  const h = await openDoor();
  const ann = await h.connect();
  await ann.call('POST', '/v3/Maps', { unique_name: 'm' });
  await ann.call('PUT', '/v3/Maps/m/Items/a', { data: {} });
  await ann.call('PUT', `/v3/Services/${service}/Maps/m/Items/a`, { data: {} });
  await ann.call('POST', '/v3/Lists', { unique_name: 'l' });
  await ann.call('GET', '/v3/Lists/l/Items');
  await ann.call('POST', '/v3/Streams', { unique_name: 's' });
  await ann.call('POST', '/v3/Streams/s/Messages', { data: {} });
  await ann.call('GET', `/v3/Services/${service}/Documents/none`);
  await ann.call('GET', '/v3/Maps/m/Made-up');
  await ann.call('GET', '/v3/Made-up/m/Items');
  await ann.call('PATCH', '/v3/Maps/m');
  assert.deepEqual(Object.fromEntries(h.engine.tally.requests.entries()), {
    'POST Maps 201': 1,
    'PUT Items 201': 1,
    'PUT Items 200': 1,
    'POST Lists 201': 1,
    'GET Items 200': 1,
    'POST Streams 201': 1,
    'POST Messages 201': 1,
    'GET Documents 404': 1,
    'GET Maps 404': 1,
    'other 404': 2,
  });
});
