/** Clients of the official SDK, shut down when their test ends. Each has an options object of its own: the SDK keeps its socket in it. */

import './process-check.ts';
import type { TestContext } from 'node:test';
import { SyncClient } from 'twilio-sync';
import type { SyncDocument } from 'twilio-sync';
import { libraryToken } from './credentials.ts';
import type { TokenOptions } from './credentials.ts';
import { nextEvent, until, within } from './deadline.ts';

export interface ClientOptions extends TokenOptions {
  readonly token?: string;
  /** Reconnects after about this time, then twice it, and so on. @default 100 */
  readonly retryMs?: number;
}

/** Connecting, not yet connected. */
export function createClient(
  t: TestContext,
  socketUrl: string,
  identity: string,
  options: ClientOptions = {},
): SyncClient {
  const { token = libraryToken(identity, options), retryMs = 100 } = options;
  const sdkOptions = {
    twilsock: { uri: socketUrl },
    retryPolicy: { min: retryMs, max: 2000, randomness: 0.2 },
    // From Node 25 on the SDK would take documents from a cache of the process instead of the service.
    Sync: { enableSessionStorage: false },
    logLevel: 'silent' as const,
  };
  const client = new SyncClient(token, sdkOptions);
  t.after(() => within(`client ${identity} shuts down`, client.shutdown()));
  return client;
}

export async function connectedClient(
  t: TestContext,
  socketUrl: string,
  identity: string,
  options: ClientOptions = {},
): Promise<SyncClient> {
  const client = createClient(t, socketUrl, identity, options);
  await becomes(client, 'connected');
  return client;
}

/** Resolves when the client is in that state, at once if it is. */
export async function becomes(client: SyncClient, state: SyncClient['connectionState'], ms?: number): Promise<void> {
  if (client.connectionState === state) return;
  await nextEvent(client, 'connectionStateChanged', (value: string) => value === state, ms);
}

/** Data of a document, with the members that the tests use. */
export type Data = Readonly<Record<string, unknown>>;

export function dataOf(document: SyncDocument): Data {
  return document.data as Data;
}

/** Resolves when the document holds such data. */
export function holds(
  document: SyncDocument,
  what: string,
  isWanted: (data: Data) => boolean,
  ms?: number,
): Promise<void> {
  return until(
    () => `the document holds ${what}; it has ${JSON.stringify(document.data).slice(0, 200)}`,
    () => isWanted(dataOf(document)),
    ms,
  );
}

export interface Updated {
  readonly data: Data;
  readonly isLocal: boolean;
  readonly previousData: Data;
}

/** The status and code of an error of the SDK. */
export async function refusal(promise: Promise<unknown>): Promise<{ status: unknown; code: unknown; message: string }> {
  try {
    await promise;
  } catch (error) {
    const { status, code, message } = error as { status: unknown; code: unknown; message: string };
    return { status, code, message };
  }
  throw new Error('nothing was refused');
}
