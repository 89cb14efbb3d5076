/** What a case of the storage contract works with: an opened storage, a clock, and short ways to use them. */

import assert from 'node:assert/strict';
import type { Command } from '../../src/core/command.ts';
import type { Instant, ObjectRef, Sid } from '../../src/core/object.ts';
import type { Accepted, Changes, Outcome, Storage, StoredDocument } from '../../src/storage/storage.ts';
import { accepted, account, documentSid, otherService, putService, refusal, service } from '../commands.ts';
import { TestClock } from '../test-clock.ts';

/** One place for data. Opening it again after `close` finds what was there, if it is durable. */
export interface Subject {
  open(now: () => Instant): Promise<Storage>;
  dispose?(): void;
}

export type Factory = () => Subject;

export interface ContractCase {
  readonly title: string;
  /** Only for engines that keep data over a restart. */
  readonly durable: boolean;
  run(world: World): Promise<void>;
}

/** A list of cases, and the word that adds one to it. */
export interface CaseList {
  readonly cases: readonly ContractCase[];
  readonly it: (title: string, run: (world: World) => Promise<void>, more?: { readonly durable: boolean }) => void;
}

export function caseList(): CaseList {
  const cases: ContractCase[] = [];
  return { cases, it: (title, run, more = { durable: false }) => void cases.push({ title, run, ...more }) };
}

/** An opened storage with an account and two services in it. */
export class World {
  readonly clock: TestClock = new TestClock();
  readonly #subject: Subject;
  #storage: Storage | undefined;

  private constructor(subject: Subject) {
    this.#subject = subject;
  }

  static async open(subject: Subject): Promise<World> {
    const world = new World(subject);
    world.#storage = await subject.open(world.clock.now);
    await world.commit(
      { type: 'putAccount', sid: account, authToken: 'the token of the account' },
      putService(service, 'default'),
      putService(otherService),
    );
    return world;
  }

  get storage(): Storage {
    assert.ok(this.#storage !== undefined);
    return this.#storage;
  }

  async reopen(): Promise<void> {
    await this.storage.close();
    this.#storage = await this.#subject.open(this.clock.now);
  }

  async end(): Promise<void> {
    await this.storage.close();
    this.#subject.dispose?.();
  }

  commit(...batch: readonly Command[]): Promise<readonly Outcome[]> {
    return this.storage.commit(0, batch);
  }

  /** Commits one command that must be accepted. */
  async accept(command: Command): Promise<Accepted> {
    const outcomes = await this.commit(command);
    assert.equal(outcomes.length, 1);
    return accepted(outcomes[0]);
  }

  /** Commits one command; its refusal's code. */
  async refused(command: Command): Promise<number | undefined> {
    const outcomes = await this.commit(command);
    assert.equal(outcomes.length, 1);
    return refusal(outcomes[0]);
  }

  async document(ref: ObjectRef): Promise<StoredDocument | undefined> {
    const [found] = await this.storage.read([{ query: 'document', ref }]);
    return found;
  }

  async data(ref: ObjectRef): Promise<string | undefined> {
    return (await this.document(ref))?.data;
  }

  async changes(n: number, after: number | null, of: Sid = service): Promise<Changes> {
    const [changes] = await this.storage.read([{ query: 'changes', service: of, object: documentSid(n), after }]);
    return changes;
  }

  async due(limit: number): Promise<readonly Sid[]> {
    const [due] = await this.storage.read([{ query: 'due', limit }]);
    return due;
  }
}

export function idsOf(outcomes: readonly Outcome[]): readonly number[] {
  return outcomes.flatMap((outcome) => accepted(outcome).events.map((event) => event.id));
}
