/** What an `init` asks for and what it is granted. */

import { createHash, createHmac } from 'node:crypto';
import type { Principal } from '../../core/principal.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Header } from './frame.ts';
import type { NextId } from './events.ts';

const offered = ['client_update', 'offline_storage'] as const;
type Capability = (typeof offered)[number];

export function capabilitiesOf(header: Header): readonly Capability[] {
  const { capabilities } = header;
  return Array.isArray(capabilities) ? offered.filter((capability) => capabilities.includes(capability)) : [];
}

/** The fields of a granted init. */
export function initReply(
  header: Header,
  capabilities: readonly Capability[],
  principal: Principal,
  shared: { readonly engine: Engine; readonly nextId: NextId },
): string {
  const { epoch } = shared.engine;
  const given = header['continuation_token'];
  const known = typeof given === 'string' && isContinuation(given, principal, epoch);
  const continuation = known ? given : continuationOf(shared.nextId(), principal, epoch);
  const fields: Record<string, unknown> = {
    status: { code: 200, status: 'OK' },
    capabilities,
    continuation_token: continuation,
    continuation_token_status: { reissued: !known },
  };
  if (capabilities.includes('offline_storage')) {
    fields['offline_storage'] = { data_sync: { storage_id: storageId(principal, epoch) } };
  }
  return `,${JSON.stringify(fields).slice(1, -1)}`;
}

/** Names the client's cache: another epoch of the data must not meet positions of this one. [CON8] */
function storageId(principal: Principal, epoch: string): string {
  return createHash('sha256')
    .update(JSON.stringify([epoch, principal.service, principal.identity]))
    .digest('hex')
    .slice(0, 40);
}

/** Names an endpoint and gives no rights; the mark only tells our own from others'. [CON7] */
function continuationOf(endpoint: string, principal: Principal, epoch: string): string {
  const mark = createHmac('sha256', epoch)
    .update(JSON.stringify([endpoint, principal.service, principal.identity]))
    .digest('hex');
  return `${endpoint}.${mark.slice(0, 32)}`;
}

function isContinuation(token: string, principal: Principal, epoch: string): boolean {
  const [endpoint = ''] = token.split('.');
  return token === continuationOf(endpoint, principal, epoch);
}
