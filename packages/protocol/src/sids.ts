/** Sids: two capital letters that name the kind, then 32 lower-case hex digits. */

export const sidPrefixes = {
  account: 'AC',
  key: 'SK',
  service: 'IS',
  document: 'ET',
  list: 'ES',
  map: 'MP',
  stream: 'TO',
  message: 'TZ',
} as const;

export type SidKind = keyof typeof sidPrefixes;

const form = /^[A-Z]{2}[a-f0-9]{32}$/;

/** Whether a text has the form of a sid; with a kind, of that kind's. A sid-like text is never a unique name. */
export function isSid(text: string, kind?: SidKind): boolean {
  return form.test(text) && (kind === undefined || text.startsWith(sidPrefixes[kind]));
}
