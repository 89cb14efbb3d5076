/**
 * An OpenID Connect provider for development, so that IDENTITY=oidc can be tried without an account anywhere: on this
 * computer only, without passwords, with keys made at its start. `oidc-provider` does the protocol; its pages are in
 * development-provider-pages.ts.
 */

import { generateKeyPair, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import { interactionPolicy, Provider } from 'oidc-provider';
import type { Configuration, JWK } from 'oidc-provider';
import { accountPage, errorPage, logoutPage, pageHeaders } from './development-provider-pages.ts';
import { users } from './users.ts';

export interface DevelopmentProviderOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly clientId: string;
  /** What access tokens are made out to. */
  readonly audience: string;
  /** How long an access token lives, in seconds. The login itself lasts a day. */
  readonly tokenTtl: number;
}

export interface DevelopmentProvider {
  readonly issuer: string;
  readonly close: () => void;
}

const daySeconds = 86_400;
const publicFolder = fileURLToPath(new URL('public', import.meta.url));

/** Where the page may be, on any port. */
const pages = ['http://localhost/', 'http://127.0.0.1/'];

/** Rejects like `listen` does, for instance with EADDRINUSE. */
export async function startDevelopmentProvider(options: DevelopmentProviderOptions): Promise<DevelopmentProvider> {
  const app = express();
  app.disable('x-powered-by');
  const server = app.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : options.port}`;
  const provider = new Provider(issuer, await configuration(options));
  serveLogin(app, provider);
  app.use(provider.callback());
  app.use(failed);
  return {
    issuer,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function configuration({ clientId, audience, tokenTtl }: DevelopmentProviderOptions): Promise<Configuration> {
  return {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: 'none',
        // Native: the page may be on any port of this computer.
        application_type: 'native',
        redirect_uris: pages,
        post_logout_redirect_uris: pages,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [await newKey()] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clientBasedCORS: (_ctx, origin) => pages.some((page) => URL.parse(page)?.hostname === URL.parse(origin)?.hostname),
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: '',
          audience: resource,
          accessTokenTTL: tokenTtl,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
      rpInitiatedLogout: {
        logoutSource: (ctx, form) => {
          ctx.set(pageHeaders);
          ctx.body = logoutPage(form);
        },
      },
    },
    interactions: { policy: withoutConsent(), url: (_ctx, { uid }) => `/login/${uid}` },
    findAccount: (_ctx, id) =>
      users.some((user) => user.id === id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined,
    loadExistingGrant: existingGrant,
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: tokenTtl,
      IdToken: tokenTtl,
      RefreshToken: daySeconds,
      Session: daySeconds,
      Grant: daySeconds,
      Interaction: 3_600,
    },
    renderError: (ctx, { error, error_description: description }) => {
      ctx.set(pageHeaders);
      ctx.type = 'html';
      ctx.body = errorPage(error, description);
    },
  };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return { ...(privateKey.export({ format: 'jwk' }) as JWK), alg: 'ES256', use: 'sig' };
}

/** Nobody is asked whether the page may know them: it is ours. */
function withoutConsent(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  return policy;
}

const existingGrant: Configuration['loadExistingGrant'] = async ({ oidc }) => {
  const { client, session } = oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const kept = known === undefined ? undefined : await oidc.provider.Grant.find(known);
  if (kept !== undefined) return kept;
  const grant = new oidc.provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope('openid');
  await grant.save();
  return grant;
};

/** The page where people choose who they are; the provider sends them there and back. */
function serveLogin(app: Express, provider: Provider): void {
  for (const file of ['style.css', 'icon.svg']) {
    app.get(`/${file}`, (_request, response) => response.sendFile(`${publicFolder}/${file}`));
  }
  app.get('/login/:uid', accountsRoute(provider));
  app.post('/login/:uid', express.urlencoded({ limit: '1kb' }), choiceRoute(provider));
}

function accountsRoute(provider: Provider) {
  return async (request: Request, response: Response): Promise<void> => {
    const { uid } = await provider.interactionDetails(request, response);
    response.set(pageHeaders).send(accountPage(`/login/${uid}`, users));
  };
}

function choiceRoute(provider: Provider) {
  return async (request: Request, response: Response): Promise<void> => {
    const id: unknown = Object(request.body).account;
    const account = users.find((user) => user.id === id);
    if (account === undefined) return void response.status(400).type('text').send('There is no such account.\n');
    await provider.interactionFinished(request, response, { login: { accountId: account.id } });
  };
}

/** Most likely a login page that lay open for too long, or was found in the history. */
function failed(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error);
  const status = Number(Object(error).status ?? 500);
  const page = errorPage(String(Object(error).error ?? 'error'), 'Go back to the quickstart and log in from there');
  response.status(status).set(pageHeaders).send(page);
}
