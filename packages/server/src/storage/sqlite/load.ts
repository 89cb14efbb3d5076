/** Loading what the decisions of a batch must see, by point reads. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Need, ObjectNeed } from '../../core/command.ts';
import type { ItemKey, Sid } from '../../core/object.ts';
import { itemKey, Loaded, nameKey, oldMarkersKey } from '../apply.ts';
import {
  accountRow,
  itemColumns,
  keyColumn,
  keyOf,
  keyRow,
  markerRow,
  objectColumns,
  objectRow,
  serviceRow,
  storedItem,
} from './rows.ts';
import { prepareAll } from './statements.ts';

/** Where the bodies of the loaded rows stand; those of items by `itemKey`. */
export interface Seqs {
  readonly objects: Map<Sid, number>;
  readonly items: Map<string, number>;
}

export class BatchLoader {
  readonly #sql: Record<keyof typeof statementTexts, StatementSync>;
  #loaded: Loaded = new Loaded();
  #seqs: Seqs = { objects: new Map(), items: new Map() };

  constructor(database: DatabaseSync) {
    this.#sql = prepareAll(database, statementTexts);
  }

  load(needs: readonly Need[]): { readonly loaded: Loaded; readonly seqs: Seqs } {
    this.#loaded = new Loaded();
    this.#seqs = { objects: new Map(), items: new Map() };
    for (const need of needs) this.#loadOne(need);
    return { loaded: this.#loaded, seqs: this.#seqs };
  }

  #loadOne(need: Need): void {
    const loaded = this.#loaded;
    switch (need.need) {
      case 'account': {
        const row = this.#sql.account.get();
        if (row !== undefined) loaded.account = accountRow(row);
        return;
      }
      case 'service': {
        const row = this.#sql.service.get(need.sid);
        if (row !== undefined) loaded.services.set(need.sid, serviceRow(row));
        return;
      }
      case 'key': {
        const row = this.#sql.key.get(need.sid);
        if (row !== undefined) loaded.keys.set(need.sid, keyRow(row));
        return;
      }
      case 'object':
      case 'name':
        this.#loadObject(need);
        return;
      case 'item':
        this.#loadItem(need.of, need.key);
        return;
      case 'purge':
        this.#loadRemains(need.object, need.limit);
        return;
      case 'oldMarkers':
        this.#loadOldMarkers(need.object, need.upTo, need.limit);
    }
  }

  /** Returns the sid that the need means, whether or not an object is there. */
  #loadObject(need: ObjectNeed): Sid | undefined {
    const sid = need.need === 'object' ? need.sid : this.#sidOf(need.service, need.kind, need.name);
    if (sid === undefined || this.#loaded.objects.has(sid)) return sid;
    const row = this.#sql.object.get(sid);
    if (row === undefined) return sid;
    this.#loaded.objects.set(sid, objectRow(row));
    this.#seqs.objects.set(sid, row['seq'] as number);
    return sid;
  }

  #sidOf(...[service, kind, name]: Parameters<typeof nameKey>): Sid | undefined {
    const { names } = this.#loaded;
    const key = nameKey(service, kind, name);
    if (!names.has(key)) {
      const row = this.#sql.name.get(service, kind, name);
      if (row !== undefined) names.set(key, row['sid'] as string);
    }
    return names.get(key);
  }

  #loadItem(of: ObjectNeed, key: ItemKey): void {
    const object = this.#loadObject(of);
    if (object === undefined) return;
    const at = itemKey(object, key);
    const item = this.#sql.item.get(object, keyColumn(key));
    if (item !== undefined) {
      this.#loaded.items.set(at, storedItem(item));
      this.#seqs.items.set(at, item['seq'] as number);
      return;
    }
    // The index of a list is never used again, so only maps ask for what was removed.
    const marker = typeof key === 'string' ? this.#sql.marker.get(object, keyColumn(key)) : undefined;
    if (marker !== undefined) this.#loaded.markers.set(at, markerRow(marker));
  }

  #loadRemains(object: Sid, limit: number): void {
    if (this.#sql.purge.get(object) === undefined) return;
    const items = this.#sql.itemsLeft.all(object, limit).map((row) => {
      const key = keyOf(row['key']);
      this.#seqs.items.set(itemKey(object, key), row['seq'] as number);
      return key;
    });
    const markers = this.#sql.markersLeft.all(object, limit - items.length).map((row) => keyOf(row['key']));
    this.#loaded.purges.set(object, { items, markers, isAll: items.length + markers.length < limit });
  }

  #loadOldMarkers(object: Sid, upTo: number, limit: number): void {
    this.#loadObject({ need: 'object', sid: object });
    const markers = this.#sql.oldMarkers.all(object, upTo, limit).map(markerRow);
    this.#loaded.oldMarkers.set(oldMarkersKey(object, upTo), markers);
    for (const marker of markers) this.#loaded.markers.set(itemKey(object, marker.key), marker);
  }
}

const statementTexts = {
  account: 'SELECT * FROM account',
  service: 'SELECT * FROM service WHERE sid = ?',
  key: 'SELECT * FROM key WHERE sid = ?',
  object: `SELECT ${objectColumns} FROM object o WHERE o.sid = ?`,
  name: 'SELECT sid FROM name WHERE service = ? AND kind = ? AND name = ?',
  item: `SELECT ${itemColumns}, e.body FROM item i JOIN event e ON e.seq = i.seq WHERE i.object = ? AND i.key = ?`,
  marker: 'SELECT * FROM marker WHERE object = ? AND key = ?',
  purge: 'SELECT 1 FROM purge WHERE object = ?',
  itemsLeft: 'SELECT key, seq FROM item WHERE object = ? ORDER BY key LIMIT ?',
  markersLeft: 'SELECT key FROM marker WHERE object = ? ORDER BY key LIMIT ?',
  oldMarkers: 'SELECT * FROM marker WHERE object = ? AND event_id <= ? ORDER BY event_id LIMIT ?',
} as const;
