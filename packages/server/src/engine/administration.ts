/**
 * What an operator does to a running service: keys, services, and cutting users off. All of it goes through the one
 * write path; secrets are sealed before storage sees them.
 */

import { nameProblem, sidPrefixes, SyncError } from '@tallystick/protocol';
import type { AdministrationCommand } from '../core/command.ts';
import type { Identity, KeyRow, ServiceRow, Sid } from '../core/object.ts';
import type { Ids, Log, Sealer } from '../platform.ts';
import type { Storage } from '../storage/storage.ts';
import type { Directory } from './directory.ts';
import type { Hub } from './hub.ts';
import type { Settled, WriteQueue } from './write-queue.ts';

export interface AdministrationParts {
  readonly directory: Directory;
  readonly storage: Storage;
  readonly writes: WriteQueue;
  readonly hub: Hub;
  readonly ids: Ids;
  readonly sealer: Sealer;
  readonly log: Log;
}

export class Administration {
  readonly #parts: AdministrationParts;
  /** One at a time: what one checks, no other changes before it is written. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  /** Reads the directory anew. */
  async refresh(): Promise<void> {
    const [stored] = await this.#parts.storage.read([{ query: 'directory' }]);
    this.#parts.directory.replace(stored);
  }

  /**
   * After a commit of which nobody could be told what became: what it changed here counts from now on, and a key that
   * it revoked loses its connections. [ACC3] [WRI6]
   */
  async resync(): Promise<void> {
    const { directory, hub, log } = this.#parts;
    try {
      await this.refresh();
    } catch (error) {
      log.error({ err: error }, 'reading the directory failed; keys and services stay as they were known');
      return;
    }
    for (const { sid } of directory.keys) if (directory.key(sid) === undefined) hub.dropKey(sid);
  }

  /** Secrets in the commands are in clear. Throws SyncError for the first refusal, and Error when the outcome is unknown. */
  put(commands: readonly AdministrationCommand[]): Promise<void> {
    return this.#inTurn(() => this.#commit(commands));
  }

  /** The secret is told here and never again. Throws SyncError for a name that cannot be. [ACC7] */
  createKey(name: string | null): Promise<{ readonly key: KeyRow; readonly secret: string }> {
    return this.#inTurn(async () => {
      const { directory, ids } = this.#parts;
      const { sid: account } = present(directory.account);
      refuseName(name);
      const sid = sidPrefixes.key + ids.secret(16);
      const secret = ids.secret(32);
      await this.#commit([{ type: 'putKey', sid, account, name, secret }]);
      return { key: present(directory.keys.find((row) => row.sid === sid)), secret };
    });
  }

  /** The key is unknown from now on and its connections end. Throws SyncError 20404. [ACC3] */
  revokeKey(sid: Sid): Promise<void> {
    return this.#inTurn(async () => {
      await this.#commit([{ type: 'revokeKey', sid }]);
      this.#parts.hub.dropKey(sid);
    });
  }

  /** Throws SyncError 54301 for a name that is taken, 54302 for one that cannot be. [ACC8] */
  createService(uniqueName: string | null): Promise<ServiceRow> {
    return this.#inTurn(async () => {
      const { directory, ids } = this.#parts;
      const { sid: account } = present(directory.account);
      refuseName(uniqueName);
      if (uniqueName !== null && directory.services.some((row) => row.uniqueName === uniqueName)) {
        throw new SyncError(54301);
      }
      const sid = sidPrefixes.service + ids.secret(16);
      await this.#commit([{ type: 'putService', sid, account, uniqueName }]);
      return present(directory.service(sid));
    });
  }

  /** Drops the standing connections of an identity and tells how many. Undefined: the default service. [ACC9] */
  disconnect(service: Sid | undefined, identity: Identity): number {
    const row = this.#parts.directory.service(service);
    if (row === undefined) throw new SyncError(54050);
    return this.#parts.hub.dropIdentity(row.sid, identity);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #commit(commands: readonly AdministrationCommand[]): Promise<void> {
    const { writes } = this.#parts;
    const settled = await Promise.all(
      commands.map((command) => new Promise<Settled>((resolve) => writes.submit(this.#sealed(command), resolve))),
    );
    await this.refresh();
    for (const outcome of settled) {
      if (outcome === 'unknown') throw new Error('nobody knows whether the change was made');
      if ('refused' in outcome) throw new SyncError(outcome.refused, outcome.detail);
    }
  }

  #sealed(command: AdministrationCommand): AdministrationCommand {
    const { sealer } = this.#parts;
    if (command.type === 'putKey') return { ...command, secret: sealer.seal(command.sid, command.secret) };
    if (command.type === 'putAccount') return { ...command, authToken: sealer.seal(command.sid, command.authToken) };
    return command;
  }
}

function refuseName(name: string | null): void {
  const problem = name === null ? undefined : nameProblem(name);
  if (problem !== undefined) throw new SyncError(54302, problem);
}

/** An account stands before the service listens, and what was committed was read back. */
function present<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('the directory lacks what was just written');
  return found;
}
