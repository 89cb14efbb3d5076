import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfTimes } from './profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });

test('self time is summed by function, without idle time, longest first', () => {
  const times = selfTimes({
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('commit', 'file:///a/b/c/d.ts', 9) },
      { id: 3, callFrame: frame('commit', 'file:///a/b/c/d.ts', 9) },
      { id: 4, callFrame: frame('(garbage collector)') },
    ],
    samples: [4, 2, 1, 3],
    timeDeltas: [1000, 1000, 50_000, 2000],
  });
  assert.deepEqual(times, [
    { place: 'commit  b/c/d.ts:10', share: 0.75, milliseconds: 3 },
    { place: '(garbage collector)', share: 0.25, milliseconds: 1 },
  ]);
});
