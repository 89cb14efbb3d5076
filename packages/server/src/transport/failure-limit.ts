/** How often wrong credentials may come from one address: ten in a minute, then none until that minute is over. [ADM2] [RST2] */

import type { Clock } from '../platform.ts';

/** How often an address may be wrong. */
export interface FailureLimit {
  /** Milliseconds until that address may try again; 0: now. */
  waitOf(address: string): number;
  failed(address: string): void;
}

const mostFailures = 10;
const windowMs = 60_000;
/** Addresses remembered; beyond it all are forgotten, which costs a guesser of many addresses nothing he had not. */
const mostAddresses = 10_000;

interface Window {
  readonly endsAt: number;
  failures: number;
}

export function createFailureLimit(clock: Pick<Clock, 'now'>): FailureLimit {
  const windows = new Map<string, Window>();
  return {
    waitOf(address) {
      const window = windows.get(address);
      return window === undefined || window.failures < mostFailures ? 0 : Math.max(0, window.endsAt - clock.now());
    },
    failed(address) {
      const now = clock.now();
      const window = windows.get(address);
      if (window !== undefined && now < window.endsAt) {
        window.failures++;
        return;
      }
      if (windows.size >= mostAddresses) windows.clear();
      windows.set(address, { endsAt: now + windowMs, failures: 1 });
    },
  };
}
