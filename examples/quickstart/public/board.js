/*
 * The board as plain data, and the changes people make to it. Pure: no page, no network, no clock.
 *
 * One document holds all of it:
 *   { sticks: [{ id, name, count }], notes: [{ id, by, text }], turn, log: [{ id, turn, by, at, verb, what, amount }] }
 * `turn` counts the changes ever made; `log` keeps the last few. The log is what people see as "what happened", and it is
 * also how a writer knows whether a change whose answer was lost had arrived.
 */

/** What a document may hold, in bytes of JSON. */
const documentBytes = 16_384;
/** What sticks and notes may take of it. The rest is for the log, so that a full board can be counted on and cleared. */
export const boardBytes = 12_288;
export const nameLength = 32;
/** An identity may be longer; this much of it is kept, and tells people apart. */
export const identityLength = 40;
export const noteLength = 140;
const highestCount = 999;
/** More than the changes of one write, see `writer.js`. */
export const logLength = 16;

/** What the first visitor finds. */
export function starterBoard() {
  const stick = (id, name, count) => ({ id, name, count });
  return {
    sticks: [stick('apples', 'Apples', 23), stick('loaves', 'Loaves', 7), stick('candles', 'Candles', 112)],
    notes: [{ id: 'hello', by: '', text: 'Open this page in a second tab, then cut a notch.' }],
    turn: 0,
    log: [],
  };
}

/** A board from whatever the document holds: other programs write to it too, and they may write anything. */
export function readBoard(data) {
  const list = (value) => (Array.isArray(value) ? value.filter((entry) => typeof entry?.id === 'string') : []);
  return {
    sticks: list(data?.sticks).map(({ id, name, count }) => ({
      id,
      name: tidy(name, nameLength),
      count: wholeCount(count),
    })),
    notes: list(data?.notes).map(({ id, by, text }) => ({
      id,
      by: tidy(by, identityLength),
      text: tidy(text, noteLength),
    })),
    turn: Number.isSafeInteger(data?.turn) ? data.turn : 0,
    log: list(data?.log).filter(isLogEntry).slice(-logLength),
  };
}

function isLogEntry({ turn, by, at, verb, what, amount = 0 }) {
  const numbers = [turn, at, amount].every((value) => Number.isSafeInteger(value));
  const texts = [by, what].every((value) => typeof value === 'string');
  return numbers && texts && Math.abs(at) < 1e11 && Object.hasOwn(verbs, verb);
}

/** What sticks and notes take, in bytes. */
export function roomTaken({ sticks, notes }) {
  return bytesOf({ sticks, notes });
}

function bytesOf(data) {
  return new TextEncoder().encode(JSON.stringify(data)).length;
}

/**
 * The board after a change `{ id, by, at, verb, target, amount?, text? }`.
 * `outcome`: `done`; `gone` when its stick or note is not there any more; `full` when the board has no room. The board is
 * the given one unless the outcome is `done`.
 */
export function applyChange(board, change) {
  const made = verbs[change.verb](board, change);
  if (made === undefined) return { board, outcome: 'gone' };
  if (made === 'same') return { board, outcome: 'done' };
  const turn = board.turn + 1;
  const { id, by, at, verb } = change;
  const entry = { id, turn, by, at, verb, what: made.what };
  if (made.amount !== undefined) entry.amount = made.amount;
  const next = { ...board, ...made.parts, turn, log: [...board.log, entry].slice(-logLength) };
  // Only long names in scripts of many bytes make the log this long; its oldest entries go then.
  while (bytesOf(next) > documentBytes && next.log.length > 1) next.log.shift();
  const grows = verb === 'addStick' || verb === 'addNote';
  const isFull = bytesOf(next) > documentBytes || (grows && roomTaken(next) > boardBytes);
  return isFull ? { board, outcome: 'full' } : { board: next, outcome: 'done' };
}

/** Each answers the parts that change and what the log says about it, `same` for no change, undefined for a target gone. */
const verbs = {
  addStick: (board, { target, text }) => {
    const name = tidy(text, nameLength);
    return { parts: { sticks: [...board.sticks, { id: target, name, count: 0 }] }, what: name };
  },
  count: (board, { target, amount }) =>
    changeStick(board, target, (stick) => {
      const count = wholeCount(stick.count + amount);
      return { stick: { ...stick, count }, what: stick.name, amount: count - stick.count };
    }),
  rename: (board, { target, text }) =>
    changeStick(board, target, (stick) => {
      const name = tidy(text, nameLength);
      return { stick: { ...stick, name }, what: `${stick.name} → ${name}` };
    }),
  removeStick: (board, { target }) => {
    const stick = board.sticks.find(({ id }) => id === target);
    return stick && { parts: { sticks: board.sticks.filter((other) => other !== stick) }, what: stick.name };
  },
  addNote: (board, { target, by, text }) => {
    const note = { id: target, by, text: tidy(text, noteLength) };
    return { parts: { notes: [...board.notes, note] }, what: beginning(note.text) };
  },
  removeNote: (board, { target }) => {
    const note = board.notes.find(({ id }) => id === target);
    return note && { parts: { notes: board.notes.filter((other) => other !== note) }, what: beginning(note.text) };
  },
};

function changeStick(board, target, change) {
  const at = board.sticks.findIndex(({ id }) => id === target);
  if (at < 0) return undefined;
  const { stick, what, amount } = change(board.sticks[at]);
  if (stick.name === board.sticks[at].name && stick.count === board.sticks[at].count) return 'same';
  return { parts: { sticks: board.sticks.with(at, stick) }, what, amount };
}

function beginning(text) {
  const part = tidy(text, nameLength);
  return part === text ? text : `${part}…`;
}

function wholeCount(value) {
  return Math.min(highestCount, Math.max(0, Math.trunc(Number(value)) || 0));
}

/** One line of text of at most `most` characters, with nothing in it that a store would refuse. */
export function tidy(value, most) {
  const text = String(value ?? '')
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return [...text].slice(0, most).join('');
}
