/** The operator's API as a stand-in for `fetch`, with its state in the open. Shares no code with the server's. */

import assert from 'node:assert/strict';
import { fiveVariables } from './surroundings.ts';

export interface FakeKey {
  readonly sid: string;
  readonly name: string | null;
  readonly createdAt: string;
  revokedAt: string | null;
}

export interface FakeRequest {
  readonly url: URL;
  readonly method: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

export const newSecret: string = 'c0ffee'.repeat(10);

export class FakeOperatorApi {
  /** Newest first, as the service lists them. */
  readonly keys: FakeKey[] = [];
  readonly services: object[] = [
    {
      sid: fiveVariables.TALLYSTICK_SERVICE_SID,
      uniqueName: 'default',
      createdAt: '2026-01-01T00:00:00.000Z',
      isDefault: true,
    },
  ];
  readonly requests: FakeRequest[] = [];
  /** Connections of each identity, by service and identity. */
  readonly connections: Map<string, number> = new Map();
  /** The next answer, whatever is asked. */
  next: Response | Error | undefined;

  readonly fetch: typeof fetch = async (input, init = {}) => {
    assert.ok(typeof input === 'string');
    assert.equal(init.redirect, 'manual', 'credentials follow no redirect');
    const headers = new Headers(init.headers);
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    if (body !== undefined) assert.equal(headers.get('content-type'), 'application/json');
    const request = {
      url: new URL(input),
      method: init.method ?? 'GET',
      authorization: headers.get('authorization'),
      body,
    };
    this.requests.push(request);
    const { next } = this;
    this.next = undefined;
    if (next instanceof Error) throw next;
    return next ?? this.#answer(request);
  };

  addKey(sid: string, name: string | null = null, revokedAt: string | null = null): void {
    this.keys.unshift({ sid, name, createdAt: `2026-01-0${this.keys.length + 1}T10:20:30.000Z`, revokedAt });
  }

  #answer({ url, method, authorization, body }: FakeRequest): Response {
    const { TALLYSTICK_ACCOUNT_SID: sid, TALLYSTICK_AUTH_TOKEN: token } = fiveVariables;
    if (authorization !== `Basic ${btoa(`${sid}:${token}`)}`) return refused(401, 20003, 'wrong credentials');
    const [, , , what, of, part] = url.pathname.split('/').map(decodeURIComponent);
    const members = (body ?? {}) as Record<string, string>;
    switch (`${method} ${what}${part === undefined ? '' : ` ${part}`}`) {
      case 'GET keys':
        return Response.json({ keys: this.keys });
      case 'POST keys': {
        this.addKey(`SK${'9'.repeat(32)}`, members['name'] ?? null);
        return Response.json({ ...this.keys[0], secret: newSecret }, { status: 201 });
      }
      case 'DELETE keys': {
        const key = this.keys.find((one) => one.sid === of && one.revokedAt === null);
        if (key === undefined) return refused(404, 20404, 'no such key is in force');
        key.revokedAt = '2026-02-03T04:05:06.000Z';
        return new Response(null, { status: 204 });
      }
      case 'GET services':
        return Response.json({ services: this.services });
      case 'POST services': {
        const uniqueName = members['uniqueName'] ?? null;
        if (uniqueName === 'taken') return refused(409, 54301, 'Unique name exists');
        const made = {
          sid: `IS${'9'.repeat(32)}`,
          uniqueName,
          createdAt: '2026-01-02T00:00:00.000Z',
          isDefault: false,
        };
        this.services.unshift(made);
        return Response.json(made, { status: 201 });
      }
      case 'DELETE services connections':
        return Response.json({ dropped: this.connections.get(`${of} ${url.searchParams.get('identity')}`) ?? 0 });
    }
    return refused(404, 20404, 'No such resource');
  }
}

export function refused(status: number, code: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ code, message, status }, { status, headers });
}

/** What `fetch` throws when a connection breaks. */
export function broken(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}
