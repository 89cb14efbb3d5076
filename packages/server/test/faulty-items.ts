/** Storages that each break one promise about lists, maps or streams, as `faulty-storage.ts` does for the others. */

import type { ObjectEvent } from '../src/core/change.ts';
import type { Command, DueCommand } from '../src/core/command.ts';
import type { Changes, ItemPage, Outcome, Query, Storage } from '../src/storage/storage.ts';
import { eachBy, first, isAccepted, withAnswers, withCommands, withEvents, withReads } from './faulty-storage.ts';
import type { Answer, Fault, Now, Read } from './faulty-storage.ts';

export const itemFaults: readonly Fault[] = [
  { name: 'conditions on items are ignored', open: (now) => withCommands(now, withoutCondition) },
  { name: 'a key need not be free', open: (now) => withCommands(now, withoutFreeKey) },
  { name: 'adding replaces', open: (now) => withCommands(now, addAsPut) },
  { name: 'the ttl of a list or map is ignored in writes of items', open: (now) => withCommands(now, withoutOuterTtl) },
  { name: 'a put on condition of a missing key is 404', open: (now) => withOutcomes(now, missingAs404) },
  { name: 'an expired item goes without a word', open: (now) => withOutcomes(now, withoutSweptItem) },
  { name: "a change of an item's ttl counts as an update", open: withCountedItemTtl },
  { name: 'a removed item comes back with its old revision', open: (now) => withOutcomes(now, withFirstRevision) },
  { name: 'a removal of an item loses its data', open: (now) => withEvents(now, withoutLastData) },
  { name: 'events do not say which item', open: (now) => withEvents(now, (event) => ({ ...event, item: undefined })) },
  { name: 'messages count as events', open: (now) => withEvents(now, withCountedMessages) },
  { name: 'a removed list answers until it is purged', open: withLateRemoval },
  { name: 'keys sort by bytes of UTF-8', open: (now) => withAnswers(now, inUtf8Order) },
  { name: 'a page says nothing of what is before it', open: (now) => withPages(now, { hasBefore: false }) },
  { name: 'a page always ends the list', open: (now) => withPages(now, { hasAfter: false }) },
  { name: 'where a page starts is always included', open: (now) => withReads(now, (inner) => asked(inner, included)) },
  { name: 'pages have no bound of bytes', open: (now) => withReads(now, (inner) => asked(inner, withoutBytes)) },
  { name: 'changes leave out removed items', open: (now) => withAnswers(now, withoutRemovals) },
  { name: 'changes tell additions as updates', open: (now) => withAnswers(now, withoutAdditions) },
  { name: 'changes come all at once', open: (now) => withReads(now, (inner) => asked(inner, withoutMost)) },
  { name: 'an interrupted answer claims to be whole', open: (now) => withAnswers(now, withFullPosition) },
  { name: 'nobody is told that removals are missing', open: (now) => withAnswers(now, neverTrimmed) },
  { name: 'markers are kept for ever', open: (now) => withDue(now, (command) => command.type !== 'trim') },
  { name: 'what removed lists leave is never due', open: (now) => withDue(now, (command) => command.type !== 'purge') },
  { name: 'expired items are never due', open: (now) => withDue(now, (command) => command.type !== 'expireItem') },
  { name: 'a purge deletes nothing', open: (now) => withCommands(now, withoutPurge) },
];

// Ways to wrap

function withOutcomes(now: Now, change: (command: Command, outcome: Outcome) => Outcome): Storage {
  return eachBy(now, async (inner, command) => change(command, await first(inner, command)));
}

function asked(inner: Storage, change: (query: Query) => Query): Read {
  return (queries) => inner.read(queries.map(change));
}

function withPages(now: Now, wrong: Partial<ItemPage>): Storage {
  return withAnswers(now, (query, answer) =>
    query.query === 'items' && answer !== undefined ? { ...(answer as ItemPage), ...wrong } : answer,
  );
}

function withDue(now: Now, isTold: (command: DueCommand) => boolean): Storage {
  return withAnswers(now, (query, answer) =>
    query.query === 'due' ? (answer as readonly DueCommand[]).filter(isTold) : answer,
  );
}

/** Answers about changes, if there are any. */
function changesIn(query: Query, answer: Answer): (Changes & { readonly gone: false }) | undefined {
  if (query.query !== 'changes') return undefined;
  const changes = answer as Changes;
  return changes.gone ? undefined : changes;
}

// Faults of commands

function withoutCondition(command: Command): Command {
  switch (command.type) {
    case 'putItem':
      return command.ifMatch === null ? command : { ...command, ifMatch: undefined };
    case 'updateItem':
    case 'removeItem':
      return { ...command, ifMatch: undefined };
    default:
      return command;
  }
}

function withoutFreeKey(command: Command): Command {
  return command.type === 'putItem' && command.ifMatch === null ? { ...command, ifMatch: undefined } : command;
}

function addAsPut(command: Command): Command {
  return command.type === 'addItem' ? { ...command, type: 'putItem', ifMatch: undefined } : command;
}

function withoutOuterTtl(command: Command): Command {
  return 'collectionTtl' in command ? { ...command, collectionTtl: undefined } : command;
}

function withoutPurge(command: Command): Command {
  return command.type === 'purge' ? { ...command, limit: 0 } : command;
}

function missingAs404(command: Command, outcome: Outcome): Outcome {
  if (command.type !== 'putItem' || isAccepted(outcome) || outcome.refused !== 54205) return outcome;
  return { refused: 54201 };
}

function withoutSweptItem(_: Command, outcome: Outcome): Outcome {
  if (!isAccepted(outcome) || outcome.events[0]?.type !== 'itemRemoved') return outcome;
  return outcome.events.length === 1 ? outcome : { ...outcome, events: outcome.events.slice(1) };
}

function withFirstRevision(command: Command, outcome: Outcome): Outcome {
  if (!isAccepted(outcome) || outcome.item === undefined || command.type === 'removeItem') return outcome;
  const { row, data } = outcome.item;
  return { ...outcome, item: { row: { ...row, eventId: 1 + row.eventId - row.addedId }, data } };
}

function withCountedItemTtl(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    if (command.type !== 'updateItem' || command.data !== undefined || command.ttl === undefined) {
      return first(inner, command);
    }
    const [found] = await inner.read([{ query: 'item', ref: command.ref, key: command.key }]);
    return first(inner, { ...command, data: found?.item?.data });
  });
}

/** The removal of a list is told, but made only with its purge. */
function withLateRemoval(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    if (command.type !== 'removeObject' || command.ref.kind !== 'list') return first(inner, command);
    const [object] = await inner.read([{ query: 'object', ref: command.ref }]);
    if (object === undefined) return first(inner, command);
    const { kind, service, sid, uniqueName, eventId, expiresAt } = object;
    const of = { kind, service, object: sid, uniqueName, id: eventId + 1, at: now(), by: command.by, expiresAt };
    return { object: undefined, item: undefined, events: [{ ...of, type: 'removed', data: null, item: undefined }] };
  });
}

// Faults of events

function withoutLastData(event: ObjectEvent): ObjectEvent {
  return event.type === 'itemRemoved' ? { ...event, data: null } : event;
}

function withCountedMessages(event: ObjectEvent): ObjectEvent {
  return event.type === 'messagePublished' ? { ...event, id: 1 } : event;
}

// Faults of reads

function inUtf8Order(query: Query, answer: Answer): Answer {
  if (query.query !== 'items' || answer === undefined || query.ref.kind !== 'map') return answer;
  const page = answer as ItemPage;
  const items = [...page.items].sort((a, b) =>
    Buffer.compare(Buffer.from(`${a.row.key}`), Buffer.from(`${b.row.key}`)),
  );
  return { ...page, items: query.order === 'asc' ? items : items.toReversed() };
}

function included(query: Query): Query {
  return query.query === 'items' && query.from !== undefined
    ? { ...query, from: { ...query.from, inclusive: true } }
    : query;
}

function withoutBytes(query: Query): Query {
  return query.query === 'items' ? { ...query, most: { ...query.most, bytes: Infinity } } : query;
}

function withoutMost(query: Query): Query {
  return query.query === 'changes' ? { ...query, most: { count: Infinity, bytes: Infinity } } : query;
}

function withoutRemovals(query: Query, answer: Answer): Answer {
  const changes = changesIn(query, answer);
  if (changes === undefined) return answer;
  return { ...changes, events: changes.events.filter(({ type }) => type !== 'itemRemoved') };
}

function withoutAdditions(query: Query, answer: Answer): Answer {
  const changes = changesIn(query, answer);
  if (changes === undefined) return answer;
  const events = changes.events.map((event) =>
    event.type === 'itemAdded' ? { ...event, type: 'itemUpdated' as const } : event,
  );
  return { ...changes, events };
}

function withFullPosition(query: Query, answer: Answer): Answer {
  const changes = changesIn(query, answer);
  return changes === undefined ? answer : { ...changes, interrupted: false };
}

function neverTrimmed(query: Query, answer: Answer): Answer {
  const changes = changesIn(query, answer);
  return changes === undefined ? answer : { ...changes, trimmed: false };
}
