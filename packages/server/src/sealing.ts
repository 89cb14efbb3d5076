/**
 * Secrets at rest: AES-256-GCM under a key derived from the secrets key. Each is bound to the sid it belongs to, so that
 * a sealed text copied to another row does not open. [ACC5]
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Sealer } from './platform.ts';

const version = 'v1.';
const nonceBytes = 12;
const tagBytes = 16;

/** `secretsKey`: text that nobody can guess, such as 32 random bytes in base64url. */
export function createSealer(secretsKey: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secretsKey, '', 'tallystick secrets at rest', 32));
  return {
    seal(sid, secret) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(sid));
      const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return version + sealed.toString('base64url');
    },
    open(sid, text) {
      const sealed = Buffer.from(text.slice(version.length), 'base64url');
      if (!text.startsWith(version) || sealed.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(sid));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      try {
        return decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
