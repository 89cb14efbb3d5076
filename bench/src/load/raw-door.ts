/** The bare `ws` server of the baselines: what a publisher sends, all subscribers get. It accepts without saying so. */

import { eventText, markPattern, readMark } from '../texts.ts';
import type { Mark } from '../texts.ts';
import type { Door } from './door.ts';
import { Finder } from './finder.ts';
import { ClientSocket } from './websocket.ts';

export class RawDoor implements Door {
  readonly #url: URL;
  readonly #marks = new Finder(markPattern);

  constructor(url: URL) {
    this.#url = url;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(_index: number, onEvent: (mark: Mark) => void): Promise<void> {
    const onMessage = (bytes: Buffer, start: number, end: number): void =>
      onEvent(readMark(bytes, this.#marks.find(bytes, start, end)));
    return new ClientSocket(new URL('/subscribe', this.#url), { onMessage }).opened;
  }

  async publisher(_topic: number, onAccepted: () => void): Promise<(mark: Mark) => void> {
    const socket = new ClientSocket(new URL('/publish', this.#url), { onMessage: () => undefined });
    await socket.opened;
    return (mark) => {
      socket.sendText(eventText(mark));
      onAccepted();
    };
  }
}
