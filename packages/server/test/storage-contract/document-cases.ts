/** The storage contract on documents. */

import assert from 'node:assert/strict';
import {
  account,
  byName,
  bySid,
  create,
  documentSid,
  missingService,
  refusal,
  remove,
  service,
  update,
} from '../commands.ts';
import { caseList, idsOf } from './world.ts';
import type { ContractCase } from './world.ts';

const { cases, it } = caseList();
export const documentCases: readonly ContractCase[] = cases;

it('[DOC1] a created document is found by sid and by name, as it was written', async (world) => {
  const { object, events } = await world.accept(create(1, { uniqueName: 'board', data: '{"a":1}', ttl: 60 }));
  const row = {
    sid: documentSid(1),
    account,
    service,
    kind: 'document',
    uniqueName: 'board',
    eventId: 0,
    nextIndex: 0,
    markers: 0,
    trimmedTo: 0,
    createdAt: world.clock.at,
    updatedAt: world.clock.at,
    expiresAt: world.clock.at + 60_000,
    createdBy: 'ann',
  };
  assert.deepEqual(object, row);
  assert.deepEqual(events, [
    {
      type: 'created',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 0,
      at: world.clock.at,
      by: 'ann',
      expiresAt: world.clock.at + 60_000,
      data: '{"a":1}',
      item: undefined,
    },
  ]);
  assert.deepEqual(await world.document(bySid(1)), { row, data: '{"a":1}' });
  assert.deepEqual(await world.document(byName('board')), { row, data: '{"a":1}' });
});

it('[DOC2] what is missing is 54100 by sid and 54300 by name, for readers absent', async (world) => {
  assert.equal(await world.refused(update(bySid(1), { data: '{}' })), 54100);
  assert.equal(await world.refused(update(byName('board'), { data: '{}' })), 54300);
  assert.equal(await world.refused(remove(bySid(1))), 54100);
  assert.equal(await world.refused(remove(byName('board'))), 54300);
  assert.equal(await world.document(bySid(1)), undefined);
  assert.equal(await world.document(byName('board')), undefined);
  assert.equal(await world.refused(create(1, { service: missingService })), 54050);
});

it('[DOC3] [EVT1] updates replace the whole data and count up by one', async (world) => {
  await world.accept(create(1, { uniqueName: 'board', data: '{"a":1,"b":2}' }));
  world.clock.advance(5);
  const { object, events } = await world.accept(update(byName('board'), { data: '{"c":3}' }));
  assert.equal(object?.eventId, 1);
  assert.equal(object.updatedAt, world.clock.at);
  assert.equal(object.createdAt, world.clock.at - 5);
  assert.deepEqual(events, [
    {
      type: 'updated',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 1,
      at: world.clock.at,
      by: 'ben',
      expiresAt: null,
      data: '{"c":3}',
      item: undefined,
    },
  ]);
  assert.deepEqual(idsOf(await world.commit(update(bySid(1), { data: '{"d":4}' }))), [2]);
  assert.deepEqual(await world.document(bySid(1)), {
    row: { ...object, eventId: 2 },
    data: '{"d":4}',
  });
});

it('[EVT1] several updates of one document in one batch each take an id, and the last stands', async (world) => {
  await world.accept(create(1));
  const batch = [1, 2, 3, 4].map((n) => update(bySid(1), { data: `{"n":${n}}` }));
  assert.deepEqual(idsOf(await world.commit(...batch)), [1, 2, 3, 4]);
  assert.equal(await world.data(bySid(1)), '{"n":4}');
  assert.deepEqual(idsOf(await world.commit(update(bySid(1), { data: '{}' }))), [5]);
});

it('[DOC4] a conditional write is judged: missing, then no revision, then another revision', async (world) => {
  assert.equal(await world.refused(update(bySid(1), { data: '{}', ifMatch: 'no revision' })), 54100);
  await world.accept(create(1, { data: '{"n":0}' }));
  assert.equal(await world.refused(update(bySid(1), { data: '{}', ifMatch: 'no revision' })), 54003);
  assert.equal(await world.refused(update(bySid(1), { data: '{}', ifMatch: '1' })), 54103);
  assert.equal(await world.data(bySid(1)), '{"n":0}');
  assert.equal((await world.accept(update(bySid(1), { data: '{"n":1}', ifMatch: '0' }))).object?.eventId, 1);
  assert.equal(await world.refused(update(bySid(1), { data: '{}', ifMatch: '0' })), 54103);
  assert.equal(await world.data(bySid(1)), '{"n":1}');
});

it('[REV2] of two writers with the same expected revision one wins, in one batch and in two', async (world) => {
  await world.accept(create(1));
  const [first, second] = await world.commit(
    update(bySid(1), { data: '{"by":"first"}', ifMatch: '0' }),
    update(bySid(1), { data: '{"by":"second"}', ifMatch: '0' }),
  );
  assert.deepEqual([refusal(first), refusal(second)], [undefined, 54103]);
  assert.equal(await world.data(bySid(1)), '{"by":"first"}');
  const both = await Promise.all([
    world.commit(update(bySid(1), { data: '{"by":"third"}', ifMatch: '1' })),
    world.commit(update(bySid(1), { data: '{"by":"fourth"}', ifMatch: '1' })),
  ]);
  assert.deepEqual(both.flat().map(refusal), [undefined, 54103]);
  assert.equal(await world.data(bySid(1)), '{"by":"third"}');
});

it('[DOC6] data is kept as the text that was given', async (world) => {
  const texts = [
    '{"big":12345678901234567890,"fine":1.0,"small":1e-7}',
    '{"z":1,"a":2,"z":3}',
    '{"text":"\\u0000 \\ud800 𝄞 Ä"}',
    `{"long":"${'é'.repeat(8_000)}"}`,
  ];
  await world.commit(...texts.map((data, n) => create(n, { data })));
  for (const [n, data] of texts.entries()) assert.equal(await world.data(bySid(n)), data);
});

it('[DOC7] a removal is one event, and then the document is gone', async (world) => {
  await world.accept(create(1, { uniqueName: 'board' }));
  await world.accept(update(bySid(1), { data: '{"n":1}' }));
  const { object, events } = await world.accept(remove(byName('board')));
  assert.equal(object, undefined);
  assert.deepEqual(events, [
    {
      type: 'removed',
      kind: 'document',
      service,
      object: documentSid(1),
      uniqueName: 'board',
      id: 2,
      at: world.clock.at,
      by: 'cem',
      expiresAt: null,
      data: null,
      item: undefined,
    },
  ]);
  assert.equal(await world.document(bySid(1)), undefined);
  assert.equal(await world.document(byName('board')), undefined);
  assert.deepEqual(await world.changes(1, null), { gone: true });
  assert.equal(await world.refused(remove(bySid(1))), 54100);
});
