/**
 * The verbs of the product, for every door: check what came from outside, decide and persist through the write queue,
 * answer the writer, tell the subscribers. Read this file first.
 */

import { limits, nameProblem, sidPrefixes } from '@tallystick/protocol';
import type { Principal } from '../core/principal.ts';
import type { Bus } from '../bus/bus.ts';
import type { Refusal } from '../core/change.ts';
import type { DocumentCommand } from '../core/command.ts';
import { missing } from '../core/document.ts';
import type { ObjectRef, ObjectRow } from '../core/object.ts';
import type { Clock, Ids, Log, Sealer } from '../platform.ts';
import type { Storage, StoredDocument } from '../storage/storage.ts';
import { Administration } from './administration.ts';
import { Directory } from './directory.ts';
import { Hub } from './hub.ts';
import { createRecovery } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { createSweeper } from './sweeper.ts';
import type { Sweeper } from './sweeper.ts';
import { Tally } from './tally.ts';
import { WriteQueue } from './write-queue.ts';

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
export interface DocumentInput {
  readonly uniqueName?: unknown;
  /** JSON text as sent; undefined when absent. */
  readonly data?: string | undefined;
  readonly ttl?: unknown;
}

/** `unknown`: the write may have happened; drop the connection rather than answer. [WRI4] */
export type Written = ObjectRow | 'removed' | Refusal | 'unknown';
export type Answer = (written: Written) => void;

export class Engine {
  readonly directory: Directory;
  readonly administration: Administration;
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
  createDocument(principal: Principal, input: DocumentInput, answer: Answer): void {
    const problem = nameRefusal(input.uniqueName) ?? dataRefusal(input.data) ?? ttlRefusal(input.ttl);
    if (problem !== undefined) {
      answer(problem);
      return;
    }
    this.#submit(
      {
        type: 'createDocument',
        service: principal.service,
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
    answer: Answer,
  ): void {
    const problem =
      input.data === undefined && input.ttl === undefined
        ? { refused: 54101 as const, detail: 'give data, ttl or both' }
        : (dataRefusal(input.data) ?? ttlRefusal(input.ttl));
    if (problem !== undefined) {
      answer(problem);
      return;
    }
    const { data, ifMatch } = input;
    const ttl = input.ttl as number | undefined;
    this.#submit({ type: 'updateDocument', ref, data, ttl, ifMatch, by: principal.identity }, answer);
  }

  removeDocument(principal: Principal, ref: ObjectRef, answer: Answer): void {
    this.#submit({ type: 'removeDocument', ref, by: principal.identity }, answer);
  }

  async getDocument(ref: ObjectRef): Promise<StoredDocument | Refusal> {
    const [found] = await this.#storage.read([{ query: 'document', ref }]);
    return found ?? missing(ref);
  }

  #submit(command: DocumentCommand, answer: Answer): void {
    this.#writes.submit(command, (settled) => {
      if (settled === 'unknown' || 'refused' in settled) answer(settled);
      else answer(settled.object ?? 'removed');
    });
  }
}

function nameRefusal(name: unknown): Refusal | undefined {
  if (name === undefined || name === null) return undefined;
  if (typeof name !== 'string') return { refused: 54302, detail: 'unique_name is not text' };
  const problem = nameProblem(name);
  return problem === undefined ? undefined : { refused: 54302, detail: problem };
}

function ttlRefusal(ttl: unknown): Refusal | undefined {
  if (ttl === undefined) return undefined;
  const isValid = typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= limits.ttlSeconds;
  return isValid ? undefined : { refused: 54011 };
}

/** The text is compact and valid JSON already; left are its kind and size. */
function dataRefusal(data: string | undefined): Refusal | undefined {
  if (data === undefined) return undefined;
  if (data === 'null') return { refused: 54101 };
  if (!data.startsWith('{')) return { refused: 54008, detail: 'data is not a JSON object' };
  // UTF-8 needs at least a byte a unit, so most texts are decided without counting.
  if (data.length * 3 <= limits.dataBytes || Buffer.byteLength(data) <= limits.dataBytes) return undefined;
  return { refused: 54006, detail: `data is larger than ${limits.dataBytes} bytes` };
}
