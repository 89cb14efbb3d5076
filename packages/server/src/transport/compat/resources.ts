/** Objects and errors as the compatible wire shows them: JSON text, with stored data spliced in unparsed. */

import { errorOf } from '@tallystick/protocol';
import type { Refusal } from '../../core/change.ts';
import { revisionOf } from '../../core/object.ts';
import type { ItemKey, ItemRow, ObjectKind, ObjectRow, Sid } from '../../core/object.ts';

/** What a tunnelled request is answered with. */
export interface Answer {
  readonly status: number;
  /** JSON text, or '' for none. */
  readonly body: string;
  /** The mark of a removal or message whose echo the writing connection is spared. [SUB12] */
  readonly own?: string;
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

const collectionNames: Readonly<Record<ObjectKind, string>> = {
  document: 'Documents',
  list: 'Lists',
  map: 'Maps',
  stream: 'Streams',
};

/** The absolute address of an object, by its sid. */
function objectUrl(publicUrl: string, service: Sid, kind: ObjectKind, object: Sid): string {
  return `${publicUrl}/v3/Services/${service}/${collectionNames[kind]}/${object}`;
}

/** The absolute address of an item, its key percent-encoded. */
export function itemUrl(publicUrl: string, service: Sid, kind: ObjectKind, object: Sid, key: ItemKey): string {
  return `${objectUrl(publicUrl, service, kind, object)}/Items/${encodeURIComponent(key)}`;
}

/** A document's descriptor; with `data`, as a reader gets it. */
export function documentBody(row: ObjectRow, publicUrl: string, data?: string): string {
  return `${descriptor(row, publicUrl, 'permissions')},${position(row)}${dataMember(data)}}`;
}

/** The descriptor of a list or map; with `items`, the JSON texts of its first ones. */
export function collectionBody(row: ObjectRow, publicUrl: string, items?: readonly string[]): string {
  const included = items === undefined ? '' : `,"items":[${items.join(',')}]`;
  return `${descriptor(row, publicUrl, 'items')},${position(row)}${included}}`;
}

/** A stream has no history, and so neither revision nor event id. */
export function streamBody(row: ObjectRow, publicUrl: string): string {
  return `${descriptor(row, publicUrl, 'messages')}}`;
}

/** An item; with `data`, as a reader gets it. */
export function itemBody(object: ObjectRow, item: ItemRow, publicUrl: string, data?: string): string {
  const { kind, sid, account, service } = object;
  const key = kind === 'list' ? `"index":${item.key}` : `"key":${JSON.stringify(item.key)}`;
  return (
    `{${key},"${kind}_sid":"${sid}","account_sid":"${account}","service_sid":"${service}",` +
    `"url":"${itemUrl(publicUrl, service, kind, sid, item.key)}",${dates(item)},${position(item)}${dataMember(data)}}`
  );
}

/** Without the closing brace. */
function descriptor(row: ObjectRow, publicUrl: string, link: 'permissions' | 'items' | 'messages'): string {
  const url = objectUrl(publicUrl, row.service, row.kind, row.sid);
  const more = link === 'permissions' ? '' : `"${link}":"${url}/${link === 'items' ? 'Items' : 'Messages'}",`;
  return (
    `{"sid":"${row.sid}","unique_name":${JSON.stringify(row.uniqueName)},"account_sid":"${row.account}",` +
    `"service_sid":"${row.service}","url":"${url}","links":{${more}"permissions":"${url}/Permissions"},${dates(row)}`
  );
}

function dates(row: ObjectRow | ItemRow): string {
  const expires = row.expiresAt === null ? 'null' : `"${isoOf(row.expiresAt)}"`;
  return (
    `"date_created":"${isoOf(row.createdAt)}","date_updated":"${isoOf(row.updatedAt)}","date_expires":${expires},` +
    `"created_by":${JSON.stringify(row.createdBy)}`
  );
}

function position({ eventId }: ObjectRow | ItemRow): string {
  return `"revision":"${revisionOf(eventId)}","last_event_id":${eventId}`;
}

function dataMember(data: string | undefined): string {
  return data === undefined ? '' : `,"data":${data}`;
}

export function errorAnswer(refusal: Refusal): Answer {
  const { status, message } = errorOf(refusal.refused);
  const text = refusal.detail === undefined ? message : `${message}: ${refusal.detail}`;
  return { status, body: `{"code":${refusal.refused},"message":${JSON.stringify(text)},"status":${status}}` };
}
