/** Paths of tunnelled requests that try to be another path. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { segmentsOf } from '../../src/transport/compat/path.ts';
import { otherService, service } from '../commands.ts';
import { openDoor } from '../door-harness.ts';
import { seedOf } from './seed.ts';

const mine = 'mine';
const theirs = 'theirs';

/** Each with the answer of a GET; those that are 200 find the document `mine` of the own service. */
const kept: Readonly<Record<string, number>> = {
  [`/v3/Documents/${mine}`]: 200,
  [`/v3/Documents/%6d%69%6e%65`]: 200,
  [`/v3/Services/${service}/Documents/${mine}`]: 200,
  [`/v3/Documents/x/../${mine}`]: 404,
  [`/v3/Documents/./${mine}`]: 404,
  [`/v3/../v3/Documents/${mine}`]: 404,
  [`/v3/%2e%2e/v3/Documents/${mine}`]: 404,
  [`/v3//Documents/${mine}`]: 404,
  [`//v3/Documents/${mine}`]: 404,
  [`/v3/Documents/${mine}/`]: 404,
  [`/v3/Documents/${mine}%2F`]: 404,
  [`/v3/Documents%2F${mine}`]: 404,
  [`/v3%2FDocuments/${mine}`]: 404,
  [`/v3/Documents\\${mine}`]: 404,
  [`/v3/Documents/${mine}%00`]: 404,
  [`/v3/Documents/${mine}\u0000`]: 404,
  [`/v3/Documents/${mine}?a=b`]: 404,
  [`/v3/Documents/${mine}#a`]: 404,
  [`/v3/Documents/${mine};a=b`]: 404,
  [`/V3/Documents/${mine}`]: 404,
  [`/v3/documents/${mine}`]: 404,
  [`/v3/Documents/${mine.toUpperCase()}`]: 404,
  [`/v3/Documents/${mine}%20`]: 404,
  [`/v3/Documents/%ef%bb%bf${mine}`]: 404,
  [`/v3/Documents/`]: 404,
  '/': 404,
  '/v3': 404,
  '/v3/__proto__': 404,
  '/constructor/Documents/mine': 404,
  [`/v3/Services/${otherService}/Documents/${theirs}`]: 403,
  [`/v3/Services/%49${otherService.slice(1)}/Documents/${theirs}`]: 403,
  [`/v3/Services/default/Documents/${mine}`]: 403,
  '/v3/Services': 403,
  [`/v3/Documents/${theirs}`]: 404,
  [`/v3/Documents/..%2f..%2fServices%2f${otherService}%2fDocuments%2f${theirs}`]: 404,
  '': 400,
  [`v3/Documents/${mine}`]: 400,
  [`https://sync.example.org/v3/Documents/${mine}`]: 400,
  [`/v3/Documents/${mine}%`]: 400,
  [`/v3/Documents/${mine}%2`]: 400,
  [`/v3/Documents/${mine}%zz`]: 400,
  '/v3/Documents/%c0%ae%c0%ae': 400,
  '/v3/Documents/%ed%a0%80': 400,
  '/v3/Documents/%ff': 400,
  '/v3/Documents/%aa': 400,
  [`/v3/Documents/${mine}\ud800`]: 400,
  [`/v3/Documents/%6dine\udc00`]: 400,
};

suite('[CON10] paths', () => {
  test('[CON10] each path has one meaning, and none leads to another service', async () => {
    const h = await openDoor();
    const ann = await h.connect();
    const eve = await h.connect('eve', { service: otherService });
    await ann.create({ of: 'ann' }, { unique_name: mine });
    await eve.create({ of: 'eve' }, { unique_name: theirs });
    for (const [path, status] of Object.entries(kept)) {
      // As it is: nothing in between may tidy it up.
      const id = ann.send('message', { http_request: { method: 'GET', path, params: {}, headers: {} } });
      await h.settle();
      const answer = ann.answerTo(id);
      assert.equal(answer.status, status, JSON.stringify(path));
      assert.ok(!answer.text.includes('"of":"eve"'), path);
      if (status === 200) assert.ok(answer.text.includes('"of":"ann"'), path);
    }
  });

  test('[CON10] however a path is put together, it is split first and decoded after', (t) => {
    const pieces = [
      '..',
      '.',
      '',
      '%2e',
      '%2E%2e',
      '%2f',
      '%2F',
      '%5c',
      '%00',
      '%25',
      '%252f',
      '\\',
      '%c3%a9',
      'a',
      '%',
    ];
    const segment = fc
      .array(fc.constantFrom(...pieces, '\ud800', 'é', '%ff'), { maxLength: 3 })
      .map((some) => some.join(''));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), (raw) => {
        const segments = segmentsOf(`/${raw.join('/')}`);
        const isBroken = raw.some((one) => !one.isWellFormed() || decoded(one) === undefined);
        assert.equal(segments === undefined, isBroken);
        if (segments === undefined) return;
        assert.deepEqual(segments, raw.length === 0 ? [''] : raw.map(decoded));
      }),
      { ...seedOf(t), numRuns: 2_000 },
    );
  });

  test('[CON10] every name comes back from the path that it is encoded into', (t) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        assert.deepEqual(segmentsOf(`/${encodeURIComponent(name)}`), [name]);
      }),
      seedOf(t),
    );
  });
});

/** One segment by itself; undefined when its encoding is broken. */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
