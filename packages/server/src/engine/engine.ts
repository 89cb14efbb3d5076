/**
 * The verbs of the product, for every door: check what came from outside, decide and persist through the write queue,
 * answer the writer, tell the subscribers. Read this file first.
 */

import { sidPrefixes } from '@tallystick/protocol';
import type { Principal } from '../core/principal.ts';
import type { Bus } from '../bus/bus.ts';
import type { Refusal } from '../core/change.ts';
import type { CreateObject, UpdateDocument } from '../core/command.ts';
import { missing } from '../core/existence.ts';
import type { ObjectRef } from '../core/object.ts';
import type { Clock, Ids, Log, Sealer } from '../platform.ts';
import type { Storage, StoredDocument } from '../storage/storage.ts';
import { Administration } from './administration.ts';
import { Directory } from './directory.ts';
import { Hub } from './hub.ts';
import { dataRefusal, nameRefusal, ttlRefusal } from './input.ts';
import { Items } from './items.ts';
import { Objects } from './objects.ts';
import type { Made, ObjectInput } from './objects.ts';
import { createRecovery } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { createSweeper } from './sweeper.ts';
import type { Sweeper } from './sweeper.ts';
import { Tally } from './tally.ts';
import { WriteQueue } from './write-queue.ts';

export type { Made, Written } from './objects.ts';

export interface EngineOptions {
  readonly writeQueue: number;
  readonly batchCommands: number;
  readonly commitTimeoutMs: number;
  readonly maxSubscriptions: number;
  readonly sweepIntervalMs: number;
}

export interface EngineParts {
  readonly storage: Storage;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly sealer: Sealer;
  readonly options: EngineOptions;
}

/** What a door hands in; each member still as it came from outside. */
export interface DocumentInput extends ObjectInput {
  /** JSON text as sent; undefined when absent. */
  readonly data?: string | undefined;
}

export class Engine {
  readonly directory: Directory;
  readonly administration: Administration;
  readonly objects: Objects;
  readonly items: Items;
  readonly hub: Hub;
  readonly tally: Tally = new Tally();
  readonly recovery: Recovery;
  readonly epoch: string;
  readonly #storage: Storage;
  readonly #writes: WriteQueue;
  readonly #sweeper: Sweeper;
  readonly #ids: Ids;

  constructor({ storage, bus, clock, ids, log, sealer, options }: EngineParts) {
    this.#storage = storage;
    this.#ids = ids;
    this.epoch = storage.epoch;
    this.directory = new Directory(sealer);
    this.hub = new Hub(bus);
    const { writeQueue: bound, batchCommands: batch, commitTimeoutMs } = options;
    const queue = { bound, batch, commitTimeoutMs };
    this.#writes = new WriteQueue(storage, clock, log, queue, {
      committed: (event) => {
        this.tally.eventsIn++;
        bus.publish(event);
      },
      inDoubt: () => {
        // Who comes back reads the store, whatever became of that commit. [SUB7]
        this.hub.dropAll();
        void this.administration.resync();
      },
      cameLate: () => void this.administration.resync(),
      measured: (result, milliseconds, commands) => {
        this.tally.commits.add(result);
        this.tally.commitSeconds.observe(milliseconds / 1000);
        this.tally.commitCommands.observe(commands);
      },
    });
    this.objects = new Objects(storage, this.#writes, ids);
    this.items = new Items(storage, this.#writes);
    const { directory, hub } = this;
    this.administration = new Administration({ directory, storage, writes: this.#writes, hub, ids, sealer, log });
    this.#sweeper = createSweeper(storage, this.#writes, clock, log, options.sweepIntervalMs);
    this.recovery = createRecovery(storage, this.hub, {
      maxSubscriptions: options.maxSubscriptions,
      onFailure(error, session) {
        log.error({ err: error }, 'reading for a subscription failed');
        session.drop();
      },
    });
  }

  /** Whether a write sent now would be taken. [OPS1] */
  get takesWrites(): boolean {
    return this.#writes.takesWrites;
  }

  /** How things stand at this moment. [MET1] */
  present(): ReturnType<Hub['present']> & { readonly writesWaiting: number; readonly takesWrites: boolean } {
    return { ...this.hub.present(), writesWaiting: this.#writes.waiting, takesWrites: this.takesWrites };
  }

  async start(): Promise<void> {
    await this.administration.refresh();
    this.#sweeper.start();
  }

  /** Resolves when nothing is under way any more that anybody waits for. */
  async stop(): Promise<void> {
    await this.#sweeper.stop();
    await this.#writes.stop();
  }

  /** `answer` runs before any subscriber is told. [EVT3] */
  createDocument(principal: Principal, input: DocumentInput, answer: (made: Made) => void): void {
    const problem = nameRefusal(input.uniqueName) ?? dataRefusal('document', input.data) ?? ttlRefusal(input.ttl);
    if (problem !== undefined) {
      answer(problem);
      return;
    }
    this.#submit(
      {
        type: 'createObject',
        service: principal.service,
        kind: 'document',
        sid: sidPrefixes.document + this.#ids.secret(16),
        uniqueName: (input.uniqueName ?? null) as string | null,
        data: input.data ?? '{}',
        ttl: (input.ttl ?? 0) as number,
        by: principal.identity,
      },
      answer,
    );
  }

  updateDocument(
    principal: Principal,
    ref: ObjectRef,
    input: DocumentInput & { readonly ifMatch?: string | undefined },
    answer: (made: Made) => void,
  ): void {
    const problem =
      input.data === undefined && input.ttl === undefined
        ? { refused: 54101 as const, detail: 'give data, ttl or both' }
        : (dataRefusal('document', input.data) ?? ttlRefusal(input.ttl));
    if (problem !== undefined) {
      answer(problem);
      return;
    }
    const { data, ifMatch } = input;
    const ttl = input.ttl as number | undefined;
    this.#submit({ type: 'updateDocument', ref, data, ttl, ifMatch, by: principal.identity }, answer);
  }

  async getDocument(ref: ObjectRef): Promise<StoredDocument | Refusal> {
    const [found] = await this.#storage.read([{ query: 'document', ref }]);
    return found ?? missing(ref);
  }

  #submit(command: CreateObject | UpdateDocument, answer: (made: Made) => void): void {
    this.#writes.submit(command, (settled) =>
      // What is accepted here always tells the object.
      answer(settled === 'unknown' || 'refused' in settled ? settled : (settled.object ?? 'unknown')),
    );
  }
}
