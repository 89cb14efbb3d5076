/** One event to a thousand subscribers: what a delivery costs, alone and when several events are under way. */

import { Child } from '../child.ts';
import { newCredentials } from '../credentials.ts';
import { RemoteGenerator } from '../generator.ts';
import type { SubscribersPlan } from '../load/subscribers.ts';
import { startServer } from '../server-under-test.ts';
import type { Scene, Stage, Subject, Workload } from '../workload.ts';

const subscribers = 1000;
const alone = { name: '1 in flight', inFlight: 1 };
const many = { name: '16 in flight', inFlight: 16 };

const rawProgram = { name: 'raw-ws', program: new URL('../baselines/raw-ws.ts', import.meta.url) };
const socketIoProgram = { name: 'socket-io', program: new URL('../baselines/socket-io.ts', import.meta.url) };

const tallystick: Subject = {
  name: 'tallystick (compat door)',
  set(stage) {
    const credentials = newCredentials();
    const server = startServer({ ...stage, dataDirectory: stage.directory, credentials });
    return setScene(stage, server, 'compat', credentials);
  },
};

const raw: Subject = {
  name: 'raw ws',
  set: (stage) => setScene(stage, new Child(rawProgram), 'raw'),
};

const socketIo: Subject = {
  name: 'socket.io',
  set: (stage) => setScene(stage, new Child(socketIoProgram), 'socket.io'),
};

async function setScene(
  stage: Stage,
  server: Child,
  door: SubscribersPlan['door'],
  credentials = newCredentials(),
): Promise<Scene> {
  stage.children.push(server);
  const url = await server.address();
  const child = new Child({ name: 'subscribers', program: new URL('../load/subscribers.ts', import.meta.url) });
  stage.children.push(child);
  const generator = new RemoteGenerator<SubscribersPlan>(child);
  await generator.open({ door, url: url.href, credentials, subscribers, topics: many.inFlight });
  return { server, generator };
}

const ofNativeDoor = 'the target of a native door; the compat door pays an acknowledgement for each delivery';

export const fanout: Workload = {
  name: 'fanout',
  title: `events of 300 bytes to ${subscribers} subscribers`,
  unit: 'deliveries/s',
  latencyOf: 'publish to the last delivery',
  subjects: [tallystick, raw, socketIo],
  cases: [alone, many],
  comparisons: [
    {
      case: alone.name,
      subject: tallystick.name,
      bound: socketIo.name,
      target: { ratio: 1.3, note: ofNativeDoor },
    },
    { case: alone.name, subject: tallystick.name, bound: raw.name, target: undefined },
    { case: many.name, subject: tallystick.name, bound: socketIo.name, target: { ratio: 5, note: ofNativeDoor } },
    { case: many.name, subject: tallystick.name, bound: raw.name, target: undefined },
  ],
};
