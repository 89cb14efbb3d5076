/** The server under test as a process: this checkout's, configured by the environment alone, stopped by a signal. */

import process from 'node:process';
import { createServer, loadConfig } from '@tallystick/server';

const config = loadConfig({ argv: [], env: process.env });
if (config.credentials === undefined) throw new Error('no credentials in the environment');
const server = await createServer({ ...config, credentials: config.credentials });
process.stdout.write(`${server.socketUrl}\n`);
process.once('SIGTERM', () => {
  // An explicit end, so that a profile is written.
  void server.stop().then(() => process.exit());
});
