/**
 * The schema, as numbered steps that are never changed once released. `user_version` counts the steps taken.
 * Bodies stand once, in the append-only `event` table; an object row points to its body by `seq`. Only rows that no
 * object points to are ever deleted.
 */

export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE account (sid TEXT PRIMARY KEY, auth_token TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE service (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, unique_name TEXT, created_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE key (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, secret TEXT NOT NULL, created_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE name (
    service TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, sid TEXT NOT NULL,
    PRIMARY KEY (service, kind, name)
  ) WITHOUT ROWID;
  CREATE TABLE object (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, service TEXT NOT NULL, kind TEXT NOT NULL, unique_name TEXT,
    event_id INTEGER NOT NULL, seq INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    expires_at INTEGER, created_by TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX object_due ON object (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE event (seq INTEGER PRIMARY KEY, object TEXT NOT NULL, id INTEGER NOT NULL, body TEXT NOT NULL);
  `,
  // Secrets are sealed from here on. Those that stood in clear go without a trace: they came from the credentials that
  // the service is started with, and come from there again.
  `
  PRAGMA secure_delete = ON;
  UPDATE account SET auth_token = '';
  DROP TABLE key;
  CREATE TABLE key (
    sid TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT, secret TEXT NOT NULL, created_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) WITHOUT ROWID;
  PRAGMA secure_delete = OFF;
  `,
  // Lists, maps and streams: objects without a body, which have seq 0. The key of an item is a number in a list and
  // UTF-16BE bytes in a map, so that both sort as readers expect. Only items have an index by event id: every event with
  // one would cost a third of all writes.
  `
  ALTER TABLE object ADD COLUMN next_index INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE object ADD COLUMN markers INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE object ADD COLUMN trimmed_to INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX object_markers ON object (markers) WHERE markers > 0;
  CREATE TABLE item (
    object TEXT NOT NULL, key NUMERIC NOT NULL, event_id INTEGER NOT NULL, added_id INTEGER NOT NULL,
    seq INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER,
    created_by TEXT NOT NULL,
    PRIMARY KEY (object, key)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX item_event ON item (object, event_id);
  CREATE INDEX item_due ON item (expires_at, object, key) WHERE expires_at IS NOT NULL;
  CREATE TABLE marker (
    object TEXT NOT NULL, key NUMERIC NOT NULL, event_id INTEGER NOT NULL, removed_at INTEGER NOT NULL,
    PRIMARY KEY (object, key)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX marker_event ON marker (object, event_id);
  CREATE INDEX marker_age ON marker (removed_at, object, key);
  CREATE TABLE purge (object TEXT PRIMARY KEY) WITHOUT ROWID;
  `,
];
