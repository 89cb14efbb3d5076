/** The thread that owns the writing connection, so that an fsync never blocks the event loop of the sockets. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Instant } from '../../core/object.ts';
import { NotApplied } from '../storage.ts';
import { openForWriting } from './database.ts';
import { packOutcomes, unpackBatch } from './packed.ts';
import type { Packed } from './packed.ts';
import { SqliteWriter } from './writer.ts';

export interface CommitRequest {
  readonly batch: Packed;
  readonly now: Instant;
}

export type CommitReply =
  | { readonly outcomes: Packed }
  | { readonly failed: 'notApplied' | 'outcomeUnknown'; readonly reason: string };

/** How long without a commit counts as idle; work then comes in small steps, so that a new commit waits little. */
const idleAfterMs = 40;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const database = openForWriting((workerData as { directory: string }).directory);
const writer = new SqliteWriter(database);
let idleTimer: NodeJS.Timeout | undefined;

function scheduleIdle(delay: number): void {
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => {
    if (writer.idle()) scheduleIdle(1);
  }, delay);
}

function commit(request: CommitRequest): CommitReply {
  try {
    const batch = unpackBatch(request.batch);
    return { outcomes: packOutcomes(writer.commit(batch, request.now), batch) };
  } catch (error) {
    // Only what says so itself changed nothing for certain; a fault after the commit must not be told as a failed one.
    const failed = error instanceof NotApplied ? 'notApplied' : 'outcomeUnknown';
    return { failed, reason: error instanceof Error ? error.message : String(error) };
  }
}

port.on('message', (request: CommitRequest | 'close') => {
  if (request === 'close') {
    clearTimeout(idleTimer);
    database.close();
    port.close();
    return;
  }
  port.postMessage(commit(request));
  writer.tidy();
  scheduleIdle(idleAfterMs);
});

scheduleIdle(idleAfterMs);
