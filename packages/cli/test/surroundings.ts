/** Surroundings for tests: what was written is kept, the service is a stand-in, and the stop is asked for by hand. */

import type { Server } from '@tallystick/server';
import { Readable } from 'node:stream';
import type { ServiceConfig, Surroundings } from '../src/surroundings.ts';

export interface TestSurroundings extends Surroundings {
  readonly written: { out: string; err: string };
  /** The configurations that services were created with. */
  readonly created: ServiceConfig[];
  /** How often a service was stopped. */
  readonly stops: () => number;
  readonly requestStop: () => void;
  /** How often the process was to end at once. */
  readonly abandoned: () => number;
}

/** What a test gives beside the environment. By default: no service, nothing on standard input, no terminal. */
export type Replaced = Partial<Pick<Surroundings, 'now' | 'fetch' | 'confirm'>> & {
  readonly stdin?: string | Iterable<Uint8Array>;
  readonly isTerminal?: boolean;
  readonly stop?: Server['stop'];
};

export function testSurroundings(
  env: Surroundings['env'] = {},
  { stdin = [], isTerminal = false, stop = async () => {}, ...replaced }: Replaced = {},
): TestSurroundings {
  const written = { out: '', err: '' };
  const created: ServiceConfig[] = [];
  const stopRequested = Promise.withResolvers<void>();
  let stops = 0;
  let abandoned = 0;
  return {
    env,
    written,
    created,
    stops: () => stops,
    out: (line) => void (written.out += `${line}\n`),
    err: (line) => void (written.err += `${line}\n`),
    styled: false,
    abandon: () => void (abandoned += 1),
    abandoned: () => abandoned,
    now: () => 1_800_000_000_000,
    fetch: () => Promise.reject(Object.assign(new Error('stand-in'), { code: 'ECONNREFUSED' })),
    confirm: undefined,
    input: () => ({ isTerminal, chunks: Readable.from(typeof stdin === 'string' ? [Buffer.from(stdin)] : stdin) }),
    stopRequested: stopRequested.promise,
    requestStop: () => stopRequested.resolve(),
    async createServer(config) {
      created.push(config);
      return {
        port: 8080,
        url: 'http://127.0.0.1:8080',
        socketUrl: 'ws://127.0.0.1:8080/v3/wsconnect',
        async stop() {
          stops += 1;
          await stop();
        },
      };
    },
    ...replaced,
  };
}

export const fiveVariables = {
  TALLYSTICK_ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  TALLYSTICK_AUTH_TOKEN: 'the-secret-auth-token',
  TALLYSTICK_API_KEY: `SK${'b'.repeat(32)}`,
  TALLYSTICK_API_SECRET: 'the-secret-of-the-key',
  TALLYSTICK_SERVICE_SID: `IS${'c'.repeat(32)}`,
};
