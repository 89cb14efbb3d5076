/** `tallystick service`: the Sync services of the running installation, each with objects of its own. */

import { readArguments } from './arguments.ts';
import type { Command, Noun } from './command.ts';
import { minuteOf } from './human-time.ts';
import { OperatorApi } from './operator-api.ts';
import { columns, plain } from './plain-text.ts';
import { accessFlags, accessOptions } from './service-access.ts';

const createForm = {
  flags: {
    name: { value: 'TEXT', prose: 'A unique name for it, up to 320 characters.' },
    ...accessFlags,
  },
  options: accessOptions,
} as const;

const create: Command = {
  name: 'create',
  usage: 'tallystick service create [--name TEXT] [--json]',
  summary: 'make another service, with objects of its own',
  help: `Makes a service beside the default one. A token opens the service that it names,
and sees nothing of the others.`,
  ...createForm,
  async run(argv, surroundings) {
    const given = readArguments(argv, createForm, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const made = await api.createService(given.flags.name);
    if (given.flags.json) surroundings.out(JSON.stringify(made));
    else {
      const name = made.uniqueName === null ? '' : ` (${plain(made.uniqueName)})`;
      surroundings.out(
        `Service made${name}. A backend names it in its tokens:\n\n  TWILIO_SYNC_SERVICE_SID=${made.sid}`,
      );
    }
    return 0;
  },
};

const listForm = { flags: accessFlags, options: accessOptions } as const;

const list: Command = {
  name: 'list',
  usage: 'tallystick service list [--json]',
  summary: 'show all services',
  help: 'Shows all services. The default one is opened by tokens that name none.',
  ...listForm,
  async run(argv, surroundings) {
    const given = readArguments(argv, listForm, surroundings.env);
    const api = await OperatorApi.find(given, surroundings);
    const services = await api.services();
    const rows = services.map(({ sid, createdAt, isDefault, uniqueName }) => [
      plain(sid),
      minuteOf(createdAt),
      isDefault ? 'yes' : '',
      plain(uniqueName ?? '', 60),
    ]);
    surroundings.out(
      given.flags.json ? JSON.stringify(services) : columns([['SERVICE', 'CREATED', 'DEFAULT', 'NAME'], ...rows]),
    );
    return 0;
  },
};

export const service: Noun = {
  name: 'service',
  summary: 'create and list the Sync services',
  help: 'The Sync services of the running installation. Each has objects of its own.',
  verbs: [create, list],
};
