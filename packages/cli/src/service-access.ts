/**
 * Where the running service is and how the operator is let in. The account's auth token opens everything, so it goes
 * nowhere in the clear: to this machine, or through TLS. [CFG14] [CFG15]
 */

import { StartError } from '@tallystick/server';
import type { Config, OptionName } from '@tallystick/server';
import { isSid } from '@tallystick/protocol';
import { quote } from './arguments.ts';
import { credentialsPath, readCredentials } from './credentials-file.ts';
import type { Surroundings } from './surroundings.ts';

export interface ServiceAccess {
  /** Origin, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** Where the two come from; goes on after "credentials from". */
  readonly from: string;
}

/** What every command that asks the service takes, beside `--data-dir`. */
export const accessFlags: {
  readonly url: { readonly value: string; readonly prose: string };
  readonly insecure: { readonly prose: string };
  readonly json: { readonly prose: string };
} = {
  url: {
    value: 'URL',
    prose: 'Address of the service. Else host and port of the environment.',
  },
  insecure: { prose: 'Let the credentials go to another machine in plain http.' },
  json: { prose: 'Print one JSON value on one line.' },
};

/** The options of the service that these commands take as flags. */
export const accessOptions: readonly OptionName[] = ['dataDir'];

/** What of a command line says where the service is. */
export interface AccessArguments {
  readonly flags: { readonly url: string | undefined; readonly insecure: boolean };
  readonly config: Config;
}

/** Throws StartError for an address that will not do and for credentials that are nowhere. */
export async function findAccess({ flags, config }: AccessArguments, env: Surroundings['env']): Promise<ServiceAccess> {
  const url = flags.url === undefined ? addressOf(config) : givenAddress(flags.url);
  if (!flags.insecure && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new StartError(
      `${url.origin} is plain http on another machine, and everybody on the way could read the auth token; ` +
        'use https, or --insecure where you trust the network',
    );
  }
  return { url: url.origin, ...(await findAccount(config, env)) };
}

function givenAddress(text: string): URL {
  const url = URL.parse(text);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isOrigin && !/[?#]/.test(text)) return url;
  // It may hold a password before its host.
  const shown = text.includes('@') ? 'not acceptable' : quote(text);
  throw new StartError(
    `--url is ${shown}; give an http or https address without a path, such as http://127.0.0.1:8080`,
  );
}

/** Not the public address: a proxy there keeps administration inside, and this is the machine of the service. */
function addressOf(config: Config): URL {
  if (config.port === 0) throw new StartError('TALLYSTICK_PORT is 0; name the address of the service with --url');
  const scheme = config.tlsCert === undefined ? 'http' : 'https';
  return new URL(`${scheme}://${reachableHost(config.host)}:${config.port}`);
}

/** "Any address" is none to connect to, and an IPv6 address stands in brackets. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

async function findAccount(config: Config, env: Surroundings['env']): Promise<Omit<ServiceAccess, 'url'>> {
  const accountSid = env['TALLYSTICK_ACCOUNT_SID'] || undefined;
  const authToken = env['TALLYSTICK_AUTH_TOKEN'] || undefined;
  if (accountSid !== undefined && authToken !== undefined) {
    if (!isSid(accountSid, 'account')) {
      throw new StartError('TALLYSTICK_ACCOUNT_SID is not acceptable; give AC and 32 lower-case hex digits');
    }
    if (!/^[\x21-\x7e]+$/.test(authToken)) {
      throw new StartError('TALLYSTICK_AUTH_TOKEN is not acceptable; give printable ASCII characters without blanks');
    }
    return { accountSid, authToken, from: 'the environment' };
  }
  if (accountSid !== undefined || authToken !== undefined) {
    const missing = accountSid === undefined ? 'TALLYSTICK_ACCOUNT_SID' : 'TALLYSTICK_AUTH_TOKEN';
    throw new StartError(`${missing} is not set: the account and its auth token belong together`);
  }
  const path = credentialsPath(config.dataDir);
  const credentials = await readCredentials(config.dataDir);
  if (credentials !== undefined) return { ...credentials, from: path };
  throw new StartError(
    `no credentials: set TALLYSTICK_ACCOUNT_SID and TALLYSTICK_AUTH_TOKEN, or name with --data-dir the directory ` +
      `of credentials.env (${path} is not there)`,
  );
}
