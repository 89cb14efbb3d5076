/** The users of IDENTITY=login. For development: everybody can read their passwords in the README. Put your own here. */

import { scrypt, timingSafeEqual } from 'node:crypto';

export interface User {
  /** Stable: it becomes the identity, and stands in documents and permissions. Names and addresses change. */
  readonly id: string;
  readonly name: string;
  /** base64url, as is `hash`: 32 bytes of scrypt. */
  readonly salt: string;
  readonly hash: string;
}

export const users: readonly User[] = [
  {
    id: 'user-41',
    name: 'ann',
    salt: '_zN8oT7fAewQVgf3zOe_eQ',
    hash: 'J21pQDRBlbWxWLzJx3rCeY_MwKAV6N3eElncdaTS9vo',
  },
  {
    id: 'user-42',
    name: 'bob',
    salt: 't7sLiTJeWLPVfLH9ZLkSaA',
    hash: 'KIxOajPOcw3ytY7lCgAzKFk6_iS-_x6NZ2QCzhuYVfs',
  },
  {
    id: 'user-43',
    name: 'cleo',
    salt: 'YCjYsEHGbiuOmkIYr-Mgxg',
    hash: 'iv_KijJL6KU9xU0ofMzm2B6HYnT-fVnx0mrn-4nabJ0',
  },
];

/** Nobody's. Compared with when there is no such user, so that the time tells nothing about who exists. */
const nobody: User = { id: '', name: '', salt: 'AAAAAAAAAAAAAAAAAAAAAA', hash: 'A'.repeat(43) };

/** The user of that name with that password, else undefined, after the same work in every case. */
export async function userWith(name: string, password: string): Promise<User | undefined> {
  const user = users.find((known) => known.name === name) ?? nobody;
  const right = timingSafeEqual(await hashOf(password, user.salt), Buffer.from(user.hash, 'base64url'));
  return right && user !== nobody ? user : undefined;
}

/** About a third of a second and 32 MiB, so that stolen hashes are slow to guess from. */
function hashOf(password: string, salt: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const cost = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 };
  scrypt(password, Buffer.from(salt, 'base64url'), 32, cost, (error, hash) => (error ? reject(error) : resolve(hash)));
  return promise;
}
