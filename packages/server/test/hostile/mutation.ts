/**
 * Valid client frames and the edits that make hostile ones of them. All of it is data, so that a failing case shrinks
 * and prints as what was done to which frame.
 */

import fc from 'fast-check';

/** A frame before it is written. A payload of undefined: none. */
export interface Draft {
  readonly header: Record<string, unknown>;
  readonly payload: unknown;
}

/** `json` is a name in `hostileJson`; `at` counts through what there is and starts over at the end, so that every number means something. */
export type Edit =
  /** Another value in place of the one at this spot. */
  | { readonly edit: 'value'; readonly of: Part; readonly at: number; readonly json: string }
  /** The name at this spot once more, with another value. */
  | { readonly edit: 'repeat'; readonly of: Part; readonly at: number; readonly json: string }
  /** One more member beside that spot. */
  | { readonly edit: 'add'; readonly of: Part; readonly at: number; readonly name: string; readonly json: string }
  | { readonly edit: 'drop'; readonly of: Part; readonly at: number }
  /** What the sizes say, instead of the truth. */
  | { readonly edit: 'lie'; readonly of: Part; readonly text: string }
  | { readonly edit: 'flip'; readonly at: number; readonly bit: number }
  | { readonly edit: 'cut'; readonly at: number; readonly bytes: number }
  | { readonly edit: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly edit: 'truncate'; readonly at: number }
  /** From there on, another frame from the same place on. */
  | { readonly edit: 'splice'; readonly at: number; readonly into: number };

type Part = 'header' | 'payload';

/** One of each kind that clients send. */
export function drafts(token: string): readonly Draft[] {
  const request = (method: string, path: string, payload?: unknown): Draft => ({
    header: {
      id: 'FZ1',
      method: 'message',
      active_grant: 'data_sync',
      payload_type: 'application/json',
      http_request: {
        host: 'sync.example.org',
        path,
        method,
        params: {},
        headers: { 'If-Match': '0', 'Twilio-Request-Id': 'RQ1' },
      },
    },
    payload,
  });
  const entry = { object_sid: `ET${'0'.repeat(32)}`, object_type: 'document', last_event_id: 0 };
  const subscription = { event_protocol_version: 4, action: 'establish', correlation_id: 7, requests: [entry] };
  const registration = { product: 'data_sync', type: 'ers', message_types: ['twilio.sync.event'] };
  return [
    {
      header: {
        id: 'FZ1',
        method: 'init',
        token,
        continuation_token: null,
        metadata: { ver: '1.0.2' },
        registrations: [registration],
        tweaks: null,
        capabilities: ['client_update', 'offline_storage'],
      },
      payload: undefined,
    },
    { header: { id: 'FZ1', method: 'update', token }, payload: undefined },
    request('POST', '/v3/Documents', { unique_name: 'board', data: { a: [1, { b: 'c' }] }, ttl: 60 }),
    request('POST', '/v3/Documents/board', { data: { a: 1 }, ttl: 0 }),
    request('GET', '/v3/Documents/b%2Fc'),
    request('DELETE', `/v3/Services/IS${'1'.repeat(32)}/Documents/board`),
    request('POST', '/v4/Subscriptions', subscription),
    request('POST', '/v4/Subscriptions', { ...subscription, action: 'cancel' }),
    {
      header: { id: 'FZ1', method: 'put_notification_ctx', notification_ctx_id: 'ctx' },
      payload: { product_id: 'data_sync', message_types: ['twilio.sync.event'] },
    },
    { header: { id: 'FZ1', method: 'delete_notification_ctx', notification_ctx_id: 'ctx' }, payload: undefined },
    { header: { id: 'FZ1', method: 'reply', status: { code: 200, status: 'OK' } }, payload: undefined },
    { header: { id: 'FZ1', method: 'telemetry.v1', events: [{ start: -1, end: 0, title: 'x' }] }, payload: undefined },
    { header: { id: 'FZ1', method: 'ping' }, payload: undefined },
  ];
}

/** JSON as it is written by somebody who means harm: single values, structures, and what is broken. */
const values = [
  ...['null', 'true', '""', '0', '-0', '-1', '0.5', '7', '9007199254740993', '4294967296', '1e400', '-1e400', '1e-400'],
  ...['"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"'],
  ...['"\\ufeff"', '"\\r\\n"', '"/"', '"%"', '"%00"', '"%c0%ae"', '"../.."', '"/v3/Documents/\\ud800"'],
];
const structures = [
  ...['[]', '{}', '[null]', '{"a":1,"a":2}', '{"toString":null,"valueOf":null}', '{"then":null}', '{"length":1e9}'],
  ...['{"toString":1,"toJSON":1,"valueOf":1}', '{"0":"a","length":4294967295}', '[{"message_types":{"includes":1}}]'],
  ...['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"x":1}}}', '[{"toString":null}]'],
];
const broken = ['nul', '{"a"', '[1,', "'a'", '01', '1.', '"\\x"', '"\u0000"', 'NaN', '\ufeff{}', ''];
const long: Readonly<Record<string, string>> = {
  '20,000 arrays': '['.repeat(20_000) + ']'.repeat(20_000),
  '20,000 objects': `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '20,000 arrays, open': '['.repeat(20_000),
  '20,000 letters': `"${'x'.repeat(20_000)}"`,
  '20,000 digits': '9'.repeat(20_000),
  '20,000 decimals': `0.${'1'.repeat(20_000)}`,
};

/** By names, which a failure prints in place of the text. */
export const hostileJson: ReadonlyMap<string, string> = new Map([
  ...[...values, ...structures, ...broken].map((text) => [text, text] as const),
  ...Object.entries(long),
]);

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'then', 'length', ''];
const of = fc.constantFrom<Part>('header', 'payload');
const at = fc.nat(400);
/** What is long takes long, and what is broken breaks the frame, so they are rarer. */
const json = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...values) },
  { weight: 10, arbitrary: fc.constantFrom(...structures) },
  { weight: 2, arbitrary: fc.constantFrom(...broken) },
  { weight: 2, arbitrary: fc.constantFrom(...Object.keys(long)) },
);
const sizes = [
  '',
  '0',
  '00',
  '1',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '9999999',
  '99999999999999999999',
  ' 5',
  '5 ',
  '٣',
  '1e400',
];

/** Any edit but those of bytes leaves the frame readable more often than not, so there are more of them. */
export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ edit: fc.constant('value'), of, at, json }) },
    { weight: 2, arbitrary: fc.record({ edit: fc.constant('repeat'), of, at, json }) },
    { weight: 2, arbitrary: fc.record({ edit: fc.constant('add'), of, at, name: fc.constantFrom(...names), json }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('drop'), of, at }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('lie'), of, text: fc.constantFrom(...sizes) }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('flip'), at, bit: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('cut'), at, bytes: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('insert'), at, bytes: fc.uint8Array({ maxLength: 8 }) }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('truncate'), at }) },
    { weight: 1, arbitrary: fc.record({ edit: fc.constant('splice'), at, into: fc.nat(20) }) },
  ) as fc.Arbitrary<Edit>,
  { minLength: 1, maxLength: 4 },
);

/** The bytes of a draft after all edits, in order: first those of the text, then those of the bytes. */
export function mutated(all: readonly Draft[], index: number, done: readonly Edit[]): Buffer {
  const { header, payload } = all[index % all.length]!;
  const body = Buffer.from(payload === undefined ? '' : editedJson(payload, done, 'payload'));
  const size = lieOf(done, 'payload') ?? String(body.length);
  const head = Buffer.from(`${editedJson(header, done, 'header').slice(0, -1)},"payload_size":${size}}`);
  const headSize = lieOf(done, 'header') ?? String(head.length);
  let bytes: Buffer = Buffer.concat([Buffer.from(`TWILSOCK V3.0 ${headSize}\r\n`), head, Buffer.from('\r\n'), body]);
  for (const edit of done) bytes = editedBytes(bytes, edit, all);
  return bytes;
}

function lieOf(done: readonly Edit[], of: Part): string | undefined {
  for (const edit of done) if (edit.edit === 'lie' && edit.of === of) return edit.text;
  return undefined;
}

/** JSON text with the edits of one part. Marks stand for what no value of the language can hold until the end. */
function editedJson(value: unknown, done: readonly Edit[], part: Part): string {
  const written: string[] = [];
  const mark = (text: string): string => `@${written.push(text) - 1}@`;
  const root = structuredClone({ value }) as Holder;
  for (const edit of done) {
    if (!('of' in edit) || edit.of !== part || edit.edit === 'lie') continue;
    const spots = spotsOf(root);
    const spot = spots[edit.at % spots.length];
    if (spot === undefined) continue;
    const { holder, key } = spot;
    if (edit.edit === 'value') holder[key] = mark(textOf(edit));
    else if (edit.edit === 'drop') delete holder[key];
    else if (!Array.isArray(holder)) {
      holder[mark(JSON.stringify(edit.edit === 'add' ? edit.name : key))] = mark(textOf(edit));
    }
  }
  return JSON.stringify(root['value'] ?? {}).replaceAll(/"@(\d+)@"/g, (_, index) => written[Number(index)] ?? '');
}

function textOf({ json }: { readonly json: string }): string {
  return hostileJson.get(json) ?? '';
}

type Holder = Record<string, unknown>;

/** Every place of a value inside, outermost first. The root itself stands under `value`. */
function spotsOf(holder: Holder): readonly { holder: Holder; key: string }[] {
  return Object.keys(holder).flatMap((key) => {
    const inner = holder[key];
    const deeper = typeof inner === 'object' && inner !== null ? spotsOf(inner as Holder) : [];
    return [{ holder, key }, ...deeper];
  });
}

function editedBytes(bytes: Buffer, edit: Edit, all: readonly Draft[]): Buffer {
  if (!('at' in edit) || bytes.length === 0) return bytes;
  const spot = edit.at % bytes.length;
  switch (edit.edit) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      copy[spot]! ^= 1 << edit.bit;
      return copy;
    }
    case 'cut':
      return Buffer.concat([bytes.subarray(0, spot), bytes.subarray(spot + edit.bytes)]);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, spot), edit.bytes, bytes.subarray(spot)]);
    case 'truncate':
      return bytes.subarray(0, spot);
    case 'splice':
      return Buffer.concat([bytes.subarray(0, spot), mutated(all, edit.into, []).subarray(spot)]);
    default:
      return bytes;
  }
}
