/** The account, services and keys of this installation, kept in memory and opened: every connect asks for them. */

import type { AccountRow, KeyRow, ServiceRow, Sid } from '../core/object.ts';
import type { Sealer } from '../platform.ts';
import type { Directory as StoredDirectory } from '../storage/storage.ts';

/** What judges a token: a key in force and its secret in clear. */
export interface SigningKey {
  readonly secret: string;
  readonly account: Sid;
}

export class Directory {
  readonly #sealer: Sealer;
  #stored: StoredDirectory = { account: undefined, services: [], keys: [] };
  #services: ReadonlyMap<Sid, ServiceRow> = new Map();
  #signingKeys: ReadonlyMap<Sid, SigningKey> = new Map();
  #authToken: string | undefined;
  #defaultService: Sid | undefined;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  replace(stored: StoredDirectory): void {
    this.#stored = stored;
    this.#services = new Map(stored.services.map((row) => [row.sid, row]));
    this.#defaultService = stored.services.find((row) => row.uniqueName === 'default')?.sid;
    this.#authToken = stored.account && this.#sealer.open(stored.account.sid, stored.account.authToken);
    const signing = new Map<Sid, SigningKey>();
    for (const { sid, account, secret: sealed, revokedAt } of stored.keys) {
      const secret = revokedAt === null ? this.#sealer.open(sid, sealed) : undefined;
      if (secret !== undefined) signing.set(sid, { secret, account });
    }
    this.#signingKeys = signing;
  }

  get account(): AccountRow | undefined {
    return this.#stored.account;
  }

  /** Undefined when there is no account yet, or its token does not open. */
  get authToken(): string | undefined {
    return this.#authToken;
  }

  get services(): readonly ServiceRow[] {
    return this.#stored.services;
  }

  /** Revoked ones too. Their secrets are sealed or gone. */
  get keys(): readonly KeyRow[] {
    return this.#stored.keys;
  }

  get defaultService(): Sid | undefined {
    return this.#defaultService;
  }

  /** Undefined: the account's default service. [ACC2] */
  service(sid: Sid | undefined): ServiceRow | undefined {
    const wanted = sid ?? this.#defaultService;
    return wanted === undefined ? undefined : this.#services.get(wanted);
  }

  /** Undefined when there is none in force. [ACC3] */
  key(sid: Sid): SigningKey | undefined {
    return this.#signingKeys.get(sid);
  }

  isRevoked(sid: Sid): boolean {
    return this.#stored.keys.some((row) => row.sid === sid && row.revokedAt !== null);
  }

  /** Whether something stored was sealed under another secrets key. [ACC6] */
  get isLocked(): boolean {
    const { account, keys } = this.#stored;
    const tokenIsLocked = account !== undefined && account.authToken !== '' && this.#authToken === undefined;
    return tokenIsLocked || keys.some((row) => row.revokedAt === null && !this.#signingKeys.has(row.sid));
  }
}
