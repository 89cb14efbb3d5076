/** The account, services and keys of this installation, kept in memory: every connect asks for them. */

import type { AccountRow, KeyRow, ServiceRow, Sid } from '../core/object.ts';
import type { Directory as StoredDirectory } from '../storage/storage.ts';

export class Directory {
  #account: AccountRow | undefined;
  #services: ReadonlyMap<Sid, ServiceRow> = new Map();
  #keys: ReadonlyMap<Sid, KeyRow> = new Map();
  #defaultService: Sid | undefined;

  replace(stored: StoredDirectory): void {
    this.#account = stored.account;
    this.#services = new Map(stored.services.map((row) => [row.sid, row]));
    this.#keys = new Map(stored.keys.map((row) => [row.sid, row]));
    this.#defaultService = stored.services.find((row) => row.uniqueName === 'default')?.sid;
  }

  get account(): AccountRow | undefined {
    return this.#account;
  }

  /** Undefined: the account's default service. [ACC2] */
  service(sid: Sid | undefined): ServiceRow | undefined {
    const wanted = sid ?? this.#defaultService;
    return wanted === undefined ? undefined : this.#services.get(wanted);
  }

  key(sid: Sid): KeyRow | undefined {
    return this.#keys.get(sid);
  }
}
