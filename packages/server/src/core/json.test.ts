import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { membersOf } from './json.ts';

/** How a writer may lay out a value: any blanks between tokens, any escapes, any way to write a number. */
type Written = readonly { readonly text: string; readonly isBlank: boolean }[];

const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\n', 'a', 'é', '😀'),
    maxLength: 12,
  }),
  fc.constantFrom('__proto__', 'constructor', '', 'data', 'ttl'),
);
const string = fc.tuple(text, fc.boolean()).map(([value, escaped]) => {
  const plain = JSON.stringify(value);
  return escaped ? plain.replaceAll(/[^\\"\x20-\x7e]/gu, (unit) => JSON.stringify(unit).slice(1, -1)) : plain;
});
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('0', '-0', '1.0', '0.1e1', '1E2', '1e+2', '-1.50e-07', '123456789012345678901234567890', '9e307'),
);
const token = fc.oneof(number, string, fc.constantFrom('true', 'false', 'null')).map((one) => [solid(one)]);

const { value, object } = fc.letrec<{ value: Written; object: Written; array: Written }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, token, tie('object'), tie('array')),
  array: enclosed('[', ']', tie('value')),
  object: enclosed(
    '{',
    '}',
    fc
      .tuple(string, blank, blank, tie('value'))
      .map(([name, before, after, of]) => [solid(name), space(before), solid(':'), space(after), ...of]),
  ),
}));

test('[DOC6] the members of any JSON object keep their text without the insignificant blanks', () => {
  fc.assert(
    fc.property(blank, object, blank, (before, written, after) => {
      const source = before + written.map((piece) => piece.text).join('') + after;
      const parsed = JSON.parse(source) as object;
      const members = membersOf(source);
      assert.ok(members !== undefined);
      assert.deepEqual([...members.keys()].toSorted(), Object.keys(parsed).toSorted());
      for (const [name, compact] of members) {
        assert.deepEqual(JSON.parse(compact), Object.getOwnPropertyDescriptor(parsed, name)?.value);
      }
    }),
    { numRuns: 400 },
  );
});

test('[DOC6] a value is cut down to exactly its own tokens', () => {
  fc.assert(
    fc.property(value, blank, (written, before) => {
      const source = `{"a":1,"v":${before}${written.map((piece) => piece.text).join('')}${before},"z":2}`;
      const tokens = written.filter((piece) => !piece.isBlank).map((piece) => piece.text);
      assert.equal(membersOf(source)?.get('v'), tokens.join(''));
    }),
    { numRuns: 400 },
  );
});

test('[DOC6] of duplicate members the last counts, however its name is written', () => {
  assert.equal(membersOf('{"data":1,"data":{"a":2}}')?.get('data'), '{"a":2}');
  assert.equal(membersOf(String.raw`{"data":1,"d\u0061ta":3}`)?.get('data'), '3');
  assert.equal(membersOf('{"data":{"a":1,"a":2}}')?.get('data'), '{"a":1,"a":2}');
});

test('[DOC6] a member may have any name', () => {
  const members = membersOf('{"__proto__":{"x":1},"constructor":2,"":3}');
  assert.deepEqual(
    [...(members ?? [])],
    [
      ['__proto__', '{"x":1}'],
      ['constructor', '2'],
      ['', '3'],
    ],
  );
});

test('[DOC6] numbers stay as they are written', () => {
  for (const written of [
    '0.1e1',
    '1.00',
    '-0',
    '1E2',
    '1e-400',
    '0e999',
    '12345678901234567890.12345678901234567890',
  ]) {
    assert.equal(membersOf(`{"v": ${written} }`)?.get('v'), written);
  }
});

test('[DOC6] blanks, quotes and braces inside texts are significant', () => {
  const written = String.raw`{"a b" : "\" } ,\\" , "c":"\\\\\"  ]:" }`;
  assert.equal(membersOf(`{"v": ${written}}`)?.get('v'), String.raw`{"a b":"\" } ,\\","c":"\\\\\"  ]:"}`);
});

test('[DOC5] a number beyond a double is refused, wherever it stands', () => {
  const digits = '9'.repeat(400);
  for (const written of ['1e400', '-1e999', '1E+309', digits, `-${digits}.5`]) {
    assert.equal(membersOf(`{"v":${written}}`), undefined, written);
    assert.equal(membersOf(`{"v":[0, {"a": ${written} }]}`), undefined, written);
  }
  assert.notEqual(membersOf(`{"v":"1e400"}`), undefined);
});

test('[DOC5] a value nests at most 200 deep', () => {
  const nested = (depth: number): string => `{"v":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(membersOf(nested(200))?.get('v')?.length, 400);
  assert.equal(membersOf(nested(201)), undefined);
  assert.equal(membersOf(`{"v":${'{"a":'.repeat(201)}1${'}'.repeat(201)}}`), undefined);
  const wide = `{"v":[${'[],'.repeat(500)}{}]}`;
  assert.notEqual(membersOf(wide), undefined);
});

test('[DOC5] endless nesting is refused without harm', () => {
  assert.equal(membersOf(`{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), undefined);
  assert.equal(membersOf(`{"v":${'{"a":'.repeat(100_000)}`), undefined);
});

test('[DOC5] what is not a JSON object is refused', () => {
  const others = [
    '',
    ' ',
    'null',
    '1',
    '"{}"',
    '[]',
    '[{"a":1}]',
    'data_sync',
    '{',
    '{}x',
    '{} {}',
    '{"a":1,}',
    '{a:1}',
  ];
  const broken = ["{'a':1}", '{"a":01}', '{"a":.5}', '{"a":1.}', '{"a":NaN}', '{"a":\u00a01}', '{"a":"\n"}', '{"a"}'];
  for (const source of [...others, ...broken]) assert.equal(membersOf(source), undefined, source);
  assert.equal(membersOf('  {} ')?.size, 0);
});

function solid(written: string): { text: string; isBlank: boolean } {
  return { text: written, isBlank: false };
}

function space(written: string): { text: string; isBlank: boolean } {
  return { text: written, isBlank: true };
}

function enclosed(open: string, close: string, part: fc.Arbitrary<Written>): fc.Arbitrary<Written> {
  const padded = fc.tuple(blank, part, blank).map(([before, of, after]) => [space(before), ...of, space(after)]);
  return fc
    .tuple(blank, fc.array(padded, { maxLength: 4 }))
    .map(([inside, parts]) => [
      solid(open),
      space(inside),
      ...parts.flatMap((of, i) => (i === 0 ? of : [solid(','), ...of])),
      solid(close),
    ]);
}
