/** What the credentials and the secrets key of a start do to the stored directory, before anybody can connect. */

import { SyncError } from '@tallystick/protocol';
import type { Config, Credentials } from './config.ts';
import type { Engine } from './engine/engine.ts';
import type { Log, Sealer } from './platform.ts';
import { createSealer } from './sealing.ts';
import { findSecretsKey, lostSecretsKey, makeSecretsKey, wrongSecretsKey } from './secrets-key.ts';
import type { SecretsKey } from './secrets-key.ts';
import { StartError } from './start-error.ts';
import type { Storage } from './storage/storage.ts';

export interface Sealing {
  readonly sealer: Sealer;
  readonly key: SecretsKey;
}

/** The key at hand, made when nothing is sealed yet. Throws StartError when it was lost. [ACC5] [ACC6] */
export async function openSealing(config: Config, storage: Storage): Promise<Sealing> {
  const [{ account }] = await storage.read([{ query: 'directory' }]);
  const isSealed = account !== undefined && account.authToken !== '';
  let key = findSecretsKey(config.dataDir, config.secretsKey);
  if (key === undefined && isSealed && config.lostSecrets === 'refuse') throw lostSecretsKey(config.dataDir);
  key ??= makeSecretsKey(config.dataDir);
  return { sealer: createSealer(key.key), key };
}

/**
 * Makes the account, its default service and the given key what the credentials say. Throws StartError when they do not
 * belong to the data, or storage takes no writes. [ACC1] [ACC2] [ACC4] [ACC6]
 */
export async function adoptCredentials(...parts: Parameters<typeof adopt>): Promise<void> {
  try {
    await adopt(...parts);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 20503) throw error;
    const fix = 'see the log, and whether its disk is full';
    throw new StartError(`the credentials cannot be stored, since storage takes no writes; ${fix}`, { cause: error });
  }
}

async function adopt(
  engine: Engine,
  credentials: Credentials,
  sealing: Sealing,
  lostSecrets: Config['lostSecrets'],
  log: Log,
): Promise<void> {
  const { accountSid, authToken, apiKey, apiSecret, serviceSid } = credentials;
  const { directory, administration } = engine;
  if (directory.account !== undefined && directory.account.sid !== accountSid) {
    throw new StartError(
      `the data belongs to account ${directory.account.sid}, but TALLYSTICK_ACCOUNT_SID is ${accountSid}; ` +
        'use another data directory or the credentials that belong to it',
    );
  }
  if (directory.isLocked) {
    if (lostSecrets === 'refuse') throw wrongSecretsKey(sealing.key);
    await revokeLocked(engine, apiKey, log);
  }
  if (directory.authToken !== authToken) {
    await administration.put([{ type: 'putAccount', sid: accountSid, authToken }]);
  }
  if (directory.service(serviceSid) === undefined) {
    const uniqueName = directory.service(undefined) === undefined ? 'default' : null;
    await administration.put([{ type: 'putService', sid: serviceSid, account: accountSid, uniqueName }]);
  }
  if (directory.isRevoked(apiKey)) {
    log.warn({ key: apiKey }, 'TALLYSTICK_API_KEY names a revoked key, which stays revoked; give another');
  } else if (directory.key(apiKey)?.secret !== apiSecret) {
    await administration.put([{ type: 'putKey', sid: apiKey, account: accountSid, name: null, secret: apiSecret }]);
  }
}

/** The given key is spared: it gets its secret anew. */
async function revokeLocked({ directory, administration }: Engine, spared: string, log: Log): Promise<void> {
  for (const { sid, revokedAt } of directory.keys) {
    if (revokedAt !== null || sid === spared || directory.key(sid) !== undefined) continue;
    log.warn({ key: sid }, 'revoked, since its secret does not open any more');
    await administration.revokeKey(sid);
  }
}
