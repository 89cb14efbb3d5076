import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TimerClock } from '../../test/timer-clock.ts';
import { PacedReading, Turns } from './turns.ts';

class Socket {
  isPaused = false;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  isTerminated = false;
  terminate(): void {
    this.isTerminated = true;
  }
}

interface Reader {
  readonly reading: PacedReading;
  readonly socket: Socket;
  readonly received: string[];
}

function open(count: number): { readonly clock: TimerClock; readonly readers: readonly Reader[] } {
  const clock = new TimerClock();
  const turns = new Turns(clock);
  const readers = Array.from({ length: count }, () => {
    const socket = new Socket();
    const received: string[] = [];
    const receive = (bytes: Buffer): void => void received.push(bytes.toString('latin1', 0, 1) + bytes.length);
    return { socket, received, reading: new PacedReading(turns, socket, receive) };
  });
  return { clock, readers };
}

function one(): Reader & { readonly clock: TimerClock } {
  const { clock, readers } = open(1);
  return { clock, ...readers[0]! };
}

const heavy = (letter: string): Buffer => Buffer.alloc(40_000, letter);

suite('[BND18] reading', () => {
  test('[BND18] a connection that brings 64 KiB in one turn rests until the next', () => {
    const { clock, reading, socket } = one();
    reading.read(65_535);
    assert.equal(socket.isPaused, false);
    reading.read(1);
    assert.equal(socket.isPaused, true);
    clock.endTurn();
    assert.equal(socket.isPaused, false);
    reading.read(65_535);
    clock.endTurn();
    reading.read(65_535);
    assert.equal(socket.isPaused, false, 'each turn counts anew');
  });

  test('[BND18] of the heavy messages of all connections one is handled in a turn, in the order they came', () => {
    const { clock, readers } = open(3);
    for (const { reading } of readers) reading.message(heavy('h'), true);
    for (let handled = 0; handled <= 3; handled++) {
      assert.deepEqual(
        readers.map(({ received }) => received.length),
        [0, 1, 2].map((i) => (i < handled ? 1 : 0)),
      );
      clock.endTurn();
    }
    assert.equal(clock.hasSoon, false, 'and then nothing is left to do');
  });

  test('[BND18] what comes behind a heavy message waits for it, and the socket with it', () => {
    const { clock, reading, socket, received } = one();
    reading.message(Buffer.from('a'), true);
    reading.message(heavy('b'), true);
    reading.message(Buffer.from('c'), true);
    assert.deepEqual([received, socket.isPaused], [['a1'], true]);
    clock.endTurn();
    assert.deepEqual([received, socket.isPaused], [['a1', 'b40000'], true]);
    clock.endTurn();
    assert.deepEqual([received, socket.isPaused], [['a1', 'b40000', 'c1'], false]);
  });

  test('[BND18] a socket that the door holds stays held, whatever else ends', () => {
    const { clock, reading, socket } = one();
    reading.read(70_000);
    reading.message(heavy('a'), true);
    reading.pause();
    clock.endTurn();
    clock.endTurn();
    assert.equal(socket.isPaused, true);
    reading.resume();
    assert.equal(socket.isPaused, false);
    reading.read(70_000);
    reading.resume();
    assert.equal(socket.isPaused, true, 'nor does the door end the rest');
  });

  test('[BND18] what waits for a connection that ends is thrown away, and its end can be read', () => {
    const { clock, reading, socket, received } = one();
    reading.message(heavy('a'), true);
    reading.pause();
    reading.end();
    assert.equal(socket.isPaused, false);
    reading.message(Buffer.from('b'), true);
    reading.read(60_000);
    clock.endTurn();
    assert.deepEqual([received, socket.isPaused, socket.isTerminated], [[], false, false]);
    clock.endTurn();
    reading.read(65_536);
    assert.equal(socket.isTerminated, true, 'who goes on sending without end is dropped');
  });
});
