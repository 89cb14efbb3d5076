/** The page's pure parts and its writer, without a page: rules of the board, and that a change is made exactly once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Board {
  readonly sticks: readonly { readonly id: string; readonly name: string; readonly count: number }[];
  readonly notes: readonly { readonly id: string; readonly text: string }[];
  readonly turn: number;
  readonly log: readonly { readonly id: string; readonly turn: number; readonly amount?: number }[];
}
interface Change {
  readonly id: string;
  readonly by: string;
  readonly at: number;
  readonly verb: string;
  readonly target: string;
  readonly amount?: number;
  readonly text?: string;
}
interface BoardModule {
  readonly boardBytes: number;
  readonly logLength: number;
  readonly starterBoard: () => Board;
  readonly readBoard: (data: unknown) => Board;
  readonly roomTaken: (board: Board) => number;
  readonly applyChange: (board: Board, change: Change) => { readonly board: Board; readonly outcome: string };
  readonly tidy: (value: unknown, most: number) => string;
}
interface Writer {
  add(change: Change): void;
  ahead(board: Board): Board;
  flush(): Promise<void>;
  waiting(): number;
}
interface WriterModule {
  readonly createWriter: (parts: {
    getDocument: () => { mutate: Mutate } | null;
    onChange: () => void;
    onRefused: (change: Change, why: string) => void;
  }) => Writer;
}
type Mutate = (mutator: (data: Board) => Board | null) => Promise<unknown>;

// The page's files are plain JavaScript without declarations.
const load = (file: string): Promise<unknown> => import(new URL(`public/${file}`, import.meta.url).href);
const { applyChange, boardBytes, roomTaken, logLength, readBoard, starterBoard, tidy } = (await load(
  'board.js',
)) as BoardModule;
const { createWriter } = (await load('writer.js')) as WriterModule;

let ids = 0;
const change = (verb: string, target: string, more: { amount?: number; text?: string } = {}): Change => ({
  id: `c${(ids += 1)}`,
  by: 'ann',
  at: 0,
  verb,
  target,
  ...more,
});
const countOf = (board: Board, id: string): number | undefined => board.sticks.find((stick) => stick.id === id)?.count;

test('every verb changes its part, takes a turn and is logged', () => {
  const steps: [Change, (board: Board) => unknown, unknown][] = [
    [change('addStick', 's', { text: ' Hay ' }), (board) => board.sticks.at(-1), { id: 's', name: 'Hay', count: 0 }],
    [change('count', 's', { amount: 3 }), (board) => countOf(board, 's'), 3],
    [change('rename', 's', { text: 'Straw' }), (board) => board.sticks.at(-1)?.name, 'Straw'],
    [change('removeStick', 's'), (board) => board.sticks.length, 3],
    [change('addNote', 'n', { text: 'dry it' }), (board) => board.notes.at(-1)?.text, 'dry it'],
    [change('removeNote', 'n'), (board) => board.notes.length, 1],
  ];
  let board = starterBoard();
  for (const [step, look, expected] of steps) {
    const made = applyChange(board, step);
    assert.equal(made.outcome, 'done');
    assert.equal(made.board.turn, board.turn + 1);
    assert.equal(made.board.log.at(-1)?.id, step.id);
    assert.deepEqual(look(made.board), expected);
    board = made.board;
  }
});

test('a change of what is gone, and one that changes nothing, leave the board as it is', () => {
  const board = starterBoard();
  assert.deepEqual(applyChange(board, change('count', 'nothing', { amount: 1 })), { board, outcome: 'gone' });
  assert.deepEqual(applyChange(board, change('removeNote', 'nothing')), { board, outcome: 'gone' });
  assert.deepEqual(applyChange(board, change('rename', 'apples', { text: 'Apples' })), { board, outcome: 'done' });
});

test('counts stay from 0 to the highest that a stick shows', () => {
  const board = starterBoard();
  assert.equal(countOf(applyChange(board, change('count', 'apples', { amount: -500 })).board, 'apples'), 0);
  assert.equal(countOf(applyChange(board, change('count', 'apples', { amount: 5_000 })).board, 'apples'), 999);
});

test('a full board refuses what makes it grow, fits the document, and can still be counted on and cleared', () => {
  let board = starterBoard();
  let outcome = 'done';
  for (let i = 0; outcome === 'done'; i++) {
    ({ board, outcome } = applyChange(board, change('addNote', `n${i}`, { text: '😀'.repeat(140) })));
  }
  assert.equal(outcome, 'full');
  assert.ok(roomTaken(board) > boardBytes - 700 && roomTaken(board) <= boardBytes);
  for (let i = 0; i < logLength * 2; i++) {
    const name = `${i}${'😀'.repeat(30)}`;
    ({ board, outcome } = applyChange(board, change('rename', 'apples', { text: name })));
    assert.equal(outcome, 'done');
    assert.ok(Buffer.byteLength(JSON.stringify(board)) <= 16_384);
  }
  assert.equal(applyChange(board, change('count', 'apples', { amount: 1 })).outcome, 'done');
  ({ board } = applyChange(board, change('removeNote', 'n0')));
  assert.equal(applyChange(board, change('addNote', 'n', { text: 'room again' })).outcome, 'done');
});

test('whatever other programs wrote is read as a board', () => {
  for (const data of [
    undefined,
    null,
    {},
    { sticks: 7, notes: [null, 'x', {}], log: [{ id: 'a', verb: 'constructor' }], turn: 'a' },
  ]) {
    assert.deepEqual(readBoard(data), { sticks: [], notes: [], turn: 0, log: [] });
  }
  assert.deepEqual(readBoard({ sticks: [{ id: 'a', count: -3.7, name: 9 }] }).sticks, [
    { id: 'a', name: '9', count: 0 },
  ]);
});

test('text is one line of whole characters', () => {
  assert.equal(tidy(' a\u0000b\n\tc ', 9), 'a b c');
  assert.equal(tidy('😀😀', 1), '😀');
  assert.equal(tidy('a\ud800', 9), 'a\ufffd');
});

/** A document as the SDK presents it. `fate` decides each attempt: kept and answered, or lost before or after. */
function fakeDocument(fate: () => 'answered' | 'lostBefore' | 'lostAfter') {
  const state = { board: starterBoard(), writes: 0 };
  const mutate: Mutate = async (mutator) => {
    const next = mutator(structuredClone(state.board));
    if (next === null) return;
    const end = fate();
    if (end !== 'lostBefore') {
      state.board = next;
      state.writes += 1;
    }
    if (end !== 'answered') throw Object.assign(new Error('disconnected'), { status: 0 });
  };
  return { state, mutate };
}

function writerOn(document: { mutate: Mutate }) {
  const refused: string[] = [];
  const writer = createWriter({
    getDocument: () => document,
    onChange: () => {},
    onRefused: (_change, why) => refused.push(why),
  });
  return { writer, refused };
}

test('a change is made once, whether its write or only the answer was lost', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const lost of ['lostBefore', 'lostAfter'] as const) {
    const fates = [lost, lost, 'answered' as const];
    const { state, mutate } = fakeDocument(() => fates.shift() ?? 'answered');
    const { writer, refused } = writerOn({ mutate });
    writer.add(change('count', 'apples', { amount: 1 }));
    assert.equal(countOf(writer.ahead(state.board), 'apples'), 24);
    for (let i = 0; i < 4; i++) await writer.flush();
    await new Promise(setImmediate);
    assert.equal(countOf(state.board, 'apples'), 24);
    assert.deepEqual([state.writes, writer.waiting(), refused], [1, 0, []]);
  }
});

test('a lost answer that the log no longer reaches back to is told, not repeated', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fates = ['lostAfter' as const];
  const { state, mutate } = fakeDocument(() => fates.shift() ?? 'answered');
  const { writer, refused } = writerOn({ mutate });
  writer.add(change('count', 'apples', { amount: 1 }));
  await new Promise(setImmediate);
  for (let i = 0; i < logLength; i++) {
    state.board = applyChange(state.board, change('count', 'loaves', { amount: 1 })).board;
  }
  await writer.flush();
  assert.deepEqual([countOf(state.board, 'apples'), writer.waiting(), refused], [24, 0, ['unsure']]);
});

test('conflicts, however many, never make a change doubtful', async () => {
  const { state, mutate } = fakeDocument(() => 'answered');
  const contended: Mutate = async (mutator) => {
    for (let i = 0; i < logLength * 2; i++) {
      mutator(structuredClone(state.board));
      state.board = applyChange(state.board, change('count', 'loaves', { amount: 1 })).board;
    }
    await mutate(mutator);
  };
  const { writer, refused } = writerOn({ mutate: contended });
  writer.add(change('count', 'apples', { amount: 1 }));
  await new Promise(setImmediate);
  assert.deepEqual([countOf(state.board, 'apples'), writer.waiting(), refused], [24, 0, []]);
});

test('presses that wait become one change; a refusal by the service ends it and says why', async () => {
  const open: { document: { mutate: Mutate } | null } = { document: null };
  const refused: string[] = [];
  const writer = createWriter({
    getDocument: () => open.document,
    onChange: () => {},
    onRefused: (_change, why) => refused.push(why),
  });
  for (let i = 0; i < 5; i++) writer.add(change('count', 'apples', { amount: 1 }));
  assert.equal(writer.waiting(), 1);
  const { state, mutate } = fakeDocument(() => 'answered');
  open.document = { mutate };
  await writer.flush();
  assert.deepEqual([countOf(state.board, 'apples'), state.writes], [28, 1]);

  open.document = { mutate: () => Promise.reject(Object.assign(new Error('no'), { status: 403, code: 54007 })) };
  writer.add(change('count', 'apples', { amount: 1 }));
  await new Promise(setImmediate);
  assert.deepEqual([refused, writer.waiting()], [['denied'], 0]);
});
