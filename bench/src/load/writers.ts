/** The load of `writes`: each writer updates its own document over its own connection as soon as the last was acknowledged. */

import { mintToken } from '../credentials.ts';
import type { Credentials } from '../credentials.ts';
import { Latencies, serveGenerator } from '../generator.ts';
import type { Generator, Mark } from '../generator.ts';
import { documentText } from '../texts.ts';
import { CompatConnection } from './compat-connection.ts';
import { createDocument, DocumentWriter } from './document-writer.ts';
import { each } from './each.ts';

export interface WritersPlan {
  readonly url: string;
  readonly credentials: Credentials;
  readonly writers: number;
}

interface Writer {
  readonly writer: DocumentWriter;
  n: number;
  since: number;
}

const connectsAtOnce = 16;

class Writers implements Generator<WritersPlan> {
  readonly #latencies = new Latencies();
  readonly #writers: Writer[] = [];
  #done = 0;
  #inFlight = 0;
  #running = false;
  #settled = Promise.withResolvers<void>();

  async open({ url, credentials, writers }: WritersPlan): Promise<void> {
    await each(writers, connectsAtOnce, async (index) => {
      const connection = await CompatConnection.open(new URL(url), mintToken(credentials, `writer-${index}`));
      const document = await createDocument(connection, documentText({ topic: index, n: 0 }));
      const writer = new DocumentWriter(connection, document, () => this.#acknowledged(index));
      this.#writers[index] = { writer, n: 0, since: 0 };
    });
  }

  run(inFlight: number): void {
    if (inFlight > this.#writers.length) throw new RangeError(`${inFlight} in flight of ${this.#writers.length}`);
    this.#running = true;
    this.#settled = Promise.withResolvers<void>();
    for (let index = 0; index < inFlight; index++) this.#write(index);
  }

  mark(): Mark {
    return this.#latencies.mark(this.#done);
  }

  settle(): Promise<void> {
    this.#running = false;
    return this.#settled.promise;
  }

  #write(index: number): void {
    const writer = this.#writers[index];
    if (writer === undefined) throw new RangeError(`no writer ${index}`);
    this.#inFlight++;
    writer.since = performance.now();
    writer.writer.update(documentText({ topic: index, n: ++writer.n }));
  }

  #acknowledged(index: number): void {
    this.#done++;
    this.#inFlight--;
    this.#latencies.record(performance.now() - (this.#writers[index]?.since ?? 0));
    if (this.#running) this.#write(index);
    else if (this.#inFlight === 0) this.#settled.resolve();
  }
}

serveGenerator(new Writers());
