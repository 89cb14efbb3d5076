/**
 * The operator's HTTP API of a running service, as the commands use it. Whatever goes wrong becomes one line that says
 * what to do; no credential stands in it. [CFG14]
 */

import { StartError } from '@tallystick/server';
import { plain } from './plain-text.ts';
import { findAccess } from './service-access.ts';
import type { AccessArguments, ServiceAccess } from './service-access.ts';
import type { Surroundings } from './surroundings.ts';

/** An API key, without its secret. Times are ISO 8601. */
export interface ApiKey {
  readonly sid: string;
  readonly name: string | null;
  readonly createdAt: string;
  /** Null while it is in force. */
  readonly revokedAt: string | null;
}

export interface NewApiKey {
  readonly sid: string;
  readonly name: string | null;
  readonly createdAt: string;
  /** Told this once. */
  readonly secret: string;
}

export interface SyncService {
  readonly sid: string;
  readonly uniqueName: string | null;
  readonly createdAt: string;
  readonly isDefault: boolean;
}

/** For connecting and answering together, in milliseconds. */
const patienceMs = 10_000;
/** More than a list of 50,000 keys. Whatever sends more is no Tallystick. */
const mostBytes = 16_777_216;

type Method = 'GET' | 'POST' | 'DELETE';
type Json = Readonly<Record<string, unknown>>;

export class OperatorApi {
  readonly #access: ServiceAccess;
  readonly #fetch: typeof fetch;

  constructor(access: ServiceAccess, fetch: typeof globalThis.fetch) {
    this.#access = access;
    this.#fetch = fetch;
  }

  /** Finds the service and its credentials. Nothing is sent yet. */
  static async find(given: AccessArguments, { env, fetch }: Surroundings): Promise<OperatorApi> {
    return new OperatorApi(await findAccess(given, env), fetch);
  }

  get url(): string {
    return this.#access.url;
  }

  get accountSid(): string {
    return this.#access.accountSid;
  }

  /** Revoked ones too, newest first. */
  async keys(): Promise<readonly ApiKey[]> {
    const { keys } = await this.#call('GET', '/admin/v1/keys');
    return Array.isArray(keys) && keys.every(isApiKey) ? keys : this.#stranger();
  }

  async createKey(name: string | undefined): Promise<NewApiKey> {
    const made = await this.#call('POST', '/admin/v1/keys', name === undefined ? {} : { name });
    return isNewApiKey(made) ? made : this.#stranger();
  }

  async revokeKey(sid: string): Promise<void> {
    await this.#call('DELETE', `/admin/v1/keys/${encodeURIComponent(sid)}`);
  }

  async services(): Promise<readonly SyncService[]> {
    const { services } = await this.#call('GET', '/admin/v1/services');
    return Array.isArray(services) && services.every(isSyncService) ? services : this.#stranger();
  }

  async createService(uniqueName: string | undefined): Promise<SyncService> {
    const made = await this.#call('POST', '/admin/v1/services', uniqueName === undefined ? {} : { uniqueName });
    return isSyncService(made) ? made : this.#stranger();
  }

  /** Ends the connections of an identity, and resolves to their number. `service` is a sid or `default`. */
  async disconnect(service: string, identity: string): Promise<number> {
    const path = `/admin/v1/services/${encodeURIComponent(service)}/connections?identity=${encodeURIComponent(identity)}`;
    const { dropped } = await this.#call('DELETE', path);
    return typeof dropped === 'number' ? dropped : this.#stranger();
  }

  /** Resolves to the body of a 2xx answer; an empty one is `{}`. */
  async #call(method: Method, path: string, body?: Json): Promise<Json> {
    const { response, text } = await this.#exchange(method, path, body);
    if (response.status >= 300 && response.status < 400) {
      throw new StartError(
        `${this.#access.url} sends elsewhere, and credentials do not follow; give the final address with --url`,
      );
    }
    const answer = text === '' ? {} : parsed(text);
    if (response.ok) return answer ?? this.#stranger();
    throw new StartError(this.#refusal(response, answer));
  }

  async #exchange(method: Method, path: string, body: Json | undefined): Promise<{ response: Response; text: string }> {
    const { url, accountSid, authToken } = this.#access;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), patienceMs);
    try {
      const response = await this.#fetch(url + path, {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'manual',
        signal: patience.signal,
      });
      return { response, text: await boundedText(response) };
    } catch (error) {
      throw new StartError(this.#silence(method, patience.signal.aborted, error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Why there is no answer. A change that was sent may have happened. */
  #silence(method: Method, isLate: boolean, error: unknown): string {
    const { url } = this.#access;
    const code = networkCode(error);
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      const why = code === 'ECONNREFUSED' ? '' : ` (no such host)`;
      return `no service answers at ${url}${why}; start it with tallystick serve, or name another address with --url`;
    }
    if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
      return (
        `${url} shows a certificate that is not trusted here (${code}); name the address on it with --url, ` +
        'or its issuer with NODE_EXTRA_CA_CERTS'
      );
    }
    const what = isLate ? `did not answer within ${patienceMs / 1000} s` : `cannot be asked (${code ?? 'no answer'})`;
    const doubt = method === 'GET' ? '' : '; what was asked for may have been done: look with the list command';
    return `${url} ${what}${doubt}; is it a Tallystick service? another address is given with --url`;
  }

  #refusal(response: Response, answer: Json | undefined): string {
    const { url, from } = this.#access;
    if (response.status === 401) {
      return `${url} refuses the credentials from ${from}; take those that the service was started with (401 / 20003)`;
    }
    const after = response.headers.get('retry-after');
    if (response.status === 429) {
      const wait = after !== null && /^\d+$/.test(after) ? `in ${after} s` : 'later';
      return `${url} takes no requests for a while after too many failed ones; try again ${wait}`;
    }
    if (answer === undefined || typeof answer['code'] !== 'number' || typeof answer['message'] !== 'string') {
      return this.#strangeness(response.status);
    }
    return `${plain(answer['message'], 300)} (${response.status} / ${answer['code']})`;
  }

  #stranger(): never {
    throw new StartError(this.#strangeness());
  }

  #strangeness(status?: number): string {
    const { url } = this.#access;
    if (status === 404) {
      return `${url} has no /admin/v1; proxies keep it inside: run this beside the service, with --url http://127.0.0.1:8080 or where it listens`;
    }
    const how = status === undefined ? 'something else than expected' : `with HTTP status ${status}`;
    return `${url} answers ${how}; is it a Tallystick service of this version? another address is given with --url`;
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The code of what broke a connection, such as `ECONNREFUSED`; `fetch` hides it in the cause. */
function networkCode(error: unknown): string | undefined {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamed(value: unknown): value is Json & { sid: string; createdAt: string } {
  return isJson(value) && typeof value['sid'] === 'string' && typeof value['createdAt'] === 'string';
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isApiKey(value: unknown): value is ApiKey {
  return isNamed(value) && isTextOrNull(value['name']) && isTextOrNull(value['revokedAt']);
}

function isNewApiKey(value: unknown): value is NewApiKey {
  return isNamed(value) && isTextOrNull(value['name']) && typeof value['secret'] === 'string';
}

function isSyncService(value: unknown): value is SyncService {
  return isNamed(value) && isTextOrNull(value['uniqueName']) && typeof value['isDefault'] === 'boolean';
}
