/* Draws what a knife would cut: the notches of a count, and the mark by which people know each other. */

import { identityLength, tidy } from './board.js';
import { drawing, element } from './element.js';

/** As on the old tallies, the broader the cut the more it stands for. A score is twenty. */
const cuts = [
  ['hundred', 100],
  ['score', 20],
  ['one', 1],
];

/** A stick split lengthwise: both halves carry the same notches, and lie shifted while the page is not connected. */
export function createStick() {
  const stock = element('div', { className: 'half stock' });
  const foil = element('div', { className: 'half foil' });
  const face = element('div', { className: 'stick', attributes: { 'aria-hidden': 'true' } }, stock, foil);
  let shown = -1;
  return {
    face,
    /** `by` is `local`, `remote` or undefined: whose knife the new notches glow for. */
    show(count, by) {
      if (count === shown) return;
      const added = shown >= 0 && count > shown ? count - shown : 0;
      for (const half of [stock, foil]) half.replaceChildren(...notches(count, added, by));
      shown = count;
    },
  };
}

function notches(count, added, by) {
  const row = [];
  let rest = count;
  for (const [kind, worth] of cuts) {
    const many = Math.floor(rest / worth);
    rest -= many * worth;
    for (let at = 1; at <= many; at++) {
      row.push(
        element('i', { className: `cut ${kind}${kind === 'one' && at % 5 === 0 && at < many ? ' fifth' : ''}` }),
      );
    }
  }
  if (by !== undefined)
    for (const cut of row.slice(-Math.max(1, Math.min(added, 5))).filter(() => added > 0)) cut.dataset.fresh = by;
  return row;
}

/** Strokes on a stave, as x1 y1 x2 y2 in a square of 24. */
const strokes = [
  '12 4 18 9',
  '12 4 6 9',
  '12 9 18 14',
  '12 9 6 14',
  '12 15 18 10',
  '12 15 6 10',
  '12 20 18 15',
  '12 20 6 15',
  '7 12 17 12',
  '8 5 16 5',
  '8 19 16 19',
  '7 15 17 9',
];
const inks = 6;

/** The same mark for the same identity, on every screen. Not proof of anything: a few thousand marks serve everybody. */
export function makersMark(identity) {
  let hash = 0x811c9dc5;
  for (const character of tidy(identity, identityLength))
    hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  const left = [...strokes];
  const chosen = [];
  for (let pick = hash; chosen.length < 4; pick = Math.floor(pick / left.length)) {
    chosen.push(left.splice(pick % left.length, 1)[0]);
  }
  const lines = ['12 3 12 21', ...chosen].map((stroke) => {
    const [x1, y1, x2, y2] = stroke.split(' ');
    return ['line', { x1, y1, x2, y2 }];
  });
  const mark = drawing(24, ...lines);
  mark.setAttribute('class', `mark ink-${(hash >>> 8) % inks}`);
  return mark;
}
