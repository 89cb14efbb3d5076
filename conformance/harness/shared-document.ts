/** One document that two clients have open and subscribed. */

import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { SyncClient, SyncDocument } from 'twilio-sync';
import { connectedClient, dataOf, holds } from './clients.ts';

export interface SharedDocument {
  readonly ann: SyncClient;
  readonly ben: SyncClient;
  /** Ann's. */
  readonly mine: SyncDocument;
  /** Ben's. */
  readonly theirs: SyncDocument;
}

export async function shareDocument(t: TestContext, socketUrl: string, data: object = {}): Promise<SharedDocument> {
  const [ann, ben] = await Promise.all([connectedClient(t, socketUrl, 'ann'), connectedClient(t, socketUrl, 'ben')]);
  const mine = await ann.document({ id: randomUUID(), data });
  const theirs = await ben.document(mine.sid);
  await hearEachOther(mine, theirs);
  return { ann, ben, mine, theirs };
}

/** Resolves when a write of each has reached the other; the data is as it was then. */
export async function hearEachOther(one: SyncDocument, other: SyncDocument): Promise<void> {
  const before = dataOf(one);
  for (const [writer, reader] of [
    [one, other],
    [other, one],
  ] as const) {
    const probe = randomUUID();
    await writer.set({ probe });
    await holds(reader, 'the probe', (data) => data['probe'] === probe);
  }
  await one.set(before);
  await holds(other, 'what it had', (data) => !('probe' in data));
}
