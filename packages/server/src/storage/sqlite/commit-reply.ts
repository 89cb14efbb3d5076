/** One commit of the storage thread, from the message that asks for it to the one that tells what became of it. */

import type { Command } from '../../core/command.ts';
import type { Instant } from '../../core/object.ts';
import { NotApplied } from '../storage.ts';
import type { Outcome } from '../storage.ts';
import { packOutcomes, unpackBatch } from './packed.ts';
import type { Packed } from './packed.ts';

export interface CommitRequest {
  readonly batch: Packed;
  readonly now: Instant;
}

export type CommitReply =
  | { readonly outcomes: Packed }
  | { readonly failed: 'notApplied' | 'outcomeUnknown'; readonly reason: string };

interface Writer {
  /** Throws NotApplied when certainly nothing was changed. */
  commit(batch: readonly Command[], now: Instant): readonly Outcome[];
}

/** Never throws. */
export function replyTo(request: CommitRequest, writer: Writer): CommitReply {
  try {
    const batch = unpackBatch(request.batch);
    return { outcomes: packOutcomes(writer.commit(batch, request.now), batch) };
  } catch (error) {
    // Only what says so itself changed nothing for certain; a fault after the commit must not be told as a failed one.
    const failed = error instanceof NotApplied ? 'notApplied' : 'outcomeUnknown';
    return { failed, reason: error instanceof Error ? error.message : String(error) };
  }
}
