import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkSpec, type SpecReport } from './check-spec.ts';

/** A test call with this title; assembled, so that the check does not read it here as one of ours. */
function call(title: string, name = 'test', quote = "'"): string {
  return `${name}(${quote}${title}${quote}, () => {});\n`;
}

function check(spec: string, ...tests: string[]): SpecReport {
  return checkSpec(
    { path: 'SPEC.md', text: spec },
    tests.map((text, index) => ({ path: `${index}.test.ts`, text })),
  );
}

const two = '# Rules\n\n**DOC1** A document has data.\n\n**REV2** A revision moves.\nText about **DOC1** and more.\n';

suite('check-spec', () => {
  test('is content when every rule is quoted and every quote exists', () => {
    assert.deepEqual(check(two, call('[DOC1] x'), call('[REV2] y') + call('quotes nothing')), {
      rules: 2,
      tests: 2,
      problems: [],
    });
  });

  test('reads several ids of one title, in either form', () => {
    assert.deepEqual(check(two, call('[DOC1] [REV2] x')).problems, []);
    assert.deepEqual(check(two, call('[DOC1, REV2] x')).problems, []);
  });

  test('reads it, t.test, test.only, any quotes and a title on the next line', () => {
    const all = call('[DOC1] x', 'it', '"') + call('[DOC1] x', 't.test', '`') + call('[DOC1] x', 'test.only');
    const wrapped = call('[REV2] x').replace('(', '(\n    ');
    assert.deepEqual(check(two, all, wrapped), { rules: 2, tests: 4, problems: [] });
  });

  test('names a rule that no test quotes', () => {
    assert.deepEqual(check(two, call('[DOC1] x')).problems, ['SPEC.md:5: no test quotes REV2']);
  });

  test('does not count skipped, todo and commented tests, nor a suite', () => {
    const none =
      call('[REV2] x', 'test.skip') +
      call('[REV2] x', 'test.todo') +
      call('[REV2] x', 'suite') +
      `// ${call('[REV2] x')} * ${call('[REV2] x')}`;
    assert.deepEqual(check(two, call('[DOC1] x') + none).problems, ['SPEC.md:5: no test quotes REV2']);
  });

  test('names a test that quotes an unknown rule, with its line', () => {
    assert.deepEqual(check(two, call('[DOC1] [REV2] x') + call('[DOC9] x')).problems, [
      '0.test.ts:2: quotes DOC9, which SPEC.md does not have',
    ]);
  });

  test('refuses brackets that hold no literal id', () => {
    const { problems } = check(two, call('[DOC1] [REV2] x') + call('[doc1] x') + call('[${id}] x', 'test', '`'));
    assert.equal(problems.length, 2);
    assert.match(problems[0]!, /^0\.test\.ts:2: "\[doc1\]" is not a rule id/);
  });

  test('refuses a rule id that is used twice', () => {
    const { problems } = check(`${two}**DOC1** Again.\n`, call('[DOC1, REV2] x'));
    assert.deepEqual(problems, ['SPEC.md:7: DOC1 is already the rule at SPEC.md:3']);
  });

  test('refuses a specification without rules', () => {
    assert.deepEqual(check('nothing').problems, ['SPEC.md:1: has no rules']);
  });
});
