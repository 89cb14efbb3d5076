/*
 * Brings changes to the document, in order, each exactly once. Not a general offline queue: it lives as long as the tab.
 *
 * `mutate` alone loses nothing to other writers, since it writes only over the revision it has read. What it cannot know is
 * whether a write arrived when the link breaks before the answer. Each change has an id that the board's log keeps, so a
 * repeat finds it there and leaves it; and since a repeat is conditional too, it cannot pass the first one unseen.
 */

import { applyChange, logLength, readBoard } from './board.js';

/** Fewer than the log keeps, so that all changes of one write can be found there. */
const changesPerWrite = 8;
/** Changes that may wait in a tab without a connection; more are refused. */
const mostWaiting = 100;
const firstPause = 1_000;
const longestPause = 30_000;

/**
 * `getDocument()` answers the open document or null. `onChange()` is called when the waiting changes change;
 * `onRefused(change, why)` for each that will never be made: `gone`, `full`, `unsure`, `denied`, `refused` or `toomany`.
 */
export function createWriter({ getDocument, onChange, onRefused }) {
  /**
   * `sentAt`: the board's turn when it was last sent; null until then. `doubtfulSince`: the turn at which an attempt was sent
   * whose answer never came; null without one.
   */
  let waiting = [];
  let writing = false;
  let failures = 0;
  let pause;

  function add(change) {
    const last = waiting.at(-1);
    if (
      change.verb === 'count' &&
      last?.sentAt === null &&
      last.change.verb === 'count' &&
      last.change.target === change.target
    ) {
      last.change = { ...last.change, amount: last.change.amount + change.amount };
    } else if (waiting.length >= mostWaiting) {
      return onRefused(change, 'toomany');
    } else {
      waiting.push({ change, sentAt: null, doubtfulSince: null });
    }
    onChange();
    void flush();
  }

  /** The board as it will be when all waiting changes have been made. */
  function ahead(board) {
    return waiting.reduce((view, { change }) => (inLog(view, change) ? view : applyChange(view, change).board), board);
  }

  async function flush() {
    const document = getDocument();
    if (writing || document === null || waiting.length === 0) return;
    clearTimeout(pause);
    writing = true;
    const batch = waiting.slice(0, changesPerWrite);
    let outcomes = new Map();
    try {
      await document.mutate((data) => {
        outcomes = new Map();
        return applyBatch(readBoard(data), batch, outcomes);
      });
      failures = 0;
      settle(batch, (entry) => outcomes.get(entry));
    } catch (error) {
      failures += 1;
      const why = refusal(error);
      if (why !== undefined) settle(batch, () => why);
      else for (const entry of batch) entry.doubtfulSince ??= entry.sentAt;
    }
    writing = false;
    onChange();
    if (failures === 0) void flush();
    else pause = setTimeout(flush, Math.min(longestPause, firstPause * 2 ** (failures - 1)));
  }

  function settle(batch, outcomeOf) {
    waiting = waiting.filter((entry) => !batch.includes(entry));
    for (const entry of batch) if (outcomeOf(entry) !== 'done') onRefused(entry.change, outcomeOf(entry));
  }

  return { add, ahead, flush, waiting: () => waiting.length };
}

/** The board to write, or null, which `mutate` takes as "nothing to do". */
function applyBatch(board, batch, outcomes) {
  let next = board;
  for (const entry of batch) {
    if (inLog(board, entry.change)) {
      outcomes.set(entry, 'done');
    } else if (entry.doubtfulSince !== null && !reachesBack(board, entry.doubtfulSince)) {
      outcomes.set(entry, 'unsure');
    } else {
      const { board: after, outcome } = applyChange(next, entry.change);
      next = after;
      outcomes.set(entry, outcome);
      entry.sentAt = board.turn;
    }
  }
  return next === board ? null : next;
}

function inLog(board, { id }) {
  return board.log.some((entry) => entry.id === id);
}

/** Whether the log still holds every change made after that turn. */
function reachesBack(board, turn) {
  return board.turn - turn <= Math.min(board.log.length, logLength);
}

/** Why the service will not make a change however often it is asked, or undefined when a repeat may help. */
function refusal({ status, code }) {
  if (status === 403 || code === 54007) return 'denied';
  if (status === 413 || code === 54006) return 'full';
  return status === 400 ? 'refused' : undefined;
}
