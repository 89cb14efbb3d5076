/** Which message types a client takes, by the notification context that it named them in. [CON9] */

import type { ObjectKind } from '../../core/object.ts';
import { kindEvents, syncEvent } from './events.ts';

/** Contexts of one connection; clients make one. */
const mostContexts = 16;
const sentTypes: readonly unknown[] = [syncEvent, ...Object.values(kindEvents)];

export class Registrations {
  readonly #contexts: Map<string, readonly string[]> = new Map();
  /** Whether the client hears what became of its subscriptions. */
  takesOutcomes = false;
  /** The message type that live events of each kind go out in; undefined when the client takes none of them. */
  eventTypes: Readonly<Record<ObjectKind, string | undefined>> = {
    document: undefined,
    list: undefined,
    map: undefined,
    stream: undefined,
  };

  /** Replaces what the context named before. No types: the context is gone. */
  set(context: string, types: readonly string[]): void {
    this.#contexts.delete(context);
    if (types.length > 0 && this.#contexts.size < mostContexts) this.#contexts.set(context, types);
    const all = [...this.#contexts.values()].flat();
    this.takesOutcomes = all.includes(syncEvent);
    const typeOf = (kind: ObjectKind): string | undefined =>
      [kindEvents[kind], syncEvent].find((type) => all.includes(type));
    this.eventTypes = {
      document: typeOf('document'),
      list: typeOf('list'),
      map: typeOf('map'),
      stream: typeOf('stream'),
    };
  }
}

/** Which of the message types that are ever sent, registrations or the payload of a notification context name. */
export function messageTypesOf(registrations: readonly unknown[]): readonly string[] {
  return registrations.flatMap((registration) => {
    if (typeof registration !== 'object' || registration === null) return [];
    const { message_types: types } = registration as Readonly<Record<string, unknown>>;
    return Array.isArray(types) ? types.filter((type): type is string => sentTypes.includes(type)) : [];
  });
}
