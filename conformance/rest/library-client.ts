/**
 * The official helper library as a back end uses it, pointed here by an HTTP client of its own kind. Every answer that
 * passes is compared with our description of its operation.
 */

import assert from 'node:assert/strict';
import { after } from 'node:test';
import twilio from 'twilio';
import { credentials } from '../harness/credentials.ts';
import { operationOf, operations, refusalAnswer } from './operations.ts';

type Client = ReturnType<typeof twilio>;
type Request = InstanceType<typeof twilio.RequestClient>['request'];

/** The library has its types for these in files that it does not open. */
interface Answered {
  readonly statusCode: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Library {
  readonly client: Client;
  /** Everything that was answered, in order. */
  readonly answers: readonly Answered[];
}

const original = 'https://sync.twilio.com';
const succeeded = new Set<string>();

/** With the key of the suite, unless told otherwise. */
export function libraryClient(
  port: number,
  user: string = credentials.apiKey,
  password: string = credentials.apiSecret,
): Library {
  const answers: Answered[] = [];
  class HttpClient extends twilio.RequestClient {
    override request: Request = async (asked) => {
      const { origin, pathname } = new URL(asked.uri);
      const own = `http://127.0.0.1:${port}`;
      // Addresses that answers told, of next pages, are ours already.
      assert.ok(origin === original || origin === own, asked.uri);
      const answer = await super.request({ ...asked, uri: asked.uri.replace(original, own) });
      const { statusCode, body, headers } = answer;
      const given = { statusCode, body, headers: headers as Answered['headers'] };
      answers.push(given);
      check(asked.method, pathname, given);
      return answer;
    };
  }
  const client = twilio(user, password, { accountSid: credentials.accountSid, httpClient: new HttpClient() });
  return { client, answers };
}

function check(method: string, path: string, { statusCode, body }: Answered): void {
  const operation = operationOf(method, path);
  if (operation === undefined || statusCode !== operation.status) {
    assert.ok(refusalAnswer(body), `${method} ${path} ${statusCode}: ${JSON.stringify([body, refusalAnswer.errors])}`);
    const { status, code, more_info: page } = body as Record<string, unknown>;
    assert.equal(status, statusCode);
    assert.ok(String(page).endsWith(`/${String(code)}`));
    return;
  }
  const { name, answer } = operation;
  if (answer === undefined) assert.equal(body, '', name);
  else assert.ok(answer(body), `${name}: ${JSON.stringify([body, answer.errors])}`);
  succeeded.add(name);
}

/** Fails the file at its end when a described operation of these resources never succeeded in it. */
export function expectOperations(names: RegExp): void {
  after(() => {
    const wanted = operations.map(({ name }) => name).filter((name) => names.test(name));
    assert.ok(wanted.length > 0);
    assert.deepEqual(
      wanted.filter((name) => !succeeded.has(name)),
      [],
      'operations that never succeeded',
    );
  });
}

export interface Refused {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly moreInfo: string;
}

/** The RestException of a call that must fail. */
export async function restRefusal(promise: Promise<unknown>): Promise<Refused> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof twilio.RestException, String(error));
    return error as unknown as Refused;
  }
  throw new Error('nothing was refused');
}
