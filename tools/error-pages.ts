/**
 * Writes docs/errors.md from the error register, so that no code is met that is not documented, and none is documented
 * that is gone. With `--check` it writes nothing and fails when the page is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ErrorEntry, register } from '@tallystick/protocol';

/** The page for these rows, by code. */
export function errorPage(rows: Readonly<Record<number, ErrorEntry>>): string {
  const lines = Object.entries(rows).map(
    ([code, { status, temporary, message }]) =>
      `| <a id="${code}"></a>${code} | ${status} | ${temporary ? 'yes' : 'no'} | ${message.replaceAll('|', '\\|')} |`,
  );
  return `# Error codes

<!-- Generated from packages/protocol/src/errors.ts by \`npm run generate:errors\`; do not edit. -->

Every refusal carries one of these codes, over HTTP and inside the socket alike. The answer's own message may be more
precise than the sentence here. *Temporary* means that the same request may succeed later without any change.

| code | status | temporary | meaning |
| --- | --- | --- | --- |
${lines.join('\n')}
`;
}

function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const path = 'docs/errors.md';
  const file = join(import.meta.dirname, '..', path);
  const page = errorPage(register);
  if (!values.check) {
    writeFileSync(file, page);
  } else if (readIfThere(file) !== page) {
    console.error(`${path} does not match packages/protocol/src/errors.ts; run \`npm run generate:errors\``);
    process.exitCode = 1;
    return;
  }
  console.log(`${path}: ${Object.keys(register).length} codes`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) main();
