/**
 * Storages that each break one promise of the port, to see that the tests notice. Each is the memory engine, wrapped;
 * the name says the fault.
 */

import { setImmediate } from 'node:timers/promises';
import type { Command, UpdateDocument } from '../src/core/command.ts';
import type { ObjectEvent } from '../src/core/change.ts';
import type { Instant, ObjectRef } from '../src/core/object.ts';
import { openMemory } from '../src/storage/memory.ts';
import type { Accepted, AnswersTo, Changes, Outcome, Query, Storage } from '../src/storage/storage.ts';
import { markerLimits, service } from './commands.ts';

export interface Fault {
  readonly name: string;
  /** It shows only when several calls are under way, so that a comparison of one call at a time cannot see it. */
  readonly isConcurrent?: true;
  open(now: () => Instant): Storage;
}

type Commit = (batch: readonly Command[]) => Promise<readonly Outcome[]>;
export type Answer = unknown;
export type Read = (queries: readonly Query[]) => Promise<readonly Answer[]>;
export type Now = () => Instant;

export const faults: readonly Fault[] = [
  {
    name: 'an event id comes twice',
    open: (now) => withEvents(now, (event) => ({ ...event, id: Math.min(event.id, 1) })),
  },
  { name: 'an event id is skipped', open: (now) => withEvents(now, (event) => ({ ...event, id: event.id * 2 })) },
  { name: 'an event loses its data', open: (now) => withEvents(now, (event) => ({ ...event, data: null })) },
  { name: 'a removal is acknowledged but not made', open: withoutRemoval },
  { name: 'a removed document keeps its name', open: withoutFreedNames },
  { name: 'an expired document can still be read', open: (now) => withLateClock(now, 'read') },
  { name: 'an expired document can still be written', open: (now) => withLateClock(now, 'commit') },
  { name: 'creating over an expired name does not tell its removal', open: withoutSweptEvents },
  { name: 'preconditions are ignored', open: (now) => withCommands(now, withoutPrecondition) },
  { name: 'a refused write is applied', open: withRefusedApplied },
  { name: 'an update forgets the expiry', open: (now) => withCommands(now, withoutExpiry) },
  { name: 'a change of ttl counts as an update', open: withCountedTtl },
  { name: 'numbers are rewritten', open: (now) => withCommands(now, withParsedData) },
  { name: 'both creations of one name win', open: withSharedNames },
  { name: 'a batch is decided backwards', open: withBackwardBatches },
  { name: 'a batch ends at its first refusal', open: withEndAtRefusal },
  { name: 'time passes inside a batch', isConcurrent: true, open: withSingleCommits },
  { name: 'commits overtake each other', isConcurrent: true, open: withOvertaking },
  { name: 'the answers of a read come from several moments', isConcurrent: true, open: withTornReads },
  {
    name: 'time passes inside a read',
    isConcurrent: true,
    open: (now) => withReads(now, (inner) => separately(inner)),
  },
  { name: 'changes leave out what was missed', open: (now) => withAnswers(now, withoutMissedEvents) },
  { name: 'changes tell the whole to those who have it', open: (now) => withReads(now, withNeedlessEvents) },
  { name: 'objects are seen from other services', open: (now) => withReads(now, fromOneService) },
  { name: 'what is due comes in another order', open: (now) => withAnswers(now, dueBackwards) },
  { name: 'what is due comes all at once', open: (now) => withReads(now, withoutLimit) },
  { name: 'a revoked key stays', open: (now) => withCommands(now, withoutRevocation) },
  { name: 'a closed storage goes on', isConcurrent: true, open: (now) => ({ ...memory(now), close: async () => {} }) },
];

// Ways to wrap

function memory(now: Now): Storage {
  return openMemory({ epoch: 'faulty', now, markers: markerLimits });
}

function over(inner: Storage, changed: { readonly commit?: Commit; readonly read?: Read }): Storage {
  const read = changed.read ?? ((queries) => inner.read(queries));
  return {
    epoch: inner.epoch,
    lanes: inner.lanes,
    commit: (lane, batch) => (changed.commit === undefined ? inner.commit(lane, batch) : changed.commit(batch)),
    read: async <const Q extends readonly Query[]>(queries: Q) => (await read(queries)) as unknown as AnswersTo<Q>,
    close: () => inner.close(),
  };
}

export function withCommands(now: Now, change: (command: Command) => Command): Storage {
  const inner = memory(now);
  return over(inner, { commit: (batch) => inner.commit(0, batch.map(change)) });
}

export function withEvents(now: Now, change: (event: ObjectEvent) => ObjectEvent): Storage {
  const inner = memory(now);
  return over(inner, {
    commit: async (batch) =>
      (await inner.commit(0, batch)).map((outcome) =>
        isAccepted(outcome) ? { ...outcome, events: outcome.events.map(change) } : outcome,
      ),
  });
}

export function withReads(now: Now, change: (inner: Storage) => Read): Storage {
  const inner = memory(now);
  return over(inner, { read: change(inner) });
}

export function withAnswers(now: Now, change: (query: Query, answer: Answer) => Answer): Storage {
  return withReads(now, (inner) => async (queries) => {
    const answers: readonly Answer[] = await inner.read(queries);
    return answers.map((answer, n) => change(queries[n]!, answer));
  });
}

export function isAccepted(outcome: Outcome | undefined): outcome is Accepted {
  return outcome !== undefined && !('refused' in outcome);
}

export async function first(inner: Storage, command: Command): Promise<Outcome> {
  const [outcome] = await inner.commit(0, [command]);
  return outcome!;
}

/** Each command for itself, by a way that may differ from the promised one; other calls may come in between. */
export function eachBy(now: Now, way: (inner: Storage, command: Command) => Promise<Outcome>): Storage {
  const inner = memory(now);
  return over(inner, {
    async commit(batch) {
      const outcomes: Outcome[] = [];
      for (const command of batch) outcomes.push(await way(inner, command));
      return outcomes;
    },
  });
}

// Faults of commands

function withoutPrecondition(command: Command): Command {
  return command.type === 'updateDocument' ? { ...command, ifMatch: undefined } : command;
}

function withoutExpiry(command: Command): Command {
  if (command.type !== 'updateDocument' || command.data === undefined) return command;
  return { ...command, ttl: command.ttl ?? 0 };
}

function withParsedData(command: Command): Command {
  if ((command.type !== 'updateDocument' && command.type !== 'createObject') || command.data === undefined)
    return command;
  return { ...command, data: JSON.stringify(JSON.parse(command.data)) };
}

function withoutRevocation(command: Command): Command {
  return command.type === 'revokeKey' ? { type: 'expireObject', sid: command.sid } : command;
}

function withoutRemoval(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    if (command.type !== 'removeObject') return first(inner, command);
    const kept = await first(inner, touch(command.ref));
    if (!isAccepted(kept) || kept.object === undefined) return kept;
    const { sid, eventId, uniqueName, expiresAt, kind } = kept.object;
    const event: ObjectEvent = {
      type: 'removed',
      kind,
      service: kept.object.service,
      object: sid,
      uniqueName,
      id: eventId + 1,
      at: kept.object.updatedAt,
      by: command.by,
      expiresAt,
      data: null,
      item: undefined,
    };
    return { object: undefined, item: undefined, events: [event] };
  });
}

function touch(ref: ObjectRef): UpdateDocument {
  return { type: 'updateDocument', ref, data: undefined, ttl: undefined, ifMatch: undefined, by: '' };
}

function withoutFreedNames(now: Now): Storage {
  const taken = new Set<string>();
  return eachBy(now, async (inner, command) => {
    if (command.type !== 'createObject' || command.uniqueName === null) return first(inner, command);
    const name = `${command.service} ${command.uniqueName}`;
    if (taken.has(name)) return { refused: 54301 };
    const outcome = await first(inner, command);
    if (isAccepted(outcome)) taken.add(name);
    return outcome;
  });
}

function withLateClock(now: Now, late: 'read' | 'commit'): Storage {
  let doing: 'read' | 'commit' = 'read';
  const inner = memory(() => (doing === late ? now() - 1 : now()));
  return over(inner, {
    commit(batch) {
      doing = 'commit';
      return inner.commit(0, batch);
    },
    read(queries) {
      doing = 'read';
      return inner.read(queries);
    },
  });
}

function withoutSweptEvents(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    const outcome = await first(inner, command);
    return command.type === 'createObject' && isAccepted(outcome)
      ? { ...outcome, events: outcome.events.slice(-1) }
      : outcome;
  });
}

function withRefusedApplied(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    const outcome = await first(inner, command);
    if (!isAccepted(outcome)) await first(inner, withoutPrecondition(command));
    return outcome;
  });
}

function withCountedTtl(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    if (command.type !== 'updateDocument' || command.data !== undefined) return first(inner, command);
    const [found] = await inner.read([{ query: 'document', ref: command.ref }]);
    return first(inner, { ...command, data: found?.data });
  });
}

function withSharedNames(now: Now): Storage {
  return eachBy(now, async (inner, command) => {
    const outcome = await first(inner, command);
    if (isAccepted(outcome) || command.type !== 'createObject') return outcome;
    return first(inner, { ...command, uniqueName: null });
  });
}

// Faults of batches

function withBackwardBatches(now: Now): Storage {
  const inner = memory(now);
  return over(inner, { commit: async (batch) => (await inner.commit(0, batch.toReversed())).toReversed() });
}

function withEndAtRefusal(now: Now): Storage {
  let refused: Outcome | undefined;
  const inner = memory(now);
  return over(inner, {
    async commit(batch) {
      refused = undefined;
      const outcomes: Outcome[] = [];
      for (const command of batch) {
        const outcome: Outcome = refused ?? (await first(inner, command));
        if (!isAccepted(outcome)) refused = outcome;
        outcomes.push(outcome);
      }
      return outcomes;
    },
  });
}

function withSingleCommits(now: Now): Storage {
  return eachBy(now, first);
}

function withOvertaking(now: Now): Storage {
  let count = 0;
  const inner = memory(now);
  return over(inner, {
    async commit(batch) {
      if (count++ % 2 === 0) await setImmediate();
      return inner.commit(0, batch);
    },
  });
}

// Faults of reads

function separately(inner: Storage, between?: () => Promise<void>): Read {
  return async (queries) => {
    const answers: Answer[] = [];
    for (const query of queries) {
      answers.push(...(await inner.read([query])));
      await between?.();
    }
    return answers;
  };
}

function withTornReads(now: Now): Storage {
  return withReads(now, (inner) => separately(inner, () => setImmediate()));
}

function withoutMissedEvents(query: Query, answer: Answer): Answer {
  return query.query === 'changes' ? { ...(answer as Changes), events: [] } : answer;
}

function withNeedlessEvents(inner: Storage): Read {
  return (queries) =>
    inner.read(queries.map((query) => (query.query === 'changes' ? { ...query, after: query.after ?? -1 } : query)));
}

function fromOneService(inner: Storage): Read {
  return (queries) =>
    inner.read(
      queries.map((query) => {
        if (query.query === 'changes') return { ...query, service };
        return query.query === 'document' ? { ...query, ref: { ...query.ref, service } } : query;
      }),
    );
}

function dueBackwards(query: Query, answer: Answer): Answer {
  return query.query === 'due' ? (answer as readonly unknown[]).toReversed() : answer;
}

function withoutLimit(inner: Storage): Read {
  return (queries) => inner.read(queries.map((query) => (query.query === 'due' ? { ...query, limit: 1000 } : query)));
}
