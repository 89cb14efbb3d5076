import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentWrites } from './recent-writes.ts';

interface Made {
  /** Repeats a write under a key. */
  readonly once: (key: string) => void;
  /** Settles the oldest write under way. */
  readonly settle: (answer: string) => void;
  readonly started: () => number;
  readonly answers: readonly string[];
  readonly advance: (ms: number) => void;
}

test('[WRI3] a repeat gets the answer of the first and starts nothing', () => {
  const { once, settle, started, answers } = make();
  once('a');
  settle('done 1');
  once('a');
  once('a');
  assert.equal(started(), 1);
  assert.deepEqual(answers, ['done 1', 'done 1', 'done 1']);
});

test('[WRI3] a repeat while the first is under way waits for its answer', () => {
  const { once, settle, started, answers } = make();
  once('a');
  once('a');
  assert.deepEqual(answers, []);
  settle('done 1');
  assert.equal(started(), 1);
  assert.deepEqual(answers, ['done 1', 'done 1']);
});

test('[WRI3] a refused write is tried anew, and those who waited for it hear of the refusal', () => {
  const { once, settle, started, answers } = make();
  once('a');
  once('a');
  settle('refused');
  assert.deepEqual(answers, ['refused', 'refused']);
  once('a');
  settle('done 2');
  once('a');
  assert.equal(started(), 2);
  assert.deepEqual(answers.slice(2), ['done 2', 'done 2']);
});

test('[WRI3] another key is another write', () => {
  const { once, settle, started, answers } = make();
  once('a');
  once('b');
  settle('done a');
  settle('done b');
  once('a');
  assert.equal(started(), 2);
  assert.deepEqual(answers, ['done a', 'done b', 'done a']);
});

test('[WRI3] an answer is kept for two minutes, however many others follow', () => {
  const { once, settle, started, advance } = make();
  once('a');
  settle('done');
  for (let i = 0; i < 1000; i++) {
    once(`other ${i}`);
    settle('done');
  }
  advance(119_999);
  once('one more');
  settle('done');
  once('a');
  assert.equal(started(), 1002);
  for (const other of ['and another', 'and one more']) {
    advance(120_000);
    once(other);
    settle('done');
  }
  once('a');
  assert.equal(started(), 1005, 'it was forgotten');
});

test('[WRI3] what is kept is bounded in number: at least the last 10,000, at most twice as many', () => {
  const { once, settle, started } = make();
  for (let i = 0; i < 20_000; i++) {
    once(`${i}`);
    settle('done');
  }
  for (let i = 10_000; i < 20_000; i++) once(`${i}`);
  assert.equal(started(), 20_000, 'the newest are known');
  once('new');
  once('0');
  assert.equal(started(), 20_002, 'the oldest is not');
});

function make(): Made {
  let now = 0;
  let started = 0;
  const answers: string[] = [];
  const underWay: ((answer: string) => void)[] = [];
  const recent = new RecentWrites<string>(() => now);
  return {
    once(key) {
      const start = (settle: (answer: string) => void): void => {
        started++;
        underWay.push(settle);
      };
      recent.once(
        key,
        start,
        (answer) => answer !== 'refused',
        (answer) => answers.push(answer),
      );
    },
    settle: (answer) => underWay.shift()?.(answer),
    started: () => started,
    answers,
    advance(ms) {
      now += ms;
    },
  };
}
