/**
 * Stops two drifts: a rule of SPEC.md that no test proves, and a test that quotes a rule that is not there.
 * A rule is a line of SPEC.md that starts with its id in bold, `**DOC4** …`; a test quotes it at the start of its title,
 * `[DOC4] …`, several as `[DOC4] [REV2] …` or `[DOC4, REV2] …`. Skipped and todo tests prove nothing and do not count.
 * It reads text and runs nothing: whether the quoting test proves its rule is for review.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceText {
  /** Path as shown in problems. */
  readonly path: string;
  readonly text: string;
}

export interface SpecReport {
  readonly rules: number;
  /** Tests that quote at least one rule. */
  readonly tests: number;
  /** One line each, `path:line: what`; empty means all is well. */
  readonly problems: readonly string[];
}

const ruleLine = /^\*\*([A-Z]{2,6}[0-9]+)\*\*(?: |$)/;
const ruleId = /^[A-Z]{2,6}[0-9]+$/;
/** A call of `test` or `it` (also `t.test`, `test.only`) whose title starts with a bracket; not one in a comment. */
const quotingTest = /^(?!\s*(?:\/\/|\*)).*?\b(?:test|it)(?:\.only)?\(\s*['"`]((?:\[[^\]\n]*\][ ]*)+)/gm;

/** Compares the rules of `spec` with the titles of `tests`. */
export function checkSpec(spec: SourceText, tests: readonly SourceText[]): SpecReport {
  const problems: string[] = [];
  const rules = rulesOf(spec, problems);
  const quoted = new Set<string>();
  let count = 0;
  for (const file of tests) {
    for (const { at, ids } of quotesOf(file)) {
      count += 1;
      for (const id of ids) {
        quoted.add(id);
        if (!ruleId.test(id)) problems.push(`${at}: "[${id}]" is not a rule id; write ids literally, as in "[DOC4] "`);
        else if (!rules.has(id)) problems.push(`${at}: quotes ${id}, which ${spec.path} does not have`);
      }
    }
  }
  for (const [id, at] of rules) {
    if (!quoted.has(id)) problems.push(`${at}: no test quotes ${id}`);
  }
  return { rules: rules.size, tests: count, problems };
}

function rulesOf(spec: SourceText, problems: string[]): Map<string, string> {
  const rules = new Map<string, string>();
  for (const [index, line] of spec.text.split('\n').entries()) {
    const id = ruleLine.exec(line)?.[1];
    if (id === undefined) continue;
    const at = `${spec.path}:${index + 1}`;
    const first = rules.get(id);
    if (first === undefined) rules.set(id, at);
    else problems.push(`${at}: ${id} is already the rule at ${first}`);
  }
  if (rules.size === 0) problems.push(`${spec.path}:1: has no rules`);
  return rules;
}

function quotesOf(file: SourceText): { at: string; ids: string[] }[] {
  return [...file.text.matchAll(quotingTest)].map((match) => {
    const line = file.text.slice(0, match.index + match[0].length).split('\n').length;
    const ids = [...match[1]!.matchAll(/\[([^\]]*)\]/g)].flatMap((group) => group[1]!.split(','));
    return { at: `${file.path}:${line}`, ids: ids.map((id) => id.trim()) };
  });
}

function main(): void {
  const root = join(import.meta.dirname, '..');
  const read = (path: string): SourceText => ({ path, text: readFileSync(join(root, path), 'utf8') });
  const paths = globSync(
    ['{packages,examples,conformance,bench,tools,deploy}/**/*.{test,e2e}.ts', 'packages/*/test/**/*.ts'],
    {
      cwd: root,
      exclude: ['**/node_modules', '**/dist'],
    },
  );
  const report = checkSpec(read('SPEC.md'), [...new Set(paths)].sort().map(read));
  for (const problem of report.problems) console.error(problem);
  console.log(`${report.rules} rules, ${report.tests} tests quote them, ${report.problems.length} problems`);
  if (report.problems.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
