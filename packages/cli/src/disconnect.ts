/** `tallystick disconnect`: ends the connections of one identity, at once. */

import { identityProblem } from '@tallystick/protocol';
import { StartError } from '@tallystick/server';
import { readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { OperatorApi } from './operator-api.ts';
import { counted, plain } from './plain-text.ts';
import { accessFlags, accessOptions } from './service-access.ts';
import { checkedService } from './service-sid.ts';

const form = {
  flags: {
    identity: { value: 'ID', required: true, prose: 'Whose connections.' },
    service: { value: 'SID', prose: 'In which service; the default one if not given.' },
    ...accessFlags,
  },
  options: accessOptions,
} as const;

export const disconnect: Command = {
  name: 'disconnect',
  usage: 'tallystick disconnect --identity ID [--service SID] [--json]',
  summary: 'end the connections of one identity, at once',
  help: `Drops them all and says how many they were. Their clients come back as long as
their tokens are good: to keep somebody out, first have the backend give them no
new ones, and mind that a token lives until its end.`,
  ...form,
  async run(argv, surroundings) {
    const given = readArguments(argv, form, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const { identity, service, json } = given.flags;
    const problem = identityProblem(identity);
    if (problem !== undefined) throw new StartError(`--${problem}`);
    const dropped = await api.disconnect(checkedService(service) ?? 'default', identity);
    if (json) surroundings.out(JSON.stringify({ dropped }));
    else if (dropped === 0) surroundings.out(`${plain(identity)} had no connection.`);
    else {
      surroundings.out(`Dropped ${counted(dropped, 'connection')} of ${plain(identity)}.`);
      surroundings.out('A client comes back while its token is good, or the backend gives it another.');
    }
    return 0;
  },
};
