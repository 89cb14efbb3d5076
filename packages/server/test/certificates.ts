/** Certificates and keys that live for a test, made by the openssl of the system. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { KeyFiles } from '../src/transport/tls.ts';

const maker = 'openssl';

/** A self-signed one for localhost and 127.0.0.1, in `<name>.pem` and `<name>-key.pem`. */
export function makeCertificate(directory: string, name: string): KeyFiles {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const where = ['-keyout', files.key, '-out', files.cert];
  execFileSync(maker, ['req', '-x509', ...curve, ...names, '-days', '2', ...where], { stdio: 'pipe' });
  return files;
}
