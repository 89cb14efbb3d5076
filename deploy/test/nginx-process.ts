/**
 * Debian's nginx with the shipped files: `nginx.conf` as it is, but for the values that every user changes too, inside
 * the main settings that README.md tells. Each nginx has a directory of its own, and listens on loopback alone.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { until, within } from '../../conformance/harness/deadline.ts';

const program = '/usr/sbin/nginx';

/** Why nothing here can run; undefined when it can. */
export const missing: string | undefined = [program, '/usr/bin/openssl'].find((path) => !isProgram(path));

/** A loopback address that nobody else on this machine has a reason to listen on. */
const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;

export interface Nginx {
  /** Its address for HTTP, `https://…`. */
  readonly origin: string;
  readonly socketUrl: string;
  /** What it logged so far, notices and worse. */
  log(): string;
  /** Resolves when new workers have taken over; the old ones keep their connections. */
  reload(): Promise<void>;
}

export interface NginxOptions {
  /** Of old workers, in place of the one that README.md tells. */
  readonly shutdownTimeout?: string;
  /** A proxy before nginx, as the comment in the site says. @default none */
  readonly outerProxy?: string;
  /** The address of a back end, for which the REST API is opened as the comment in the site says. @default none */
  readonly backEnd?: string;
}

export async function startNginx(t: TestContext, servicePort: number, options: NginxOptions = {}): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'tallystick-nginx-'));
  const port = await freePort();
  makeCertificate(directory);
  await writeFile(join(directory, 'site.conf'), siteOf({ directory, port, servicePort, ...options }));
  await writeFile(join(directory, 'nginx.conf'), mainOf(options));
  const args = ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await within('nginx ends', exited);
    await rm(directory, { recursive: true });
  });
  const log = logOf(child);
  const logs = async (what: string, from: number, lines: readonly string[]): Promise<void> => {
    const isThere = (): boolean => {
      assert.equal(child.exitCode, null, log());
      return lines.every((line) => log().includes(line, from));
    };
    await until(() => `nginx ${what}: ${log()}`, isThere);
  };
  await logs('starts', 0, ['start worker process ']);
  return {
    origin: `https://${host}:${port}`,
    socketUrl: `wss://${host}:${port}/v3/wsconnect`,
    log,
    async reload() {
      const from = log().length;
      execFileSync(program, [...args, '-s', 'reload'], { stdio: 'ignore' });
      await logs('reloads', from, ['start worker process ', 'gracefully shutting down']);
    },
  };
}

interface SiteOptions extends NginxOptions {
  readonly directory: string;
  readonly port: number;
  readonly servicePort: number;
}

/** The shipped site with the values of this machine. Each must be there exactly once. */
function siteOf({ directory, port, servicePort, outerProxy, backEnd }: SiteOptions): string {
  const values: Record<string, string> = {
    'server 127.0.0.1:8080;': `server 127.0.0.1:${servicePort};`,
    'listen 443 ssl;': `listen ${host}:${port} ssl;`,
    // Not every machine has IPv6.
    'listen [::]:443 ssl;': `listen unix:${directory}/socket ssl;`,
    '/etc/letsencrypt/live/sync.example.org/fullchain.pem': `${directory}/cert.pem`,
    '/etc/letsencrypt/live/sync.example.org/privkey.pem': `${directory}/key.pem`,
  };
  if (outerProxy !== undefined) {
    values['#     set_real_ip_from 10.0.0.0/8;'] = `set_real_ip_from ${outerProxy};`;
    values['#     real_ip_header'] = 'real_ip_header';
    values['#     real_ip_recursive'] = 'real_ip_recursive';
  }
  let site = shipped('nginx.conf');
  if (backEnd !== undefined) {
    // Lines of configuration follow their "#" at once, or after whole steps of indentation; prose after one blank.
    site = site.replaceAll(/^ {4}#(?=( {4})*\S)/gm, '    ');
    values['allow 10.0.0.0/8;'] = `allow ${backEnd};`;
  }
  for (const [value, mine] of Object.entries(values)) {
    assert.equal(site.split(value).length, 2, `nginx.conf has ${value} once`);
    site = site.replace(value, mine);
  }
  return site;
}

function mainOf({ shutdownTimeout = '1h' }: NginxOptions): string {
  const main = /```nginx\n(.*?)```/s.exec(shipped('README.md'))?.[1];
  assert.ok(main !== undefined && main.includes('worker_shutdown_timeout 1h;'), 'README.md tells the main settings');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`);
  return `
    daemon off;
    pid nginx.pid;
    error_log stderr notice;
    ${main.replace('1h;', `${shutdownTimeout};`)}
    http {
      access_log off;
      ${temporary.join('\n')}
      include site.conf;
    }`;
}

function shipped(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

/** For the address and for the name in the shipped site. From now on this process trusts it. */
function makeCertificate(directory: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
  const names = ['-subj', '/CN=tallystick test', '-addext', `subjectAltName=DNS:sync.example.org,IP:${host}`];
  const args = ['req', '-x509', ...key, '-out', 'cert.pem', '-days', '2', ...names];
  execFileSync('/usr/bin/openssl', args, { cwd: directory, stdio: 'ignore' });
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(join(directory, 'cert.pem'), 'utf8')]);
}

function logOf(child: ChildProcess): () => string {
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (log += text));
  return () => log;
}

/** nginx takes no port 0. Free a moment ago, on an address that only this process uses. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
