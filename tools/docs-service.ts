/** The service that a README block marked `with-service` talks to: in memory, on a free port, with credentials made up. */
import { createServer, loadConfig } from '@tallystick/server';
import { randomBytes } from 'node:crypto';

/** A service for one block. */
export interface Service {
  /** What the block needs to reach it: address and credentials. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts one; `env` has the names of a credentials file, and the address of the socket. */
export async function startService(): Promise<Service> {
  const hex = (): string => randomBytes(16).toString('hex');
  const env = {
    TALLYSTICK_ACCOUNT_SID: `AC${hex()}`,
    TALLYSTICK_AUTH_TOKEN: hex(),
    TALLYSTICK_API_KEY: `SK${hex()}`,
    TALLYSTICK_API_SECRET: hex(),
    TALLYSTICK_SERVICE_SID: `IS${hex()}`,
  };
  const settings = { TALLYSTICK_STORE: 'memory', TALLYSTICK_PORT: '0', TALLYSTICK_LOG_LEVEL: 'error' };
  const { credentials, ...config } = loadConfig({ argv: [], env: { ...env, ...settings } });
  if (credentials === undefined) throw new Error('the service took no credentials');
  const server = await createServer({ ...config, credentials });
  const forBackends = {
    TWILIO_ACCOUNT_SID: credentials.accountSid,
    TWILIO_API_KEY: credentials.apiKey,
    TWILIO_API_SECRET: credentials.apiSecret,
    TWILIO_SYNC_SERVICE_SID: credentials.serviceSid,
  };
  return { env: { ...env, ...forBackends, TALLYSTICK_SOCKET_URL: server.socketUrl }, stop: () => server.stop() };
}
