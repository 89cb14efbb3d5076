/** Certificate and key of the listener: read from files, judged, and read again when the files change. [OPS4] [OPS5] */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import type { Clock, Log } from '../platform.ts';

/** Their paths. */
export interface KeyFiles {
  readonly cert: string;
  readonly key: string;
}

/** What stands in them, in PEM form; the certificate may bring those above it. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** For creating a listener, and for giving it another certificate. */
export function secureOptions({ cert, key }: KeyPair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** The pair, or one line that says what is wrong with which file. */
export async function readKeyPair(files: KeyFiles): Promise<KeyPair | string> {
  let pair: KeyPair;
  try {
    const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
    pair = { cert, key };
  } catch (error) {
    return `cannot read the TLS files: ${messageOf(error)}`;
  }
  return problemOf(pair, files) ?? pair;
}

function problemOf({ cert, key }: KeyPair, files: KeyFiles): string | undefined {
  let certificate: X509Certificate;
  let privateKey: KeyObject;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return `${files.cert} holds no certificate in PEM form`;
  }
  try {
    privateKey = createPrivateKey(key);
  } catch {
    return `${files.key} holds no private key in PEM form, or one with a passphrase`;
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    return `the key in ${files.key} is not that of the certificate in ${files.cert}; the certificate of the server comes first`;
  }
  try {
    createSecureContext(secureOptions({ cert, key }));
  } catch (error) {
    return `${files.cert} and ${files.key} cannot be used: ${messageOf(error)}`;
  }
  return undefined;
}

/** The end of the certificate, as it writes it; worth a look when it is over. */
export function warnOfEnd({ cert }: KeyPair, now: number, log: Log): void {
  const { validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) <= now) log.warn({ validTo }, 'the TLS certificate has expired');
}

const lookMs = 10_000;

/** Looks at the files again and again, and hands a changed pair on when it is a good one. Returns the end of it. */
export function watchKeyPair(parts: {
  readonly files: KeyFiles;
  /** What is in use. */
  readonly pair: KeyPair;
  readonly clock: Clock;
  readonly log: Log;
  readonly replace: (pair: KeyPair) => void;
}): () => void {
  const { files, clock, log } = parts;
  let { pair } = parts;
  let seen: string | undefined;
  let isOver = false;
  let cancel: () => void;

  const look = async (): Promise<void> => {
    const found = await Promise.all([traitsOf(files.cert), traitsOf(files.key)]);
    if (isOver || found.join() === seen) return;
    const read = await readKeyPair(files);
    if (isOver) return;
    // Whatever it was, it is told once.
    seen = found.join();
    if (typeof read === 'string')
      log.error({ problem: read }, 'changed TLS files are not used; the last good ones are');
    else if (!read.cert.equals(pair.cert) || !read.key.equals(pair.key)) {
      pair = read;
      parts.replace(pair);
      log.info({}, 'the TLS certificate was read again');
      warnOfEnd(pair, clock.now(), log);
    }
  };
  const lookAgain = (): void => {
    if (!isOver) cancel = clock.after(lookMs, () => void look().finally(lookAgain));
  };
  lookAgain();
  return () => {
    isOver = true;
    cancel();
  };
}

/** Changes when the file does, also when a link to it is set to another. */
async function traitsOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
