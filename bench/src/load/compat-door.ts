/** The compat door of Tallystick: a topic is a document, publishing is updating it, every push is acknowledged. */

import { mintToken } from '../credentials.ts';
import type { Credentials } from '../credentials.ts';
import { eventText, markPattern, readMark } from '../texts.ts';
import type { Mark } from '../texts.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { CompatConnection } from './compat-connection.ts';
import { createDocument, DocumentWriter } from './document-writer.ts';
import type { StoredDocument } from './document-writer.ts';
import type { Door } from './door.ts';
import { Finder } from './finder.ts';

const idPattern = '"id":"';

export class CompatDoor implements Door {
  readonly #url: URL;
  readonly #credentials: Credentials;
  readonly #marks = new Finder(markPattern);
  readonly #ids = new Finder(idPattern);
  readonly #acknowledgements = new Acknowledgements();
  readonly #writers: CompatConnection[] = [];
  readonly #documents: StoredDocument[] = [];

  constructor(url: URL, credentials: Credentials) {
    this.#url = url;
    this.#credentials = credentials;
  }

  async prepare(topics: number): Promise<void> {
    for (let topic = 0; topic < topics; topic++) {
      const writer = await this.#connect(`writer-${topic}`);
      this.#writers.push(writer);
      this.#documents.push(await createDocument(writer, '{}'));
    }
  }

  async subscribe(index: number, onEvent: (mark: Mark) => void): Promise<void> {
    const connection = await this.#connect(`subscriber-${index}`);
    await connection.subscribe(this.#documents);
    connection.socket.listen({
      onMessage: (bytes, start, end) => {
        const at = this.#marks.find(bytes, start, end);
        if (at === -1) return connection.handle(bytes, start, end);
        this.#acknowledgements.add(bytes, this.#ids.find(bytes, start, end) + idPattern.length);
        onEvent(readMark(bytes, at));
      },
      onTurn: () => {
        const answers = this.#acknowledgements.take();
        if (answers !== undefined) connection.socket.write(answers);
      },
    });
  }

  publisher(topic: number, onAccepted: () => void): Promise<(mark: Mark) => void> {
    const connection = this.#writers[topic];
    const document = this.#documents[topic];
    if (connection === undefined || document === undefined) throw new RangeError(`no topic ${topic}`);
    const writer = new DocumentWriter(connection, document, onAccepted);
    return Promise.resolve((mark) => writer.update(eventText(mark)));
  }

  #connect(identity: string): Promise<CompatConnection> {
    return CompatConnection.open(this.#url, mintToken(this.#credentials, identity));
  }
}
