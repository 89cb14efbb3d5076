/* The sticks and notes on the page, and what people do to them. Keeps elements and focus; changes only what differs. */

import { boardBytes, nameLength, noteLength, roomTaken, tidy } from './board.js';
import { createStick, makersMark } from './carving.js';
import { element } from './element.js';

/** `act(verb, target, { amount?, text? })` is called for everything a person does. `root` holds the elements by id. */
export function createBoardView({ root, act }) {
  const part = (id) => root.querySelector(`#${id}`);
  const sticks = createRows(part('sticks'), (stick) => stickRow(stick, act), part('new-stick'));
  const notes = createRows(part('notes'), (note) => noteRow(note, act), part('new-note'));
  onSubmit(part('add-stick'), part('new-stick'), nameLength, (text) => act('addStick', newId(), { text }));
  onSubmit(part('add-note'), part('new-note'), noteLength, (text) => act('addNote', newId(), { text }));

  return {
    /** `me`: whose notes are "yours"; `by`: `local` or `remote` when a change caused this, else undefined. */
    show(board, { me, by }) {
      part('opening').hidden = true;
      sticks.show(board.sticks, { by });
      notes.show(board.notes, { me });
      part('no-sticks').hidden = board.sticks.length > 0;
      part('no-notes').hidden = board.notes.length > 0;
      const bytes = roomTaken(board);
      part('room-meter').value = Math.min(1, bytes / boardBytes);
      part('room-text').textContent = `${(bytes / 1024).toFixed(1)} of ${boardBytes / 1024} KiB`;
    },
  };
}

export function newId() {
  return crypto.randomUUID().slice(0, 8);
}

/** A list of elements that follows a list of `{ id }`. Focus inside a row that goes moves to a neighbour. */
function createRows(list, createRow, whenEmpty) {
  const rows = new Map();
  return {
    show(entries, context) {
      const wanted = new Set(entries.map(({ id }) => id));
      for (const [id, row] of rows) {
        if (wanted.has(id)) continue;
        const focused = row.element.contains(document.activeElement);
        const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
        row.element.remove();
        rows.delete(id);
        if (focused) (neighbour?.querySelector('button') ?? whenEmpty).focus();
      }
      for (const [at, entry] of entries.entries()) {
        const row = rows.get(entry.id) ?? createRow(entry);
        rows.set(entry.id, row);
        row.show(entry, context);
        if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
      }
    },
  };
}

function stickRow({ id }, act) {
  const stick = createStick();
  const name = element('input', { className: 'name', maxLength: nameLength, autocomplete: 'off', spellcheck: false });
  const count = element('output', { className: 'count' });
  const button = (className, text, press) =>
    element('button', { type: 'button', className, textContent: text, onclick: press });
  const less = button('less', '−', () => act('count', id, { amount: -1 }));
  const more = button('more', '+', () => act('count', id, { amount: 1 }));
  const remove = button('remove', '×', () => act('removeStick', id));
  const row = element('li', { className: 'tally', data: { id } }, name, stick.face, less, count, more, remove);
  let stored = '';
  name.addEventListener('change', () => {
    const text = tidy(name.value, nameLength);
    if (text !== '' && text !== stored) act('rename', id, { text });
    else name.value = stored;
  });
  name.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') name.value = stored;
    if (event.key === 'Enter' || event.key === 'Escape') name.blur();
  });
  return {
    element: row,
    show(entry, { by }) {
      if (row.dataset.count !== undefined && row.dataset.count !== String(entry.count)) flash(row, by);
      stored = entry.name;
      if (document.activeElement !== name) name.value = stored;
      label(name, `Name of ${stored}`);
      label(less, `Smooth one notch off ${stored}`);
      label(more, `Cut a notch in ${stored}`);
      label(remove, `Remove ${stored}`);
      row.dataset.count = String(entry.count);
      count.textContent = String(entry.count);
      less.disabled = entry.count === 0 && document.activeElement !== less;
      stick.show(entry.count, by);
    },
  };
}

function noteRow({ id, by, text }, act) {
  const remove = element('button', {
    type: 'button',
    className: 'remove',
    textContent: '×',
    onclick: () => act('removeNote', id),
  });
  label(remove, `Take down the note "${text}"`);
  const who = element('span', { className: 'by' });
  const row = element('li', { className: 'note', data: { id } }, element('p', { textContent: text }), who, remove);
  return {
    element: row,
    show(_entry, { me }) {
      if (by === '' || who.dataset.me === me) return;
      who.dataset.me = me;
      who.replaceChildren(makersMark(by), by === me ? 'you' : shortName(by));
    },
  };
}

/** Enough of an identity to tell people apart; the whole may be 256 characters. */
export function shortName(identity) {
  const characters = [...identity];
  return characters.length <= 16 ? identity : `${characters.slice(0, 11).join('')}…${characters.slice(-4).join('')}`;
}

function onSubmit(form, field, most, then) {
  field.maxLength = most;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = tidy(field.value, most);
    field.value = '';
    field.focus();
    if (text !== '') then(text);
  });
}

function label(control, text) {
  control.setAttribute('aria-label', text);
  if (control.className === 'remove') control.title = text;
}

/** Restarts the row's short glow, which tells own changes from others'. */
function flash(row, by) {
  delete row.dataset.flash;
  void row.offsetWidth;
  if (by !== undefined) row.dataset.flash = by;
}
