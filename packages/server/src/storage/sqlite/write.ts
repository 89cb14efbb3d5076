/** Writing the rows that a batch leaves behind. Only what changed is touched, however large its object is. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ObjectRow, StoredItem } from '../../core/object.ts';
import type { WriteSet, WrittenItem } from '../apply.ts';
import type { Seqs } from './load.ts';
import { keyColumn } from './rows.ts';
import { prepareAll } from './statements.ts';

export class RowWriter {
  readonly #sql: Record<keyof typeof statementTexts, StatementSync>;
  #seq = 0;
  #freed: number[] = [];

  constructor(database: DatabaseSync) {
    this.#sql = prepareAll(database, statementTexts);
  }

  /** Bodies are appended from `nextSeq` on; adds to `freed` those that nothing points to. Returns the first unused seq. */
  write(writes: WriteSet, seqs: Seqs, nextSeq: number, freed: number[]): number {
    const sql = this.#sql;
    this.#seq = nextSeq;
    this.#freed = freed;
    if (writes.account !== undefined) {
      sql.putAccount.run(writes.account.sid, writes.account.authToken, writes.account.createdAt);
    }
    for (const row of writes.services.values()) sql.putService.run(row.sid, row.account, row.uniqueName, row.createdAt);
    for (const row of writes.keys.values()) {
      sql.putKey.run(row.sid, row.account, row.name, row.secret, row.createdAt, row.revokedAt);
    }
    for (const [sid, row] of writes.objects) {
      const before = seqs.objects.get(sid);
      if (row === null) {
        sql.dropObject.run(sid);
        this.#free(before);
      } else this.#putObject(row, before, writes.bodies.get(sid));
    }
    for (const holder of writes.names.values()) {
      if (holder.sid === null) sql.dropName.run(holder.service, holder.kind, holder.name);
      else sql.putName.run(holder.service, holder.kind, holder.name, holder.sid);
    }
    for (const { object, key, row } of writes.markers.values()) {
      if (row === null) sql.dropMarker.run(object, keyColumn(key));
      else sql.putMarker.run(object, keyColumn(key), row.eventId, row.removedAt);
    }
    for (const [at, item] of writes.items) {
      if (item.stored === null) this.#dropItem(item, seqs.items.get(at));
      else this.#putItem(item, item.stored, seqs.items.get(at));
    }
    for (const [object, state] of writes.purges) {
      if (state === null) sql.dropPurge.run(object);
      else sql.putPurge.run(object);
    }
    return this.#seq;
  }

  /** 0 is the seq of objects without a body. */
  #free(seq: number | undefined): void {
    if (seq !== undefined && seq !== 0) this.#freed.push(seq);
  }

  #putObject(row: ObjectRow, before: number | undefined, body: string | undefined): void {
    let seq = before ?? 0;
    if (body !== undefined) {
      this.#free(before);
      seq = this.#seq++;
      this.#sql.putEvent.run(seq, row.sid, row.eventId, body);
    }
    const { sid, eventId, updatedAt, expiresAt, nextIndex, markers, trimmedTo } = row;
    if (before !== undefined) {
      this.#sql.updateObject.run(eventId, seq, updatedAt, expiresAt, nextIndex, trimmedTo, sid);
      // A statement of its own, since it moves the object in an index, and most writes leave it where it is.
      if (row.kind === 'list' || row.kind === 'map') this.#sql.setMarkers.run(markers, sid, markers);
      return;
    }
    this.#sql.insertObject.run(
      sid,
      row.account,
      row.service,
      row.kind,
      row.uniqueName,
      eventId,
      seq,
      row.createdAt,
      updatedAt,
      expiresAt,
      row.createdBy,
      nextIndex,
      markers,
      trimmedTo,
    );
  }

  #dropItem({ object, key }: WrittenItem, before: number | undefined): void {
    this.#sql.dropItem.run(object, keyColumn(key));
    this.#free(before);
  }

  #putItem({ object, key, hasNewData }: WrittenItem, stored: StoredItem, before: number | undefined): void {
    const { eventId, addedId, createdAt, updatedAt, expiresAt, createdBy } = stored.row;
    let seq = before ?? 0;
    if (hasNewData) {
      this.#free(before);
      seq = this.#seq++;
      this.#sql.putEvent.run(seq, object, eventId, stored.data);
    }
    const columns = [eventId, addedId, seq, createdAt, updatedAt, expiresAt, createdBy] as const;
    if (before === undefined) this.#sql.insertItem.run(object, keyColumn(key), ...columns);
    else this.#sql.updateItem.run(...columns, object, keyColumn(key));
  }
}

const statementTexts = {
  putAccount: 'INSERT OR REPLACE INTO account VALUES (?, ?, ?)',
  putService: 'INSERT OR REPLACE INTO service VALUES (?, ?, ?, ?)',
  putKey: 'INSERT OR REPLACE INTO key VALUES (?, ?, ?, ?, ?, ?)',
  putEvent: 'INSERT INTO event VALUES (?, ?, ?, ?)',
  insertObject: `INSERT INTO object (
    sid, account, service, kind, unique_name, event_id, seq, created_at, updated_at, expires_at, created_by, next_index,
    markers, trimmed_to
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  updateObject:
    'UPDATE object SET event_id = ?, seq = ?, updated_at = ?, expires_at = ?, next_index = ?, trimmed_to = ? WHERE sid = ?',
  setMarkers: 'UPDATE object SET markers = ? WHERE sid = ? AND markers <> ?',
  dropObject: 'DELETE FROM object WHERE sid = ?',
  putName: 'INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)',
  dropName: 'DELETE FROM name WHERE service = ? AND kind = ? AND name = ?',
  insertItem: 'INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  updateItem: `UPDATE item SET
    event_id = ?, added_id = ?, seq = ?, created_at = ?, updated_at = ?, expires_at = ?, created_by = ?
    WHERE object = ? AND key = ?`,
  dropItem: 'DELETE FROM item WHERE object = ? AND key = ?',
  putMarker: 'INSERT OR REPLACE INTO marker VALUES (?, ?, ?, ?)',
  dropMarker: 'DELETE FROM marker WHERE object = ? AND key = ?',
  putPurge: 'INSERT OR IGNORE INTO purge VALUES (?)',
  dropPurge: 'DELETE FROM purge WHERE object = ?',
} as const;
