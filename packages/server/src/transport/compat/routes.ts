/** Which tunnelled request means which verb. */

import type { Call, Route } from './call.ts';
import { documentRoutes } from './documents.ts';
import { listRoutes } from './lists.ts';
import { mapRoutes } from './maps.ts';
import { errorAnswer } from './resources.ts';
import { streamRoutes } from './streams.ts';

const routes: readonly Route[] = [...documentRoutes, ...listRoutes, ...mapRoutes, ...streamRoutes];

/** Both forms of an address: `/v3/Documents/...`, and `/v3/Services/{sid}/Documents/...`. [CON10] */
export function route(call: Call): void {
  const [version, ...rest] = call.request.segments;
  let path = rest;
  if (version === 'v3' && rest[0] === 'Services') {
    if (rest[1] !== call.principal.service) {
      call.answer(errorAnswer({ refused: 54056 }));
      return;
    }
    path = rest.slice(2);
  }
  const found = version === 'v3' ? routes.find((entry) => matches(entry, call.request.method, path)) : undefined;
  if (found === undefined) call.answer(errorAnswer({ refused: 54001 }));
  else found.run(call, path[1] ?? '', path[3] ?? '');
}

function matches(entry: Route, method: string, path: readonly string[]): boolean {
  if (entry.method !== method || entry.path.length !== path.length) return false;
  return entry.path.every((part, i) => part === '*' || part === path[i]);
}
