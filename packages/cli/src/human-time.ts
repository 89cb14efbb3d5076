/** Times for people: how far away a moment is, and which it is in UTC. */

import { plain } from './plain-text.ts';

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** "12 min", "3 h", "2 d": in the largest unit of which there are two, rounded down; the sign does not count. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  const [unitMs, name] = units.find(([unit]) => size >= 2 * unit) ?? [1000, 's'];
  return `${Math.floor(size / unitMs)} ${name}`;
}

/** "2026-11-24 19:20:00 UTC", or undefined for a moment that no calendar has. */
export function utc(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime())
    ? undefined
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC');
}

/** "2026-11-24 19:20" of an ISO time in UTC. */
export function minuteOf(iso: string): string {
  return plain(iso.slice(0, 16).replace('T', ' '));
}
