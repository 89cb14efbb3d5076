/**
 * The guide's app: an Express server whose `/token` route mints Access Tokens with the official `twilio` package, and a page
 * that uses them. It is a customer's backend in small, not a part of the service; it never talks to the service itself.
 */

import { realpathSync } from 'node:fs';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import twilio from 'twilio';
import { anonymousSender } from './authenticated-sender.ts';
import { missingCredentials, readSettings, SettingError } from './settings.ts';
import type { QuickstartSettings } from './settings.ts';

const { AccessToken } = twilio.jwt;

/** The official browser builds, as they lie in node_modules; nothing is loaded from another site. */
const vendorFiles = {
  '/vendor/jquery.js': '../../dist/jquery.min.js',
  '/vendor/twilio-sync.js': './twilio-sync.min.js',
  '/vendor/twilio-common.js': '../dist/twilio-common.min.js',
} as const;

/**
 * The app, not yet listening. Without account sid, API key sid or secret it serves the page all the same, and `/token`
 * answers 500 without saying what the values are.
 */
export function createQuickstart(settings: QuickstartSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  // An ETag of a token answer would let a cache keep it; static files bring their own.
  app.set('etag', false);
  app.use(securityHeaders(settings.socketUrl));
  app.get('/token', guardTokens, tokenRoute(settings));
  serveVendorFiles(app);
  app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));
  app.use((_request, response) => void response.status(404).type('text').send('There is nothing here.\n'));
  app.use(failed);
  return app;
}

function tokenRoute({ accountSid, apiKey, apiSecret, serviceSid, socketUrl, tokenTtl }: QuickstartSettings) {
  if (accountSid === undefined || apiKey === undefined || apiSecret === undefined) {
    return (_request: Request, response: Response): void =>
      refuse(response, 500, 'This server is not configured to mint tokens; its console says what is missing.');
  }
  const authenticatedSenderOf = anonymousSender(apiSecret);
  return async (request: Request, response: Response): Promise<void> => {
    const identity = await authenticatedSenderOf(request, response);
    if (identity === undefined) return refuse(response, 401, 'Not logged in.');
    const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl: tokenTtl });
    token.addGrant(new AccessToken.SyncGrant({ serviceSid }));
    response.json({ identity, token: token.toJwt(), url: socketUrl });
  };
}

/** For every answer of `/token`, refusals included. */
function guardTokens(request: Request, response: Response, next: NextFunction): void {
  response.set({ 'Cache-Control': 'no-store', Vary: 'Cookie, Authorization' });
  // Another site's page could not read the answer, but it has no business making visitors either.
  if (request.get('Sec-Fetch-Site') === 'cross-site') refuse(response, 403, 'Tokens are for pages of this site only.');
  else next();
}

function refuse(response: Response, status: number, message: string): void {
  response.status(status).json({ status, message });
}

function securityHeaders(socketUrl: string) {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${new URL(socketUrl).origin}`,
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
  process.stderr.write(
    `${request.method} ${request.path} failed: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  refuse(response, 500, 'This server failed to answer; its console says why.');
}

function main(): void {
  const settings = readSettings(process.env);
  const missing = missingCredentials(settings);
  if (missing !== undefined) process.stderr.write(`${missing}\n`);
  const server = createQuickstart(settings).listen(settings.port, '127.0.0.1', (error?: Error) => {
    if (error) return stop(startProblem(error, settings.port));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : settings.port;
    process.stdout.write(`Quickstart on http://127.0.0.1:${port}\n`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => close(server));
}

function startProblem(error: Error, port: number): string {
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program: stop that, or give another port, like PORT=${port === 3001 ? 3002 : 3001}.`;
  }
  return `The quickstart cannot listen on port ${port}: ${error.message}`;
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
  try {
    main();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    stop(error.message);
  }
}
