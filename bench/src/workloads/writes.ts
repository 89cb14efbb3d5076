/** Durable document updates: how much of what the embedded database can do is left after the door and the rules. */

import type { EnginePlan } from '../baselines/engine.ts';
import { Child } from '../child.ts';
import { newCredentials } from '../credentials.ts';
import { RemoteGenerator } from '../generator.ts';
import type { WritersPlan } from '../load/writers.ts';
import { startServer } from '../server-under-test.ts';
import type { Subject, Workload } from '../workload.ts';

const writers = 64;

const tallystick: Subject = {
  name: 'tallystick (compat door)',
  async set(stage) {
    const credentials = newCredentials();
    const server = startServer({ ...stage, dataDirectory: stage.directory, credentials });
    stage.children.push(server);
    const url = await server.address();
    const child = new Child({ name: 'writers', program: new URL('../load/writers.ts', import.meta.url) });
    stage.children.push(child);
    const generator = new RemoteGenerator<WritersPlan>(child);
    await generator.open({ url: url.href, credentials, writers });
    return { server, generator };
  },
};

const bareEngine: Subject = {
  name: 'bare engine',
  async set(stage) {
    const child = new Child({ name: 'bare engine', program: new URL('../baselines/engine.ts', import.meta.url) });
    stage.children.push(child);
    const generator = new RemoteGenerator<EnginePlan>(child);
    await generator.open({ directory: stage.directory, writers });
    return { server: undefined, generator };
  },
};

const everyWriter = { name: `${writers} writers`, inFlight: writers };

export const writes: Workload = {
  name: 'writes',
  title: `acknowledged durable updates of ${writers} documents of 850 bytes, a writer each`,
  unit: 'acks/s',
  latencyOf: 'update to acknowledgement',
  subjects: [tallystick, bareEngine],
  cases: [everyWriter],
  comparisons: [{ case: everyWriter.name, subject: tallystick.name, bound: bareEngine.name, target: { ratio: 0.4 } }],
};
