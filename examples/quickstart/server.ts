/**
 * The guide's app: an Express server whose `/token` route mints Access Tokens with the official `twilio` package, and a page
 * that uses them. It is a customer's backend in small, not a part of the service; it never talks to the service itself.
 */

import { realpathSync } from 'node:fs';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { identify, tokenLimits } from '@tallystick/token';
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import twilio from 'twilio';
import { authenticatedSenderOf } from './authenticated-sender.ts';
import { loginRoutes } from './login.ts';
import { sessions } from './sessions.ts';
import { missingCredentials, readSettings, SettingError } from './settings.ts';
import type { QuickstartSettings } from './settings.ts';

const { AccessToken } = twilio.jwt;

/** The official browser builds, as they lie in node_modules; nothing is loaded from another site. */
const vendorFiles = {
  '/vendor/jquery.js': '../../dist/jquery.min.js',
  '/vendor/twilio-sync.js': './twilio-sync.min.js',
  '/vendor/twilio-common.js': '../dist/twilio-common.min.js',
  '/vendor/oauth4webapi.js': './index.js',
} as const;

/** How many names a minute IDENTITY=random gives out to everybody together. */
const mostRandomNames = 60;

export interface Quickstart {
  /** Not yet listening. */
  readonly app: Express;
  /** What was started beside it ends. */
  readonly close: () => void;
}

/** The app and, in IDENTITY=oidc without a provider, the one for development. Rejects when that cannot listen. */
export async function openQuickstart(settings: QuickstartSettings): Promise<Quickstart> {
  if (settings.identity !== 'oidc' || settings.oidc.issuer !== undefined) {
    return { app: createQuickstart(settings), close: () => {} };
  }
  const { startDevelopmentProvider } = await import('./development-provider.ts');
  const { oidc, tokenTtl } = settings;
  const provider = await startDevelopmentProvider({ ...oidc, port: oidc.developmentPort, tokenTtl });
  return { app: createQuickstart({ ...settings, oidc: { ...oidc, issuer: provider.issuer } }), close: provider.close };
}

/**
 * The app alone. Without account sid, API key sid or secret it serves the page all the same, and `/token` answers 500
 * without saying what the values are.
 */
export function createQuickstart(settings: QuickstartSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  // An ETag of a token answer would let a cache keep it; static files bring their own.
  app.set('etag', false);
  if (settings.trustProxy !== undefined) app.set('trust proxy', settings.trustProxy);
  app.use(securityHeaders(settings));
  if (settings.identity === 'login') {
    app.use(['/token', '/login', '/logout'], sessions(settings.sessionSecret));
    app.use(loginRoutes((error) => tellConsole('POST /login', error)));
  }
  app.get('/way', wayRoute(settings));
  app.get('/token', tokenRoute(settings));
  serveVendorFiles(app);
  app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));
  app.use((_request, response) => void response.status(404).type('text').send('There is nothing here.\n'));
  app.use(failed);
  return app;
}

/** How it is decided who asks, and what the page must know to log in. */
function wayRoute({ identity, oidc: { issuer, clientId, audience } }: QuickstartSettings) {
  const way = identity === 'oidc' ? { way: identity, issuer, clientId, audience } : { way: identity };
  return (_request: Request, response: Response): void => void response.set('Cache-Control', 'no-store').json(way);
}

function tokenRoute(settings: QuickstartSettings) {
  const { accountSid, apiKey, apiSecret, serviceSid, socketUrl, tokenTtl } = settings;
  if (accountSid === undefined || apiKey === undefined || apiSecret === undefined) {
    return (_request: Request, response: Response): void => {
      response.set('Cache-Control', 'no-store');
      refuse(response, 500, 'This server is not configured to mint tokens; its console says what is missing.');
    };
  }
  const onError = (error: unknown): void => tellConsole('GET /token', error);
  const sender = authenticatedSenderOf(settings, apiSecret);
  const limits = tokenLimits({ total: settings.identity === 'random' ? mostRandomNames : 0 });
  return async (request: Request, response: Response): Promise<void> => {
    const identity = await identify(sender, request, response, { limits, onError });
    // It has been refused already: nobody is logged in (401), other site (403), too many (429), no provider (503).
    if (identity === undefined) return;
    const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl: tokenTtl });
    token.addGrant(new AccessToken.SyncGrant({ serviceSid }));
    response.json({ identity, token: token.toJwt(), url: socketUrl });
  };
}

function refuse(response: Response, status: number, message: string): void {
  response.status(status).json({ status, message });
}

function securityHeaders({ socketUrl, identity, oidc: { issuer } }: QuickstartSettings) {
  // With a login elsewhere the page fetches that one's tokens itself.
  const provider = identity === 'oidc' && issuer !== undefined ? [new URL(issuer).origin] : [];
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", new URL(socketUrl).origin, ...provider].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return (_request: Request, response: Response, next: NextFunction): void => {
    response.set({
      'Content-Security-Policy': policy,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  };
}

function serveVendorFiles(app: Express): void {
  for (const [path, file] of Object.entries(vendorFiles)) {
    const name = path.slice('/vendor/'.length, -'.js'.length);
    const location = fileURLToPath(new URL(file, import.meta.resolve(name)));
    app.get(path, (_request, response) => response.sendFile(location));
  }
}

/** Express knows an error handler by its four parameters. Its own would print a stack to the visitor. */
function failed(error: unknown, request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) return next(error);
  const status: unknown = Object(error).status;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return refuse(response, status, 'That cannot be read.');
  tellConsole(`${request.method} ${request.path}`, error);
  refuse(response, 500, 'This server failed to answer; its console says why.');
}

function tellConsole(what: string, error: unknown): void {
  process.stderr.write(`${what} failed: ${error instanceof Error ? error.message : String(error)}\n`);
}

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const missing = missingCredentials(settings);
  if (missing !== undefined) process.stderr.write(`${missing}\n`);
  const quickstart = await openQuickstart(settings).catch((error: unknown) => {
    if (Object(error).syscall !== 'listen') throw error;
    throw new SettingError(startProblem(error, 'OIDC_PORT', settings.oidc.developmentPort));
  });
  const server = quickstart.app.listen(settings.port, '127.0.0.1', (error?: Error) => {
    if (error) {
      quickstart.close();
      return stop(startProblem(error, 'PORT', settings.port));
    }
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : settings.port;
    process.stdout.write(`Quickstart on http://127.0.0.1:${port}\n`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      quickstart.close();
      close(server);
    });
  }
}

function startProblem(error: unknown, name: string, port: number): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program: stop that, or give another port, like ${name}=${port === 3001 ? 3002 : 3001}.`;
  }
  return `The quickstart cannot listen on port ${port}: ${error instanceof Error ? error.message : String(error)}`;
}

function stop(reason: string): void {
  process.stderr.write(`${reason}\n`);
  process.exitCode = 1;
}

function close(server: Server): void {
  server.close();
  // Browsers keep idle connections; waiting for those would hold the process for minutes.
  server.closeAllConnections();
}

// Not import.meta.main: Node 24 has it from 24.2 on only.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  await main().catch((error: unknown) => {
    if (!(error instanceof SettingError)) throw error;
    stop(error.message);
  });
}
