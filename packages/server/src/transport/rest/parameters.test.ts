import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parametersOf, unreadable } from './parameters.ts';

test('[RST5] a form is read: plus, percent-encoding, empty values, the last of a name', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['', {}],
    ['&&', {}],
    ['=x', {}],
    ['A', { A: '' }],
    ['A=', { A: '' }],
    ['A=1&A=2', { A: '2' }],
    ['A=1&a=2', { A: '1', a: '2' }],
    ['A=a+b%2Bc', { A: 'a b+c' }],
    ['A=%25', { A: '%' }],
    ['A=%2541', { A: '%41' }],
    ['A=b=c', { A: 'b=c' }],
    ['A%3DB=c', { 'A=B': 'c' }],
    ['A=%C3%BC', { A: 'ü' }],
    ['A=ü', { A: 'ü' }],
    ['__proto__=1', { ['__proto__']: '1' }],
    ['A=1;B=2', { A: '1;B=2' }],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual([...parametersOf(text)], Object.entries(expected), text);
  }
});

test('[RST5] what cannot be decoded is no value that any parameter takes', () => {
  for (const value of ['%', '%2', '%zz', '%c0%ae', '%ff', '%ed%a0%80'])
    assert.equal(parametersOf(`A=${value}`).get('A'), unreadable, value);
  assert.equal(unreadable.isWellFormed(), false);
});

test('[RST5] whatever is written as a form comes back', () => {
  const text = fc.string({ unit: 'binary' }).filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name }), (pairs) => {
      const given = pairs.filter(([name]) => name !== '');
      assert.deepEqual([...parametersOf(new URLSearchParams(given).toString())], given);
    }),
    { numRuns: 100 },
  );
});
