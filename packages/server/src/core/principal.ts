/** Who a verified token is. Everything that a connection may do follows from this. */

import type { Identity, Instant, Sid } from './object.ts';

export interface Principal {
  readonly account: Sid;
  readonly key: Sid;
  readonly identity: Identity;
  readonly service: Sid;
  readonly expiresAt: Instant;
}
