/** What the commands need of the process they run in, so that tests can pass in their own. The real one is in `main.ts`. */

import type { Config, Credentials, Server } from '@tallystick/server';

/** A configuration with everything that a service needs to start. */
export type ServiceConfig = Config & { readonly credentials: Credentials };

/** Standard input. */
interface Input {
  readonly isTerminal: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes one line to stdout. */
  readonly out: (line: string) => void;
  /** Writes one line to stderr. */
  readonly err: (line: string) => void;
  /** Whether stdout takes escape sequences: a terminal, and NO_COLOR not set. */
  readonly styled: boolean;
  /** Ends when the process is asked to stop, by SIGINT or SIGTERM; never rejects. */
  readonly stopRequested: Promise<void>;
  /** Ends this process without waiting for its threads, one of which may hang in the kernel. [OPS8] */
  readonly abandon: () => void;
  /** Opens the service; rejects with StartError for what the operator can mend. */
  readonly createServer: (config: ServiceConfig) => Promise<Server>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly fetch: typeof fetch;
  readonly input: () => Input;
  /** Puts a question to the person at the terminal; undefined when there is none. Resolves to whether they said yes. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
}
