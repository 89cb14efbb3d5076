/** The socket.io server of the baselines, over WebSocket, in as much of its protocol as the load needs. */

import { eventText, markPattern, readMark } from '../texts.ts';
import type { Mark } from '../texts.ts';
import type { Door } from './door.ts';
import { Finder } from './finder.ts';
import { ClientSocket } from './websocket.ts';

/** Packets: the first digit is the transport's, the second the namespace's. */
const packets = { opened: '0', ping: '2', pong: '3', connect: '40', event: '42', acknowledged: '43' } as const;

export class SocketIoDoor implements Door {
  readonly #url: URL;
  readonly #marks = new Finder(markPattern);
  #topics = 0;

  constructor(url: URL) {
    this.#url = url;
  }

  prepare(topics: number): Promise<void> {
    this.#topics = topics;
    return Promise.resolve();
  }

  async subscribe(_index: number, onEvent: (mark: Mark) => void): Promise<void> {
    await this.#connect(this.#topics, (bytes, start, end) => {
      const at = this.#marks.find(bytes, start, end);
      if (at !== -1) onEvent(readMark(bytes, at));
      return at !== -1;
    });
  }

  async publisher(topic: number, onAccepted: () => void): Promise<(mark: Mark) => void> {
    const socket = await this.#connect(0, (bytes, start) => {
      const accepted = bytes.toString('latin1', start, start + 2) === packets.acknowledged;
      if (accepted) onAccepted();
      return accepted;
    });
    let id = 0;
    return (mark) => socket.sendText(`${packets.event}${++id}["publish",${topic},${eventText(mark)}]`);
  }

  /** `take` says whether a message was its own; the others keep the connection going. */
  async #connect(topics: number, take: (bytes: Buffer, start: number, end: number) => boolean): Promise<ClientSocket> {
    const connected = Promise.withResolvers<void>();
    const url = new URL(`?EIO=4&transport=websocket&topics=${topics}`, this.#url);
    const socket = new ClientSocket(url, {
      onMessage: (bytes, start, end) => {
        if (take(bytes, start, end)) return;
        const text = bytes.toString('utf8', start, end);
        if (text.startsWith(packets.connect)) connected.resolve();
        else if (text.startsWith(packets.opened)) socket.sendText(packets.connect);
        else if (text === packets.ping) socket.sendText(packets.pong);
        else throw new Error(`an unknown packet: ${text}`);
      },
    });
    await connected.promise;
    return socket;
  }
}
