/** The rules of message streams: a message needs its stream, and leaves nothing behind. */

import { nothing } from './change.ts';
import type { Change, Refusal } from './change.ts';
import type { PublishMessage } from './command.ts';
import { missing } from './existence.ts';
import { itemEvent } from './event.ts';
import { isAlive } from './object.ts';
import type { Instant } from './object.ts';
import { objectOf } from './view.ts';
import type { View } from './view.ts';

/** Decided in order with removals, so that no message comes after its stream is gone. [STR2] */
export function publishMessage(command: PublishMessage, view: View, now: Instant): Change | Refusal {
  const stream = objectOf(view, command.ref);
  if (stream === undefined || !isAlive(stream, now)) return missing(command.ref);
  const message = { id: 0, key: command.sid, expiresAt: null };
  const event = itemEvent('messagePublished', stream, message, command.by, now, command.data);
  return { ...nothing, events: [event], object: stream };
}
