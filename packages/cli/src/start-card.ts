/** The start card of `tallystick dev`: what runs where, and what to do next. Text only; printing is the caller's. */

import { styleText } from 'node:util';

export interface StartCard {
  readonly serviceUrl: string;
  readonly socketUrl: string;
  /** Undefined when no app was given; otherwise its address and whether it has answered there. */
  readonly app: { readonly url: string; readonly answers: boolean } | undefined;
  /** Undefined when nothing is kept. */
  readonly dataDir: string | undefined;
  /** A path, with a remark when there is one. */
  readonly credentials: string;
}

/** At most 80 columns wide unless an address or path is longer. Escape sequences only when `styled`. [CFG9] */
export function startCard(card: StartCard, styled: boolean): string {
  const bold = (text: string) => (styled ? styleText('bold', text, { validateStream: false }) : text);
  const rows = [
    ['Service', card.serviceUrl],
    ['Socket', card.socketUrl],
    ...(card.app === undefined ? [] : [['App', card.app.url]]),
    ['Data', card.dataDir ?? 'in memory; gone at the end'],
    ['Credentials', card.credentials],
  ];
  return [
    '',
    `  ${bold('Tallystick is running')}, for development`,
    '',
    ...rows.map(([name = '', value = '']) => `    ${name.padEnd(13)}${value}`),
    '',
    ...nextStep(card).map((line, i) => `  ${i === 0 ? bold(line) : line}`),
    '  Ctrl+C stops everything.',
    '',
  ].join('\n');
}

function nextStep({ app }: StartCard): readonly string[] {
  if (app === undefined) return ['Start your app with it: tallystick dev -- node server.js'];
  if (!app.answers) return [`The app has not answered at ${app.url} yet.`, 'Does it listen on the port in PORT?'];
  return [`Open ${app.url} in two windows and watch them match.`];
}
