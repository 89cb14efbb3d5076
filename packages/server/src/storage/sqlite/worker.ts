/** The thread that owns the writing connection, so that an fsync never blocks the event loop of the sockets. */

import { parentPort, workerData } from 'node:worker_threads';
import { replyTo } from './commit-reply.ts';
import type { CommitRequest } from './commit-reply.ts';
import { openForWriting } from './database.ts';
import { SqliteWriter } from './writer.ts';

/** What the thread can be asked for. Each commit is answered by a `CommitReply`, in order. */
export type Request = CommitRequest | 'close';

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

port.on('message', (request: Request) => {
  if (request === 'close') {
    clearTimeout(idleTimer);
    database.close();
    port.close();
    return;
  }
  port.postMessage(replyTo(request, writer));
  writer.tidy();
  scheduleIdle(idleAfterMs);
});

scheduleIdle(idleAfterMs);
