/** The port between nodes: it carries what was committed. Delivery may fail; positions in the store mend that. */

import type { ObjectEvent } from '../core/change.ts';
import type { Sid } from '../core/object.ts';

export interface Bus {
  /** Tells every node that follows the object, this one too. Events of one object arrive in the order published. */
  publish(event: ObjectEvent): void;
  /** Resolves when events of this object reach this node. */
  follow(object: Sid): Promise<void>;
  unfollow(object: Sid): void;
  /** Replaces the one listener of this node. */
  onEvent(listener: (event: ObjectEvent) => void): void;
  close(): Promise<void>;
}
