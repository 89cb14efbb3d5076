/** Text from elsewhere made fit for a terminal, and columns of text. */

/** Control characters, and those that turn the direction of writing: they could make a line say something else. */
const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** On one line, without anything that a terminal obeys, cut after so many characters. */
export function plain(text: string, most: number = 200): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(unfit, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Rows as lines, each column as wide as its widest cell, two blanks between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** "1 connection", "2 connections". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
