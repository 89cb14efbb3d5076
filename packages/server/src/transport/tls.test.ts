import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { makeCertificate } from '../../test/certificates.ts';
import { TimerClock } from '../../test/timer-clock.ts';
import { readKeyPair, warnOfEnd, watchKeyPair } from './tls.ts';
import type { KeyFiles, KeyPair } from './tls.ts';

suite('[OPS4] certificate and key', () => {
  test('[OPS4] a pair that fits is taken', async (t) => {
    const files = makeCertificate(directoryOf(t), 'a');
    const pair = await goodPair(files);
    assert.deepEqual(pair, { cert: readFileSync(files.cert), key: readFileSync(files.key) });
  });

  test('[OPS4] what is missing, unreadable or does not fit is told in one line that names the file', async (t) => {
    const directory = directoryOf(t);
    const [a, b] = [makeCertificate(directory, 'a'), makeCertificate(directory, 'b')];
    const none = join(directory, 'none.pem');
    const junk = join(directory, 'junk.pem');
    writeFileSync(junk, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    for (const [files, problem] of [
      [{ cert: none, key: a.key }, /^cannot read the TLS files: .*none\.pem/],
      [{ cert: a.cert, key: none }, /^cannot read the TLS files: .*none\.pem/],
      [{ cert: directory, key: a.key }, /^cannot read the TLS files: /],
      [{ cert: junk, key: a.key }, /junk\.pem holds no certificate/],
      [{ cert: a.key, key: a.key }, /a-key\.pem holds no certificate/],
      [{ cert: a.cert, key: a.cert }, /a\.pem holds no private key/],
      [{ cert: a.cert, key: b.key }, /b-key\.pem is not that of the certificate in .*a\.pem/],
    ] as const) {
      const read = await readKeyPair(files);
      assert.ok(typeof read === 'string' && problem.test(read) && !read.includes('\n'), JSON.stringify(read));
      assert.ok(!read.includes('PRIVATE KEY'));
    }
  });

  test('[OPS4] a certificate that is over is used with a warning', async (t) => {
    const pair = await goodPair(makeCertificate(directoryOf(t), 'a'));
    const { log, lines } = recorder();
    const end = Date.parse(new X509Certificate(pair.cert).validTo);
    warnOfEnd(pair, end - 1, log);
    assert.deepEqual(lines, []);
    warnOfEnd(pair, end, log);
    assert.deepEqual(lines, ['warn the TLS certificate has expired']);
  });
});

suite('[OPS5] changed files', () => {
  test('[OPS5] are seen within ten seconds and used when they are good', async (t) => {
    const w = await watching(t);
    await w.looked();
    assert.deepEqual(w.used, []);
    const b = makeCertificate(w.directory, 'b');
    copyFileSync(b.cert, w.files.cert);
    copyFileSync(b.key, w.files.key);
    w.clock.advance(9999);
    await setImmediate();
    assert.deepEqual(w.used, []);
    w.clock.advance(1);
    await w.isLooking();
    assert.deepEqual(w.used, ['b']);
    await w.looked();
    assert.deepEqual([w.used, w.lines], [['b'], ['info the TLS certificate was read again']]);
  });

  test('[OPS5] broken ones leave the old in use and are told once; the next good ones are used', async (t) => {
    const w = await watching(t);
    const b = makeCertificate(w.directory, 'b');
    copyFileSync(b.cert, w.files.cert);
    await w.looked();
    await w.looked();
    assert.deepEqual([w.used, w.lines], [[], ['error changed TLS files are not used; the last good ones are']]);
    rmSync(w.files.key);
    await w.looked();
    await w.looked();
    assert.deepEqual([w.used.length, w.lines.length], [0, 2]);
    copyFileSync(b.key, w.files.key);
    await w.looked();
    assert.deepEqual(w.used, ['b']);
  });

  test('[OPS5] the same content in another file is nothing new', async (t) => {
    const w = await watching(t);
    copyFileSync(w.files.cert, `${w.files.cert}.new`);
    renameSync(`${w.files.cert}.new`, w.files.cert);
    await w.looked();
    assert.deepEqual([w.used, w.lines], [[], []]);
  });

  test('[OPS5] a link that is set to another file is a change', async (t) => {
    const directory = directoryOf(t);
    const link = { cert: join(directory, 'cert'), key: join(directory, 'key') };
    const [a, b] = [makeCertificate(directory, 'a'), makeCertificate(directory, 'b')];
    const point = (files: KeyFiles): void => {
      for (const name of ['cert', 'key'] as const) {
        rmSync(link[name], { force: true });
        symlinkSync(files[name], link[name]);
      }
    };
    point(a);
    const w = await watching(t, link);
    point(b);
    await w.looked();
    assert.deepEqual(w.used, ['b']);
  });

  test('[OPS5] once stopped, nobody looks any more', async (t) => {
    const w = await watching(t);
    w.stop();
    assert.equal(w.clock.pending, 0);
    w.clock.advance(100_000);
    assert.deepEqual(w.used, []);
  });
});

interface Watching {
  readonly directory: string;
  readonly files: KeyFiles;
  readonly clock: TimerClock;
  readonly lines: readonly string[];
  /** The names of the certificates that were put to use. */
  readonly used: readonly string[];
  stop(): void;
  /** The next look has come, and is over. */
  looked(): Promise<void>;
  isLooking(): Promise<void>;
}

async function watching(t: TestContext, given?: KeyFiles): Promise<Watching> {
  const directory = directoryOf(t);
  const files = given ?? makeCertificate(directory, 'a');
  const clock = new TimerClock();
  clock.at = Date.now();
  const { log, lines } = recorder();
  const used: string[] = [];
  const stop = watchKeyPair({
    files,
    pair: await goodPair(files),
    clock,
    log,
    replace: ({ cert }) => used.push(new X509Certificate(cert).subject.replace('CN=', '')),
  });
  t.after(stop);
  const isLooking = async (): Promise<void> => {
    while (clock.pending === 0) await setImmediate();
  };
  const looked = async (): Promise<void> => {
    clock.advance(10_000);
    await isLooking();
  };
  return { directory, files, clock, lines, used, stop, looked, isLooking };
}

async function goodPair(files: KeyFiles): Promise<KeyPair> {
  const pair = await readKeyPair(files);
  assert.ok(typeof pair !== 'string');
  return pair;
}

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tallystick-tls-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function recorder(): { log: Parameters<typeof warnOfEnd>[2]; lines: string[] } {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push(`${level} ${message}`);
  return { log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }, lines };
}
