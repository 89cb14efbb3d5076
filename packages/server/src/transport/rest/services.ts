/** The service resource, as far as services are stored: to read. Switches and webhooks have their initial values. */

import type { ServiceRow } from '../../core/object.ts';
import { dateOf, serviceOf } from './call.ts';
import type { Answer, Call, Resource } from './call.ts';
import { pageAnswer, pageRequestOf } from './paging.ts';

export const serviceResources: readonly Resource[] = [
  { path: ['Services'], methods: { GET: listServices } },
  { path: ['Services', '*'], methods: { GET: fetchService } },
];

/** In the order of their creation. */
function listServices({ engine, origin, query }: Call): Answer {
  const collection = { key: 'services', url: `${origin}/v1/Services`, epoch: engine.epoch };
  const request = pageRequestOf(query, collection);
  const sorted = engine.directory.services
    .map((row) => ({ at: placeOf(row), body: serviceBody(row, origin) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  return pageAnswer(sorted, request, collection);
}

function fetchService(call: Call): Answer {
  return { status: 200, body: serviceBody(serviceOf(call), call.origin) };
}

/** Sorts as text like the instants of creation; the sid makes it unique. */
function placeOf({ createdAt, sid }: ServiceRow): string {
  return `${String(createdAt).padStart(16, '0')}${sid}`;
}

function serviceBody({ sid, uniqueName, account, createdAt }: ServiceRow, origin: string): string {
  const url = `${origin}/v1/Services/${sid}`;
  return JSON.stringify({
    sid,
    unique_name: uniqueName,
    account_sid: account,
    friendly_name: null,
    date_created: dateOf(createdAt),
    date_updated: dateOf(createdAt),
    url,
    webhook_url: null,
    webhooks_from_rest_enabled: false,
    reachability_webhooks_enabled: false,
    acl_enabled: false,
    reachability_debouncing_enabled: false,
    reachability_debouncing_window: 5000,
    links: {
      documents: `${url}/Documents`,
      lists: `${url}/Lists`,
      maps: `${url}/Maps`,
      streams: `${url}/Streams`,
    },
  });
}
