/** Every command, in the order of the help. Those with verbs have a file of their own. */

import type { Command, Noun } from './command.ts';
import { dev } from './dev.ts';
import { disconnect } from './disconnect.ts';
import { init } from './init.ts';
import { keys } from './keys.ts';
import { serve } from './serve.ts';
import { service } from './service.ts';
import { token } from './token.ts';

export const commands: readonly (Command | Noun)[] = [
  {
    name: 'dev',
    usage: 'tallystick dev [options] [-- command ...]',
    summary: 'run the service, and your app beside it, for development',
    help: `Makes credentials if there are none, starts the service and then the command,
which finds in its environment: TWILIO_ACCOUNT_SID, TWILIO_API_KEY,
TWILIO_API_SECRET, TWILIO_SYNC_SERVICE_SID, TALLYSTICK_SOCKET_URL and PORT
(3000 unless set). When the command ends, the service stops.`,
    passesOn: true,
    endsInOrder: true,
    run: dev,
  },
  {
    name: 'serve',
    usage: 'tallystick serve [options]',
    summary: 'run the service in production',
    help: `Takes the credentials from the environment, or else from the file that
\`tallystick init\` made in the data directory. SIGTERM and SIGINT close the
connections within --drain-ms and stop; a second signal exits at once.`,
    endsInOrder: true,
    run: serve,
  },
  {
    name: 'init',
    usage: 'tallystick init [--data-dir path]',
    summary: 'make the credentials of a new service, once',
    help: `Writes them to credentials.env in the data directory, readable by you alone.
Credentials that exist are never changed.`,
    options: ['dataDir'],
    run: init,
  },
  keys,
  token,
  service,
  disconnect,
];
