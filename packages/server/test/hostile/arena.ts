/**
 * Where attacks are run: the real service in a process of its own with its logs wide open, and the standing client that
 * must not notice. After each attack both are looked at, and what the process holds.
 */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AccessToken, SyncGrant } from '@tallystick/token';
import { makeDataDirectory } from '../data-directory.ts';
import { RawSocket } from './raw-socket.ts';
import type { RawOptions } from './raw-socket.ts';
import type { Holding, Question } from './service-child.ts';
import type { Standing, Waited } from './standing-client.ts';

/** What the issue promises to everybody else. */
const longestWaitMs = 1000;
/** Live memory that an attack may leave behind: caches that are bounded, compiled code. */
const leftBytes = 16 * 1_048_576;
/** What the process may need beyond its first peak while it is attacked. */
const peakBytes = 256 * 1_048_576;
/** For what the service does after an attacker has gone. */
const settleMs = 8000;

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

export const credentials: Readonly<
  Record<'account' | 'authToken' | 'key' | 'secret' | 'service' | 'secretsKey', string>
> = {
  account: `AC${hex(16)}`,
  authToken: hex(24),
  key: `SK${hex(16)}`,
  secret: hex(24),
  service: `IS${hex(16)}`,
  secretsKey: hex(24),
};

/** Short times, so that what takes them can be waited for; all else as by default. */
export const bounds = { initTimeoutMs: 1500, requestTimeoutMs: 1500, pingIntervalMs: 1000 } as const;

const environment: Readonly<Record<string, string>> = {
  TALLYSTICK_ACCOUNT_SID: credentials.account,
  TALLYSTICK_AUTH_TOKEN: credentials.authToken,
  TALLYSTICK_API_KEY: credentials.key,
  TALLYSTICK_API_SECRET: credentials.secret,
  TALLYSTICK_SERVICE_SID: credentials.service,
  TALLYSTICK_SECRETS_KEY: credentials.secretsKey,
  TALLYSTICK_PORT: '0',
  TALLYSTICK_LOG_LEVEL: 'trace',
  TALLYSTICK_INIT_TIMEOUT_MS: `${bounds.initTimeoutMs}`,
  TALLYSTICK_REQUEST_TIMEOUT_MS: `${bounds.requestTimeoutMs}`,
  TALLYSTICK_PING_INTERVAL_MS: `${bounds.pingIntervalMs}`,
};

export class Arena {
  port = 0;
  /** The address that attacks come from: to the service, another client than the standing one. */
  readonly elsewhere: RawOptions = process.platform === 'linux' ? { from: '127.0.0.2' } : {};
  /** Everything that the service wrote, to stdout and stderr. */
  readonly written: string[] = [];
  /** What must not be in there. */
  readonly secrets: Set<string> = new Set([credentials.authToken, credentials.secret, credentials.secretsKey]);
  readonly #directory: ReturnType<typeof makeDataDirectory> = makeDataDirectory();
  #child!: ChildProcess;
  #standing!: Worker;
  #first!: Holding;
  /** The peak after the last attack: it never falls again, and is the fault of the one who raised it. */
  #highest = 0;

  async start(): Promise<void> {
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    this.#child = fork(new URL('service-child.ts', import.meta.url), {
      execArgv: ['--conditions=@tallystick/source', '--expose-gc'],
      env: { ...inherited, ...environment, TALLYSTICK_DATA_DIR: this.#directory.path },
      silent: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.written.push(text));
    }
    this.port = (await this.#told()) as number;
    const url = `ws://127.0.0.1:${this.port}/v3/wsconnect`;
    const workerData: Standing = { pid: this.#child.pid ?? 0, url, token: this.token('standing') };
    this.#standing = new Worker(new URL('standing-client.ts', import.meta.url), { workerData });
    await once(this.#standing, 'message');
    this.#first = await this.#holding('all');
  }

  /** Resolves with the code that the service exits with, after an orderly stop unless it is gone already. */
  async stop(): Promise<number | null> {
    await this.#standing.terminate();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    this.#directory.remove();
    return this.#child.exitCode;
  }

  /** A good token. It counts as a secret, and so do its parts. */
  token(identity = 'eve', ttl = 3600): string {
    const token = new AccessToken(credentials.account, credentials.key, credentials.secret, { identity, ttl });
    token.addGrant(new SyncGrant({ serviceSid: credentials.service }));
    return this.asSecret(token.toJwt());
  }

  /** Any text as a secret to look for; of a token each part that is long enough to be nothing else. */
  asSecret(text: string): string {
    for (const part of [text, ...text.split('.').slice(1)]) if (part.length >= 16) this.secrets.add(part.slice(0, 200));
    return text;
  }

  /** Any header and claims, JSON text or what becomes one, correctly signed unless another secret is given. */
  forged(header: unknown, claims: unknown, secret: string = credentials.secret, digest = 'sha256'): string {
    const encode = (part: unknown): string =>
      Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
    const signed = `${encode(header)}.${encode(claims)}`;
    return this.asSecret(`${signed}.${createHmac(digest, secret).update(signed).digest('base64url')}`);
  }

  /** A test of one attack, after which nothing of it may be left and nobody may have noticed. */
  test(title: string, attack: (t: TestContext) => Promise<void>): void {
    test(title, { timeout: 30_000 }, async (t) => {
      await this.othersWaited();
      try {
        await attack(t);
      } finally {
        RawSocket.destroyAll();
      }
      await this.#assertUnharmed(t);
    });
  }

  async #assertUnharmed(t: TestContext): Promise<void> {
    this.#assertAlive();
    // Also while the service still works on what it had read of them.
    await this.emptied();
    const { longestMs, failure } = await this.othersWaited();
    assert.equal(failure, undefined, 'the standing client was disturbed');
    const after = await this.#holding('all');
    const [liveMb, peakMb] = [after.live - this.#first.live, after.peak - this.#first.peak].map(inMb);
    t.diagnostic(`others waited ${Math.round(longestMs)} ms; ${liveMb} MB more alive, ${peakMb} MB more at the peak`);
    assert.ok(longestMs <= longestWaitMs, `others waited ${longestMs} ms`);
    assert.ok(after.live - this.#first.live <= leftBytes, `${liveMb} MB are left`);
    const isHigher = after.peak > this.#highest;
    this.#highest = after.peak;
    assert.ok(!isHigher || after.peak - this.#first.peak <= peakBytes, `the process grew by ${peakMb} MB`);
  }

  #assertAlive(): void {
    const { exitCode, signalCode } = this.#child;
    const last = this.written.join('').slice(-2000);
    assert.ok(exitCode === null && signalCode === null, `the service is gone (${exitCode ?? signalCode}):\n${last}`);
  }

  /** Resolves when the service has let go of every attacker, even of those that hold on. */
  async emptied(): Promise<void> {
    const deadline = performance.now() + settleMs;
    while ((await this.#holding('sockets')).sockets > this.#first.sockets) {
      assert.ok(performance.now() < deadline, 'the service still holds sockets');
      await setTimeout(20);
    }
  }

  /** Resolves when a pattern stands in the log that often. */
  async wrote(pattern: RegExp, times: number): Promise<void> {
    const signal = AbortSignal.timeout(settleMs);
    while ((this.written.join('').match(pattern) ?? []).length < times)
      await once(this.#child.stdout!, 'data', { signal });
  }

  async #holding(what: Question): Promise<Holding> {
    this.#child.send(what);
    return (await this.#told()) as Holding;
  }

  /** The next message of the service; rejects when it dies before. */
  async #told(): Promise<unknown> {
    const over = new AbortController();
    try {
      const exited = once(this.#child, 'exit', { signal: over.signal }).then(() => this.#assertAlive());
      const [message] = (await Promise.race([
        once(this.#child, 'message', { signal: over.signal }),
        exited,
      ])) as unknown[];
      return message;
    } finally {
      over.abort();
    }
  }

  /** How long the standing client waited since this was last asked. */
  async othersWaited(): Promise<Waited> {
    this.#standing.postMessage('tell');
    const [waited] = (await once(this.#standing, 'message')) as [Waited];
    return waited;
  }

  /** Asserts that nothing secret was ever written or answered. */
  assertNothingTold(): void {
    const [log, answers] = [this.written.join(''), RawSocket.everything.join('')];
    assert.ok(log.includes('"msg":"connected"') && log.includes('"msg":"token refused"'), 'the log is wide open');
    for (const secret of this.secrets) {
      for (const [where, told] of Object.entries({ log, answers })) {
        const at = told.indexOf(secret);
        assert.ok(at < 0, `a secret stands in the ${where}: ${told.slice(Math.max(0, at - 200), at + 50)}`);
      }
    }
  }

  /** Asserts that nothing was written that is no log line: a stack, a warning of the platform. */
  assertOnlyLogLines(): void {
    for (const line of this.written.join('').split('\n')) {
      if (line !== '') assert.doesNotThrow(() => JSON.parse(line), `not a log line: ${line}`);
    }
  }
}

function inMb(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
