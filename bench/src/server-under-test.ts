/** Starts Tallystick in a process of its own: durable, with the defaults, credentials made up and an empty data directory. */

import process from 'node:process';
import { Child } from './child.ts';
import type { Credentials } from './credentials.ts';

export interface ServerOptions {
  readonly dataDirectory: string;
  readonly credentials: Credentials;
  /** Instead of this checkout's. */
  readonly program: URL | undefined;
  /** Where to write a profile of its processor time; undefined for none. */
  readonly profileDirectory: string | undefined;
}

const checkedOut = new URL('./serve.ts', import.meta.url);

export function startServer({ dataDirectory, credentials, program, profileDirectory }: ServerOptions): Child {
  // Options of the person who runs the benchmark must not reach the server.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TALLYSTICK_'));
  return new Child({
    name: 'tallystick',
    program: program ?? checkedOut,
    // For a program of the `tallystick` kind; ours takes no arguments.
    args: program === undefined ? [] : ['serve'],
    nodeArgs: profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`],
    env: {
      ...Object.fromEntries(inherited),
      TALLYSTICK_PORT: '0',
      TALLYSTICK_DATA_DIR: dataDirectory,
      TALLYSTICK_DRAIN_MS: '0',
      TALLYSTICK_ACCOUNT_SID: credentials.accountSid,
      TALLYSTICK_AUTH_TOKEN: credentials.authToken,
      TALLYSTICK_API_KEY: credentials.apiKey,
      TALLYSTICK_API_SECRET: credentials.apiSecret,
      TALLYSTICK_SERVICE_SID: credentials.serviceSid,
    },
  });
}
