/** The bus of a single node: a call. */

import type { ObjectEvent } from '../core/change.ts';
import type { Bus } from './bus.ts';

export function createLocalBus(): Bus {
  let deliver: (event: ObjectEvent) => void = () => {};
  return {
    publish: (event) => deliver(event),
    follow: () => Promise.resolve(),
    unfollow: () => {},
    onEvent(listener) {
      deliver = listener;
    },
    close: () => Promise.resolve(),
  };
}
