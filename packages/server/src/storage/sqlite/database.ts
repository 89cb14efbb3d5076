/** Opening the data directory: its rights, its lock against a second process, the schema and the epoch. */

import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageRefused } from '../storage.ts';
import { makeDirectory } from './directory.ts';
import { migrations } from './migrations.ts';

const fileName = 'tallystick.db';

/** Makes the directory (mode 0700) or refuses it in one line. */
export function prepareDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StorageRefused(`the data directory ${directory} cannot be written (${reason(error)})`, { cause: error });
  }
}

/**
 * Takes the directory for this process until the returned function is called or the process dies: a lock of the
 * operating system on a file of its own, so that a crash never leaves a stale one.
 */
export function lockDirectory(directory: string): () => void {
  const lock = open(join(directory, 'lock.db'));
  try {
    lock.exec('PRAGMA journal_mode = DELETE; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE;');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw unopenable(join(directory, 'lock.db'), error);
    throw new StorageRefused(`the data directory ${directory} is in use by another process`, { cause: error });
  }
  return () => lock.close();
}

/** The one connection that writes. Every commit is on the disk before it returns. */
export function openForWriting(directory: string): DatabaseSync {
  const path = join(directory, fileName);
  const database = open(path);
  try {
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA busy_timeout = 5000;
      PRAGMA wal_autocheckpoint = 8000;
      PRAGMA cache_size = -65536;
    `);
    chmodSync(path, 0o600);
    migrate(database, path);
  } catch (error) {
    database.close();
    if (error instanceof StorageRefused) throw error;
    throw unopenable(path, error);
  }
  return database;
}

export function openForReading(directory: string): DatabaseSync {
  const database = new DatabaseSync(join(directory, fileName), { readOnly: true });
  // Never mapped: where a disk cannot be read, a mapped page ends the process, and a read only this one request.
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -16384;');
  return database;
}

export function epochOf(database: DatabaseSync): string {
  return String(database.prepare("SELECT value FROM meta WHERE name = 'epoch'").get()?.['value']);
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new StorageRefused(
      `the database ${path} has schema ${version}, newer than this program knows (${migrations.length}); use a newer program`,
    );
  }
  for (let step = version; step < migrations.length; step++) {
    database.exec(`BEGIN IMMEDIATE; ${migrations[step]} PRAGMA user_version = ${step + 1};`);
    if (step === 0) {
      database.prepare("INSERT INTO meta VALUES ('epoch', ?)").run(randomBytes(12).toString('hex'));
    }
    database.exec('COMMIT');
  }
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw unopenable(path, error);
  }
}

function unopenable(path: string, error: unknown): StorageRefused {
  return new StorageRefused(`the database ${path} cannot be opened (${reason(error)})`, { cause: error });
}

/** SQLITE_BUSY, with or without its extensions. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
