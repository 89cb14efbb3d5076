/** The REST API described in our own words: each operation with its success and what that answers, nothing more. */

import { Ajv } from 'ajv';
import type { SchemaObject, ValidateFunction } from 'ajv';

export interface Operation {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `*` for a part that varies. */
  readonly path: string;
  readonly status: 200 | 201 | 204;
  /** Undefined: without a body. */
  readonly answer: ValidateFunction | undefined;
}

const ajv = new Ajv({ allErrors: true });

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const flag = { type: 'boolean' };
const date = { type: 'string', pattern: String.raw`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$` };
const dateOrNull = { anyOf: [date, { type: 'null' }] };
const revision = { type: 'string', pattern: '^(0|[1-9a-f][0-9a-f]*)$' };

/** `AC` and what follows. */
function sid(prefix: string): SchemaObject {
  return { type: 'string', pattern: `^${prefix}[0-9a-f]{32}$` };
}

/** An absolute address under the public origin, whose path matches. */
function address(path: string): SchemaObject {
  return { type: 'string', pattern: `^http://127\\.0\\.0\\.1:\\d+/v1/${path}$` };
}

/** All of these members, and no others. */
function exactly(properties: Readonly<Record<string, SchemaObject>>): SchemaObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const ofService = 'Services/IS[0-9a-f]{32}';
const ofDocument = `${ofService}/Documents/ET[0-9a-f]{32}`;

const service = exactly({
  sid: sid('IS'),
  unique_name: textOrNull,
  account_sid: sid('AC'),
  friendly_name: textOrNull,
  date_created: date,
  date_updated: date,
  url: address(ofService),
  webhook_url: textOrNull,
  webhooks_from_rest_enabled: flag,
  reachability_webhooks_enabled: flag,
  acl_enabled: flag,
  reachability_debouncing_enabled: flag,
  reachability_debouncing_window: { type: 'integer', minimum: 1000, maximum: 30_000 },
  links: exactly({
    documents: address(`${ofService}/Documents`),
    lists: address(`${ofService}/Lists`),
    maps: address(`${ofService}/Maps`),
    streams: address(`${ofService}/Streams`),
  }),
});

const document = exactly({
  sid: sid('ET'),
  unique_name: textOrNull,
  account_sid: sid('AC'),
  service_sid: sid('IS'),
  url: address(ofDocument),
  links: exactly({ permissions: address(`${ofDocument}/Permissions`) }),
  revision,
  data: { type: 'object' },
  date_expires: dateOrNull,
  date_created: date,
  date_updated: date,
  created_by: text,
});

function page(key: string, row: SchemaObject, path: string): SchemaObject {
  const url = address(`${path}\\?PageSize=\\d+&Page=\\d+(&PageToken=[\\w-]+)?`);
  const urlOrNull = { anyOf: [url, { type: 'null' }] };
  const meta = exactly({
    key: { const: key },
    page: { type: 'integer', minimum: 0 },
    page_size: { type: 'integer', minimum: 1, maximum: 100 },
    first_page_url: url,
    previous_page_url: urlOrNull,
    url,
    next_page_url: urlOrNull,
  });
  return exactly({ [key]: { type: 'array', items: row, maxItems: 100 }, meta });
}

/** What every refusal is. */
export const refusalAnswer: ValidateFunction = ajv.compile(
  exactly({
    code: { type: 'integer', minimum: 20_000, maximum: 99_999 },
    message: { type: 'string', minLength: 1 },
    more_info: { type: 'string', pattern: '^http://127\\.0\\.0\\.1:\\d+/errors/\\d{5}$' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
  }),
);

const services = ajv.compile(page('services', service, 'Services'));
const oneService = ajv.compile(service);
const oneDocument = ajv.compile(document);
const documentsPath = '/v1/Services/*/Documents';

export const operations: readonly Operation[] = [
  { name: 'ListService', method: 'GET', path: '/v1/Services', status: 200, answer: services },
  { name: 'FetchService', method: 'GET', path: '/v1/Services/*', status: 200, answer: oneService },
  { name: 'CreateDocument', method: 'POST', path: documentsPath, status: 201, answer: oneDocument },
  { name: 'FetchDocument', method: 'GET', path: `${documentsPath}/*`, status: 200, answer: oneDocument },
  { name: 'UpdateDocument', method: 'POST', path: `${documentsPath}/*`, status: 200, answer: oneDocument },
  { name: 'DeleteDocument', method: 'DELETE', path: `${documentsPath}/*`, status: 204, answer: undefined },
];

/** The operation that a request means; undefined for what is not described. */
export function operationOf(method: string, path: string): Operation | undefined {
  const parts = path.split('/');
  return operations.find((each) => {
    const own = each.path.split('/');
    const fits = own.length === parts.length && own.every((part, i) => part === '*' || part === parts[i]);
    return fits && each.method === method.toUpperCase();
  });
}
