/** A small identity provider for tests: its configuration and its keys over real HTTP, and tokens signed as wanted. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { TestContext } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export interface KeyPair {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function keyPair(kid: string, alg = 'ES256'): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Provider {
  readonly issuer: string;
  /** The key that signs unless told otherwise. */
  readonly key: KeyPair;
  /** What the key set holds. Change it to rotate. */
  published: readonly JWK[];
  /** Paths in the order that they were asked for. */
  readonly asked: string[];
  /** Takes the place of the provider's own answers while it is there. */
  instead: RequestListener | undefined;
  /** A token for alice, with the given members replaced; undefined removes one. */
  token(claims?: Readonly<Record<string, unknown>>, header?: object, key?: KeyPair): Promise<string>;
  /** Ends the listening; `back` begins it again at the same address. */
  down(): Promise<void>;
  back(): Promise<void>;
}

export const audience = 'https://api.board.example';

/** `nowSeconds` is the time of the tokens. */
export async function startProvider(t: TestContext, nowSeconds: number): Promise<Provider> {
  const key = await keyPair('first');
  let server = createServer();
  let port = 0;
  const listen = async (): Promise<void> => {
    server = createServer((req, res) => {
      provider.asked.push(req.url ?? '');
      (provider.instead ?? answer)(req, res);
    });
    port = await listening(server, port);
  };
  const answer: RequestListener = (req, res) => {
    const configuration = { issuer: provider.issuer, jwks_uri: `${provider.issuer}/keys` };
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(req.url === '/keys' ? { keys: provider.published } : configuration));
  };
  const provider: Provider = {
    get issuer() {
      return `http://127.0.0.1:${port}`;
    },
    key,
    published: [key.jwk],
    asked: [],
    instead: undefined,
    token: (claims = {}, header = {}, { alg, kid, privateKey } = key) => {
      const all = { iss: provider.issuer, aud: audience, sub: 'alice', exp: nowSeconds + 60, ...claims };
      const jwt = new SignJWT(JSON.parse(JSON.stringify(all)));
      return jwt.setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
    },
    down: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    back: listen,
  };
  await listen();
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return provider;
}

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
