/** The document resource. */

import { isSid, SyncError } from '@tallystick/protocol';
import { membersOf } from '../../core/json.ts';
import { revisionOf } from '../../core/object.ts';
import type { ObjectRef, ObjectRow } from '../../core/object.ts';
import type { DocumentInput, Written } from '../../engine/engine.ts';
import { dateOf, errorFor, serviceOf, systemOf } from './call.ts';
import type { Answer, Call, Resource } from './call.ts';
import type { Parameters } from './parameters.ts';

export const documentResources: readonly Resource[] = [
  { path: ['Services', '*', 'Documents'], methods: { POST: createDocument } },
  {
    path: ['Services', '*', 'Documents', '*'],
    methods: { GET: fetchDocument, POST: updateDocument, DELETE: removeDocument },
  },
];

async function createDocument(call: Call): Promise<Answer | 'unknown'> {
  const { engine, form } = call;
  const system = systemOf(serviceOf(call));
  const input = inputOf(form);
  const written = await settled((answer) =>
    engine.createDocument(system, { ...input, uniqueName: form.get('UniqueName') }, answer),
  );
  return answerOf(call, 201, written, input.data ?? '{}');
}

async function fetchDocument(call: Call): Promise<Answer> {
  const found = await call.engine.getDocument(refOf(call));
  if ('refused' in found) throw errorFor(found);
  return documentAnswer(200, found.row, found.data, call.origin);
}

/** In this order: missing (404), parameters (400, 413), another revision (412). [RST7] */
async function updateDocument(call: Call): Promise<Answer | 'unknown'> {
  const { engine, form } = call;
  const system = systemOf(serviceOf(call));
  const ref = refOf(call);
  try {
    if (!form.has('Data') && !form.has('Ttl')) throw new SyncError(54010);
    const input = { ...inputOf(form), ifMatch: revisionIn(call.ifMatch) };
    const written = await settled((answer) => engine.updateDocument(system, ref, input, answer));
    return await answerOf(call, 200, written, input.data);
  } catch (error) {
    // Parameters are looked at before the store; who asked in vain is told that there is nothing to change.
    const isOfParameters = error instanceof SyncError && (error.status === 400 || error.status === 413);
    const found = isOfParameters ? await engine.getDocument(ref) : undefined;
    throw found !== undefined && 'refused' in found ? errorFor(found) : error;
  }
}

async function removeDocument(call: Call): Promise<Answer | 'unknown'> {
  const system = systemOf(serviceOf(call));
  const written = await settled((answer) => call.engine.objects.remove(system, refOf(call), answer));
  return answerOf(call, 204, written, undefined);
}

/** A text of sid form is only ever a sid. */
function refOf(call: Call): ObjectRef {
  const [, id = ''] = call.ids;
  return { service: serviceOf(call).sid, kind: 'document', by: isSid(id) ? 'sid' : 'name', value: id };
}

function settled(submit: (answer: (written: Written) => void) => void): Promise<Written> {
  return new Promise(submit);
}

/** Throws SyncError 54008. A ttl that is none is left for the engine to refuse. */
function inputOf(form: Parameters): DocumentInput {
  const [data, ttl] = [form.get('Data'), form.get('Ttl')];
  return { data: data === undefined ? undefined : compact(data), ttl: ttl === undefined ? undefined : secondsOf(ttl) };
}

/** JSON text without insignificant blanks. [DOC6] */
function compact(text: string): string {
  let members;
  try {
    // Alone first: inside another object it could close that one.
    JSON.parse(text);
    members = membersOf(`{"data":${text}}`);
  } catch {
    // Said below, without the parser's words, which quote the text.
  }
  const data = members?.get('data');
  if (data === undefined) throw errorFor({ refused: 54008, detail: 'Data is no JSON text' });
  return data;
}

/** Empty is never, as 0 is. */
function secondsOf(ttl: string): number {
  if (ttl === '') return 0;
  return /^\d{1,9}$/.test(ttl) ? Number(ttl) : NaN;
}

/** Bare, in quotes, or with `W/`. */
function revisionIn(ifMatch: string | undefined): string | undefined {
  return ifMatch === undefined ? undefined : (/^(?:W\/)?"(.*)"$/.exec(ifMatch)?.[1] ?? ifMatch);
}

/** `data` is what was written; undefined: that what stands is to be told. */
async function answerOf(
  call: Call,
  status: 200 | 201 | 204,
  written: Written,
  data: string | undefined,
): Promise<Answer | 'unknown'> {
  if (written === 'unknown') return 'unknown';
  if (written === 'removed') return { status, body: '' };
  if ('refused' in written) throw errorFor(written);
  if (data !== undefined) return documentAnswer(status, written, data, call.origin);
  let found;
  try {
    found = await call.engine.getDocument({ ...refOf(call), by: 'sid', value: written.sid });
  } catch {
    // The write was applied, so that it must not be told as failed. [WRI4]
    return 'unknown';
  }
  // Removed by another since.
  if ('refused' in found) throw errorFor(found);
  return documentAnswer(status, found.row, found.data, call.origin);
}

function documentAnswer(status: 200 | 201 | 204, row: ObjectRow, data: string, origin: string): Answer {
  const url = `${origin}/v1/Services/${row.service}/Documents/${row.sid}`;
  const revision = revisionOf(row.eventId);
  const told = {
    sid: row.sid,
    unique_name: row.uniqueName,
    account_sid: row.account,
    service_sid: row.service,
    url,
    links: { permissions: `${url}/Permissions` },
    revision,
    date_expires: row.expiresAt === null ? null : dateOf(row.expiresAt),
    date_created: dateOf(row.createdAt),
    date_updated: dateOf(row.updatedAt),
    created_by: row.createdBy,
  };
  // Stored data is passed on as it is, never parsed. [DOC6]
  return { status, body: `${JSON.stringify(told).slice(0, -1)},"data":${data}}`, revision };
}
