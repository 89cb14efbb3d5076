/* One document, `board`, shared by everybody who has the page open: opens it, shows it, and sends what people do. */

import { identityLength, readBoard, starterBoard, tidy } from './board.js';
import { createBoardView, newId, shortName } from './board-view.js';
import { createWriter } from './writer.js';

const longestPause = 30_000;
const togetherSeconds = 10;

const deeds = {
  addStick: 'add a stick',
  count: 'cut',
  rename: 'rename',
  removeStick: 'remove a stick',
  addNote: 'pin a note',
  removeNote: 'take down a note',
};

const refusals = {
  gone: 'Somebody else removed it meanwhile.',
  full: 'The board is full: sticks and notes fill their 12 KiB of the document. Remove some, then do it again.',
  denied: 'You may look at this board but not change it. Ask its owner for the right to write.',
  refused: 'The service does not accept it.',
  unsure:
    'The connection broke before the answer came, and too much has happened since to tell. Look before you repeat it.',
  toomany: 'Too many changes are waiting for the connection already.',
};

export function followBoard(syncClient, status) {
  const mine = new Set();
  const me = () => tidy(document.body.dataset.identity, identityLength);
  let board = null;
  let shownTurn = -1;
  let updates = 0;
  let last;
  let wake = () => {};

  const writer = createWriter({ getDocument: () => board, onChange: () => show('local'), onRefused: tellRefused });
  const view = createBoardView({ root: document, act });

  function act(verb, target, { amount, text } = {}) {
    const change = { id: newId(), by: me(), at: Math.round(Date.now() / 1000), verb, target, amount, text };
    mine.add(change.id);
    writer.add(change);
  }

  /** `by`: `local` or `remote` when a change is the reason, undefined when the board was just opened. */
  function show(by) {
    status.showWaiting(writer.waiting());
    if (board === null) return;
    const stored = readBoard(board.data);
    view.show(writer.ahead(stored), { me: me(), by });
    for (const entry of stored.log) if (entry.turn > shownTurn) tellChange(entry);
    shownTurn = stored.turn;
  }

  /** Notches cut in one stick by one person without anything between them are told as one event. */
  function tellChange(entry) {
    const isMine = mine.has(entry.id);
    const again =
      last !== undefined &&
      last.row.previousElementSibling === null &&
      isMine === last.isMine &&
      continues(last.entry, entry);
    const whole = again ? { ...entry, amount: last.entry.amount + entry.amount } : entry;
    last = { entry: whole, isMine, row: status.tell(eventOf(whole, isMine, me()), again ? last.row : undefined) };
  }

  /** What was typed is repeated, since its field has been emptied. */
  function tellRefused({ verb, text }, why) {
    const typed = text === undefined ? '' : ` “${text}”`;
    status.trouble('write', { title: `Not done: ${deeds[verb]}${typed}`, text: refusals[why] });
  }

  async function open() {
    board = await openPatiently();
    shownTurn = -1;
    status.clear('board');
    document.body.dataset.board = board.sid;
    board.on('updated', ({ isLocal }) => {
      updates += 1;
      document.body.dataset.updates = String(updates);
      show(isLocal ? 'local' : 'remote');
    });
    board.on('removed', () => {
      board = null;
      status.tell({ origin: 'link', text: 'The board was removed; a new one is made' });
      void open();
    });
    show(undefined);
    void writer.flush();
  }

  /** The first to come makes the board. Tried until it succeeds: with growing pauses, and at once when connected again. */
  async function openPatiently() {
    for (let failures = 0; ; failures++) {
      try {
        return await syncClient.document({ id: 'board', mode: 'open_or_create', data: starterBoard() });
      } catch (error) {
        if (error.status > 0) tellUnopened(error);
        const woken = new Promise((resolve) => (wake = resolve));
        const pause = setTimeout(wake, Math.min(longestPause, 1_000 * 2 ** failures));
        await woken;
        clearTimeout(pause);
      }
    }
  }

  function tellUnopened({ status: answer, message }) {
    const title = answer === 403 ? 'You may not see this board' : 'The board does not open';
    status.trouble('board', { title, text: `${message}. It is tried again by itself.` });
  }

  syncClient.on('connectionStateChanged', (state) => {
    if (state !== 'connected') return;
    wake();
    void writer.flush();
  });
  window.addEventListener('beforeunload', (event) => {
    if (writer.waiting() > 0) event.preventDefault();
  });
  void open();
}

function continues(before, { verb, by, what, at, amount }) {
  const same = verb === 'count' && before.verb === verb && before.by === by && before.what === what;
  return same && Math.sign(before.amount) === Math.sign(amount) && at - before.at < togetherSeconds;
}

/** What the page tells about an entry of the board's log. */
function eventOf({ by, at, verb, what, amount = 0 }, isMine, me) {
  const many = Math.abs(amount) === 1 ? 'a notch' : `${Math.abs(amount)} notches`;
  const said = {
    addStick: `added ${what}`,
    count: amount < 0 ? `smoothed ${many} off ${what}` : `cut ${many} in ${what}`,
    rename: `renamed ${what}`,
    removeStick: `removed ${what}`,
    addNote: `pinned “${what}”`,
    removeNote: `took down “${what}”`,
  };
  const name = isMine ? 'You' : by === me ? 'You, in another tab,' : shortName(by);
  return {
    origin: isMine ? 'local' : 'remote',
    who: { identity: by, name },
    text: said[verb] ?? 'changed the board',
    at: at * 1000,
  };
}
