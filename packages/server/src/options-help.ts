/** The help on options, made from their table: what `--help` prints below the usage of a command. */

import { flagOf, optionNames, optionTable, variableOf } from './options.ts';
import type { Option, OptionName } from './options.ts';

const width = 80;

/** Two or more lines an option, at most 80 columns wide: flag, variable and default, then the prose. [CFG1] */
export function optionsHelp(names: readonly OptionName[] = optionNames): string {
  return names.map(entry).join('\n');
}

function entry(name: OptionName): string {
  const flag = (flagOf(name) ?? '(variable only)').padEnd(21);
  const variable = `${variableOf(name).padEnd(28)} ${defaultOf(optionTable[name])}`.trimEnd();
  const isShort = 2 + flag.length + 1 + variable.length <= width;
  const head = isShort ? [`  ${flag} ${variable}`] : [`  ${flag}`, `      ${variable}`];
  return [...head, ...wrap(optionTable[name].prose, width - 6).map((line) => `      ${line}`)].join('\n');
}

function defaultOf(option: Option): string {
  return 'default' in option && option.default !== undefined ? `default ${option.default}` : '';
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
