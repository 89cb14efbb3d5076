/** Objects and errors as the compatible wire shows them: JSON text, with stored data spliced in unparsed. */

import { errorOf } from '@tallystick/protocol';
import type { Refusal } from '../../core/change.ts';
import { revisionOf } from '../../core/object.ts';
import type { ObjectRow } from '../../core/object.ts';

/** What a tunnelled request is answered with. */
export interface Answer {
  readonly status: number;
  /** JSON text, or '' for none. */
  readonly body: string;
}

/** The same few instants are told again and again: of one commit, and of objects that change often. */
const isoTexts = new Map<number, string>();
const mostIsoTexts = 1_000;

export function isoOf(instant: number): string {
  let text = isoTexts.get(instant);
  if (text === undefined) {
    if (isoTexts.size >= mostIsoTexts) isoTexts.clear();
    text = new Date(instant).toISOString();
    isoTexts.set(instant, text);
  }
  return text;
}

/** A document's descriptor; with `data`, as a reader gets it. */
export function documentBody(row: ObjectRow, publicUrl: string, data?: string): string {
  const url = `${publicUrl}/v3/Services/${row.service}/Documents/${row.sid}`;
  const expires = row.expiresAt === null ? 'null' : `"${isoOf(row.expiresAt)}"`;
  return (
    `{"sid":"${row.sid}","unique_name":${JSON.stringify(row.uniqueName)},"account_sid":"${row.account}",` +
    `"service_sid":"${row.service}","url":"${url}","links":{"permissions":"${url}/Permissions"},` +
    `"date_created":"${isoOf(row.createdAt)}","date_updated":"${isoOf(row.updatedAt)}","date_expires":${expires},` +
    `"created_by":${JSON.stringify(row.createdBy)},"revision":"${revisionOf(row.eventId)}",` +
    `"last_event_id":${row.eventId}${data === undefined ? '' : `,"data":${data}`}}`
  );
}

export function errorAnswer(refusal: Refusal): Answer {
  const { status, message } = errorOf(refusal.refused);
  const text = refusal.detail === undefined ? message : `${message}: ${refusal.detail}`;
  return { status, body: `{"code":${refusal.refused},"message":${JSON.stringify(text)},"status":${status}}` };
}
