/** The REST door without sockets: requests go into the real HTTP application, over the engine of the door harness. */

import type { TestContext } from 'node:test';
import type { InjectOptions } from 'fastify';
import { createFailureLimit } from '../src/transport/failure-limit.ts';
import { createHttp } from '../src/transport/http.ts';
import { restDoor } from '../src/transport/rest/routes.ts';
import { UnderWay } from '../src/transport/rest/under-way.ts';
import { account, service } from './commands.ts';
import { openDoor } from './door-harness.ts';
import type { Harness } from './door-harness.ts';

export const origin = 'https://sync.example.org';
/** Path and public address of the default service's documents. */
export const documents: string = `/v1/Services/${service}/Documents`;

export interface Response {
  readonly status: number;
  readonly text: string;
  /** The JSON of the body; an empty object for none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Rest {
  readonly h: Harness;
  readonly underWay: UnderWay;
  /** With the account's credentials, unless there are other headers. Answers when the write it waits for is committed. */
  readonly ask: (options: InjectOptions) => Promise<Response>;
  readonly get: (url: string) => Promise<Response>;
  /** Parameters as a form, in any order and number. */
  readonly post: (url: string, form?: Form, headers?: Readonly<Record<string, string>>) => Promise<Response>;
}

export type Form = Readonly<Record<string, string>> | string;

export async function openRest(t: TestContext, options: Parameters<typeof openDoor>[0] = {}): Promise<Rest> {
  const h = await openDoor(options);
  const app = createHttp(
    { isReady: () => true },
    {
      requestTimeoutMs: Infinity,
      maxHeaderBytes: Infinity,
      maxUrlBytes: 4096,
      trusts: () => false,
      tls: undefined,
      clock: h.clock,
      onConnection: () => {},
    },
  );
  const underWay = new UnderWay();
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void h.log.push({ ...failed, fields }) };
  await app.register(
    restDoor({ engine: h.engine, log, failures: createFailureLimit(h.clock), origin: () => origin, underWay }),
    {
      prefix: '/v1',
    },
  );
  t.after(() => app.close());
  const ask = async (asking: InjectOptions): Promise<Response> => {
    const asked = app.inject({ headers: { authorization: good }, ...asking });
    let isAnswered = false;
    void asked.finally(() => (isAnswered = true)).catch(() => undefined);
    while (!isAnswered) await h.settle();
    const { statusCode, body, headers } = await asked;
    const isJson = String(headers['content-type']).startsWith('application/json');
    return { status: statusCode, text: body, body: isJson && body !== '' ? JSON.parse(body) : {}, headers };
  };
  return {
    h,
    underWay,
    ask,
    get: (url) => ask({ url }),
    post: (url, form = {}, headers = {}) =>
      ask({
        method: 'POST',
        url,
        payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
        headers: { authorization: good, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
  };
}

const failed = { level: 'error', message: 'a REST request failed' };

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export const good: string = basic(account, 'the token of the account');
