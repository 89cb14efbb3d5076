/** JSON that means harm, against the scanner that everything stored passes through. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { limits } from '@tallystick/protocol';
import { membersOf } from '../../src/core/json.ts';
import { textOf } from '../../src/transport/compat/frame.ts';
import { hostileJson } from './mutation.ts';
import { seedOf } from './seed.ts';

/** Each as the value of a member; undefined: refused. */
const kept: Readonly<Record<string, { readonly value: string; readonly stored: string | undefined }>> = {
  '100,000 arrays deep': { value: nested('[', ']', 100_000), stored: undefined },
  '100,000 objects deep': { value: nested('{"a":', '}', 100_000, '1'), stored: undefined },
  '100,000 arrays deep and never closed': { value: '['.repeat(100_000), stored: undefined },
  'as deep as may be': { value: nested('[', ']', limits.jsonDepth), stored: nested('[', ']', limits.jsonDepth) },
  'one deeper': { value: nested('[', ']', limits.jsonDepth + 1), stored: undefined },
  '100,000 arrays side by side': { value: `[${'[],'.repeat(100_000)}0]`, stored: `[${'[],'.repeat(100_000)}0]` },
  'beyond a double': { value: '1e400', stored: undefined },
  'beyond a double, below': { value: '-1e400', stored: undefined },
  'beyond a double, deep inside': { value: '{"a":[{"b":1e400}]}', stored: undefined },
  'beyond a double, then overwritten': { value: '{"a":1e400,"a":1}', stored: undefined },
  'less than any double': { value: '1e-400', stored: '1e-400' },
  'less than nothing': { value: '-0', stored: '-0' },
  'a number of 200,000 digits': { value: '9'.repeat(200_000), stored: undefined },
  'a number of 200,000 decimals': { value: `0.${'3'.repeat(200_000)}`, stored: `0.${'3'.repeat(200_000)}` },
  'an exponent of 200,000 digits': { value: `1e-${'9'.repeat(200_000)}`, stored: `1e-${'9'.repeat(200_000)}` },
  'a text of 200,000 backslashes': { value: `"${'\\'.repeat(200_000)}"`, stored: `"${'\\'.repeat(200_000)}"` },
  'a text of 100,000 quotes': { value: `"${'\\"'.repeat(100_000)}"`, stored: `"${'\\"'.repeat(100_000)}"` },
  '200,000 blanks': { value: `[${' \n'.repeat(100_000)}]`, stored: '[]' },
  'a blank between 100,000 elements': { value: `[${'0 ,'.repeat(100_000)}0]`, stored: `[${'0,'.repeat(100_000)}0]` },
  'prototype names': {
    value: '{"__proto__":{"a":1},"constructor":2}',
    stored: '{"__proto__":{"a":1},"constructor":2}',
  },
  'half of a surrogate pair in escapes': { value: String.raw`"\ud800"`, stored: String.raw`"\ud800"` },
  'an escape cut short': { value: String.raw`"\ud80"`, stored: undefined },
  'a byte order mark': { value: '\ufeff{}', stored: undefined },
  'a NUL in a text': { value: '"\u0000"', stored: undefined },
};

suite('[HOS1] the scanner', () => {
  for (const [what, { value, stored }] of Object.entries(kept)) {
    test(`[HOS1] [DOC5] [DOC6] ${what}`, () => {
      assert.equal(membersOf(`{"v":${value}}`)?.get('v'), stored);
      assert.equal(membersOf(`{"a":0,"v":${value} ,"z":[]}`)?.get('v'), stored);
    });
  }

  test('[HOS1] [DOC5] bytes that are no UTF-8 have no text, and so no members', () => {
    const broken = ['c0af', 'c3', 'eda080', 'edbfbf', 'f4908080', 'f8808080', 'fe', 'ff', '80', 'e0809f', 'f0808080'];
    for (const hex of broken) assert.equal(textOf(Buffer.from(`7b2276223a22${hex}227d`, 'hex')), undefined, hex);
    assert.equal(textOf(Buffer.from('efbbbf7b7d', 'hex')), '\ufeff{}', 'a byte order mark is text');
    assert.equal(membersOf('\ufeff{}'), undefined, 'and not JSON');
  });

  test('[HOS1] [DOC5] damaged JSON is judged as the parser of the platform judges it, plus depth and numbers', (t) => {
    const value = fc.oneof(fc.constantFrom(...hostileJson.values()), fc.json());
    const name = fc.constantFrom('"data"', '"__proto__"', '"ttl"', '"d\\u0061ta"', '""');
    const member = fc.tuple(name, value).map(([name, value]) => `${name}:${value}`);
    const object = fc.array(member, { maxLength: 3 }).map((members) => `{${members.join(',')}}`);
    const damage = fc.array(fc.record({ at: fc.nat(), cut: fc.nat(3), put: fc.string({ maxLength: 2 }) }), {
      maxLength: 2,
    });
    fc.assert(
      fc.property(object, damage, (whole, damages) => {
        const text = damages.reduce(damaged, whole);
        assert.equal(membersOf(text) !== undefined, isTakeable(text), text.slice(0, 200));
      }),
      { ...seedOf(t), numRuns: 5_000 },
    );
  });

  test('[HOS1] prototype names reach no prototype', () => {
    const members = membersOf('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    assert.deepEqual([...(members ?? [])].length, 2);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

function nested(open: string, close: string, depth: number, inside = ''): string {
  return open.repeat(depth) + inside + close.repeat(depth);
}

function damaged(text: string, { at, cut, put }: { at: number; cut: number; put: string }): string {
  const spot = at % (text.length + 1);
  return text.slice(0, spot) + put + text.slice(spot + cut);
}

/** The same question answered another way: parsed by the platform, then depth and numbers looked up in the text. */
function isTakeable(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  } catch {
    return false;
  }
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  let [depth, deepest] = [0, 0];
  for (const unit of bare) {
    if (unit === '{' || unit === '[') deepest = Math.max(deepest, ++depth);
    else if (unit === '}' || unit === ']') depth--;
  }
  const numbers = bare.match(/-?\d[\d.eE+-]*/g) ?? [];
  // The body itself is one more than its members.
  return deepest <= limits.jsonDepth + 1 && numbers.every((number) => Number.isFinite(Number(number)));
}
