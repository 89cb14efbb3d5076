/** What a case of the storage contract works with: an opened storage, a clock, and short ways to use them. */

import assert from 'node:assert/strict';
import type { Command, DueCommand } from '../../src/core/command.ts';
import type { Instant, ItemKey, ObjectRef, ObjectRow, Sid, StoredItem } from '../../src/core/object.ts';
import type {
  Accepted,
  Changes,
  ItemPage,
  Most,
  Outcome,
  PageQuery,
  Storage,
  StoredDocument,
} from '../../src/storage/storage.ts';
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

  async page(ref: ObjectRef, more: Partial<PageQuery> = {}): Promise<ItemPage> {
    const most = { count: 100, bytes: 1_000_000 };
    const query: PageQuery = { query: 'items', ref, order: 'asc', from: undefined, most, ...more };
    const [found] = await this.storage.read([query]);
    assert.ok(found !== undefined, 'there is no such list or map');
    return found;
  }

  /** Key and data of all items in order. */
  async items(ref: ObjectRef): Promise<readonly (readonly [ItemKey, string])[]> {
    return (await this.page(ref)).items.map(({ row, data }) => [row.key, data]);
  }

  async item(ref: ObjectRef, key: ItemKey): Promise<StoredItem | undefined> {
    const [found] = await this.storage.read([{ query: 'item', ref, key }]);
    return found?.item;
  }

  async object(ref: ObjectRef): Promise<ObjectRow | undefined> {
    const [found] = await this.storage.read([{ query: 'object', ref }]);
    return found;
  }

  /** What a reader of a list or map at `after` has missed; it must be there. */
  async missed(object: Sid, after: number | null, most?: Most): Promise<Changes & { readonly gone: false }> {
    const bound = most === undefined ? {} : { most };
    const [changes] = await this.storage.read([{ query: 'changes', service, object, after, ...bound }]);
    assert.ok(!changes.gone, 'it is gone');
    return changes;
  }

  /** Carries out what is due until nothing is, and returns how many commands that took. */
  async sweep(): Promise<number> {
    for (let commands = 0; ;) {
      const due = await this.due(10);
      if (due.length === 0) return commands;
      for (const outcome of await this.commit(...due)) accepted(outcome);
      commands += due.length;
      assert.ok(commands < 1000, 'what is due has no end');
    }
  }

  async changes(n: number, after: number | null, of: Sid = service): Promise<Changes> {
    const [changes] = await this.storage.read([{ query: 'changes', service: of, object: documentSid(n), after }]);
    return changes;
  }

  async due(limit: number): Promise<readonly DueCommand[]> {
    const [due] = await this.storage.read([{ query: 'due', limit }]);
    return due;
  }
}

export function idsOf(outcomes: readonly Outcome[]): readonly number[] {
  return outcomes.flatMap((outcome) => accepted(outcome).events.map((event) => event.id));
}
