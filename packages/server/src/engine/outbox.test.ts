import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeLink } from '../../test/door-harness.ts';
import { TimerClock } from '../../test/timer-clock.ts';
import { messageOf } from './message.ts';
import type { Message } from './message.ts';
import { Flusher, Outbox } from './outbox.ts';
import type { Told } from './outbox.ts';
import { Tally } from './tally.ts';

const stuck = 65_537;

test('[BND1] what is pushed in one turn leaves in one write, at the end of the turn', () => {
  const { outbox, link, clock } = make();
  outbox.push(message('a'));
  outbox.push(message('b'), told('ET1'));
  outbox.push(message('c'), told('ET1'));
  assert.deepEqual(sent(link), []);
  clock.endTurn();
  assert.deepEqual(sent(link), ['a', 'b', 'c']);
  assert.equal(link.writes.length, 1);
});

test('[BND1] while the socket is full only the latest event of each object waits, the rest in order', () => {
  const { outbox, link, clock } = make();
  link.buffered = stuck;
  outbox.push(message('reply 1'));
  outbox.push(message('x1'), told('ETx'));
  outbox.push(message('y1'), told('ETy'));
  outbox.push(message('reply 2'));
  outbox.push(message('x2'), told('ETx'));
  outbox.push(message('x3'), told('ETx'));
  clock.endTurn();
  assert.deepEqual(sent(link), []);
  link.buffered = 0;
  outbox.flush();
  assert.deepEqual(sent(link), ['reply 1', 'y1', 'reply 2', 'x3']);
});

test('[BND1] the limit of a full socket is 64 KiB, inclusive', () => {
  const { outbox, link, clock } = make();
  link.buffered = stuck - 1;
  outbox.push(message('a'));
  clock.endTurn();
  assert.deepEqual(sent(link), ['a']);
});

test('[BND1] however long a client does not read, one event of each object waits', () => {
  const { outbox, link } = make();
  link.buffered = stuck;
  const objects = ['ETa', 'ETb', 'ETc'];
  for (let i = 0; i < 3000; i++) outbox.push(message(`${i}`), told(objects[i % 3]!));
  link.buffered = 0;
  outbox.flush();
  assert.deepEqual(sent(link), ['2997', '2998', '2999']);
});

test('[BND1] the bytes that wait never grow with replaced events', () => {
  const event = 'x'.repeat(1000);
  const { outbox, link, overflows } = make(5000);
  link.buffered = stuck;
  for (let i = 0; i < 5000; i++) outbox.push(message(event), told(`ET${i % 4}`));
  assert.equal(overflows(), 0);
});

test('[BND16] what waits and what the socket holds stay within twice the bound and 64 KiB, whatever is pushed and read', () => {
  const bound = 50_000;
  const largest = 20_000;
  const step = fc.record({
    size: fc.nat(largest),
    object: fc.option(fc.nat(9), { nil: undefined }),
    read: fc.option(fc.nat(200_000), { nil: undefined }),
    endsTurn: fc.boolean(),
  });
  let most = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const { outbox, link, clock, overflows } = make(bound);
      link.isReading = false;
      for (const { size, object, read, endsTurn } of steps) {
        outbox.push(message('x'.repeat(size)), object === undefined ? undefined : told(`ET${object}`));
        if (overflows() > 0) return;
        if (endsTurn) clock.endTurn();
        const kept = link.buffered + bound - outbox.room;
        most = Math.max(most, kept);
        assert.ok(kept <= 2 * bound + 65_536 + largest, `${kept} bytes are kept`);
        link.buffered = Math.max(0, link.buffered - (read ?? 0));
        if (link.buffered === 0) outbox.flush();
      }
    }),
  );
  assert.ok(most > bound, 'the bound was never put to the test');
});

test('[BND1] what waits leaves in order, and of each object what waits is its latest, whatever came', () => {
  const step = fc.record({ object: fc.option(fc.nat(4), { nil: undefined }), reads: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const { outbox, link } = make();
      const expected: string[] = [];
      let waiting: { object: string | undefined; text: string }[] = [];
      for (const [i, { object, reads }] of steps.entries()) {
        link.buffered = stuck;
        const key = object === undefined ? undefined : `ET${object}`;
        outbox.push(message(`${i}`), key === undefined ? undefined : told(key));
        waiting = waiting.filter((other) => key === undefined || other.object !== key);
        waiting.push({ object: key, text: `${i}` });
        if (!reads || i % 100 < 90) continue;
        link.buffered = 0;
        outbox.flush();
        expected.push(...waiting.splice(0).map((one) => one.text));
      }
      link.buffered = 0;
      outbox.flush();
      assert.deepEqual(sent(link), [...expected, ...waiting.map((one) => one.text)]);
    }),
  );
});

test('[BND19] [BND20] of items the latest waits, of messages each, of a removed list nothing but its removal', () => {
  const step = fc.record({
    type: fc.constantFrom('itemAdded', 'itemRemoved', 'messagePublished', 'removed'),
    kind: fc.constantFrom('list', 'stream'),
    object: fc.nat(1),
    key: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const { outbox, link } = make();
      link.buffered = stuck;
      let waiting: { event: Told; text: string }[] = [];
      for (const [i, { type, kind, object, key }] of steps.entries()) {
        if (type !== 'removed' && (type === 'messagePublished') !== (kind === 'stream')) continue;
        const item = type === 'removed' ? undefined : { key };
        const event: Told = { type, kind, object: `${kind} ${object}`, item };
        outbox.push(message(`${i}`), event);
        waiting = waiting.filter((other) => !covers(event, other.event));
        waiting.push({ event, text: `${i}` });
      }
      link.buffered = 0;
      outbox.flush();
      assert.deepEqual(
        sent(link),
        waiting.map(({ text }) => text),
      );
    }),
  );
});

function covers(event: Told, other: Told): boolean {
  if (event.object !== other.object || event.type === 'messagePublished') return false;
  if (other.type === 'messagePublished') return false;
  return event.item === undefined || event.item.key === other.item?.key;
}

test('[BND1] more bytes than the bound cut the client, once, and nothing is kept', () => {
  const { outbox, link, overflows } = make(10);
  link.buffered = stuck;
  outbox.push(message('12345'));
  outbox.push(message('67890'));
  assert.equal(overflows(), 0);
  outbox.push(message('!'));
  assert.equal(overflows(), 1);
  outbox.close();
  outbox.push(message('more than ten bytes'));
  assert.equal(overflows(), 1);
  link.buffered = 0;
  outbox.flush();
  assert.deepEqual(sent(link), []);
});

test('[TLC4] what is held back leaves at the release and not before', () => {
  const { outbox, link, clock } = make();
  outbox.push(message('before'));
  outbox.hold();
  clock.endTurn();
  outbox.flush();
  outbox.push(message('x1'), told('ETx'));
  outbox.push(message('x2'), told('ETx'));
  clock.endTurn();
  assert.deepEqual(sent(link), []);
  outbox.release();
  clock.endTurn();
  assert.deepEqual(sent(link), ['before', 'x2']);
});

test('[BND2] a crowd is flushed in slices, so that other work gets its turn', () => {
  const clock = new TimerClock();
  const flusher = new Flusher(clock.soon, new Tally());
  const links = Array.from({ length: 1200 }, () => new FakeLink());
  const shared = message('news');
  for (const link of links) new Outbox(link, Infinity, flusher, assert.fail).push(shared);
  const written = (): number => links.filter((link) => link.writes.length > 0).length;
  clock.endTurn();
  assert.equal(written(), 500);
  clock.endTurn();
  assert.equal(written(), 1000);
  clock.endTurn();
  assert.equal(written(), 1200);
  assert.equal(clock.hasSoon, false);
  assert.ok(links.every((link) => link.writes[0]?.[0] === shared));
});

function make(bound = Infinity): {
  outbox: Outbox;
  link: FakeLink;
  clock: TimerClock;
  overflows: () => number;
} {
  const clock = new TimerClock();
  const link = new FakeLink();
  let overflows = 0;
  const outbox = new Outbox(link, bound, new Flusher(clock.soon, new Tally()), () => overflows++);
  return { outbox, link, clock, overflows: () => overflows };
}

/** An event of a document. */
function told(object: string): Told {
  return { type: 'updated', kind: 'document', object, item: undefined };
}

function message(text: string): Message {
  return messageOf(Buffer.from(text));
}

function sent(link: FakeLink): readonly string[] {
  return link.writes.flat().map(({ bytes }) => bytes.toString());
}
