import type { Migration } from './migration.ts';

/*
 * A person may have the name of a service account, so names are unique within a kind only. SQLite cannot take a UNIQUE
 * away: both tables are made anew, the referring one first, so that no row ever refers to nothing.
 */
const rebuilt = `
  CREATE TABLE principals_new (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, roles TEXT NOT NULL,
    created_at TEXT NOT NULL, disabled_at TEXT, UNIQUE (kind, name)
  ) STRICT;
  INSERT INTO principals_new SELECT id, name, kind, roles, created_at, disabled_at FROM principals;
  CREATE TABLE tokens_new (
    hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL REFERENCES principals_new(id) ON DELETE CASCADE,
    label TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT,
    last_used_at TEXT, scope TEXT
  ) STRICT;
  INSERT INTO tokens_new
    SELECT hash, id, principal, label, created_at, expires_at, revoked_at, NULL, NULL FROM tokens;
  DROP TABLE tokens;
  DROP TABLE principals;
  ALTER TABLE principals_new RENAME TO principals;
  ALTER TABLE tokens_new RENAME TO tokens;`;

const people = `
  -- What is known of a person beside her principal. A person of a directory has no password here.
  CREATE TABLE users (
    principal TEXT PRIMARY KEY REFERENCES principals(id) ON DELETE CASCADE,
    directory TEXT, groups TEXT NOT NULL DEFAULT '[]', grants TEXT NOT NULL DEFAULT '{}', password TEXT,
    factor TEXT, factor_confirmed INTEGER NOT NULL DEFAULT 0, factor_step INTEGER NOT NULL DEFAULT 0,
    recovery TEXT NOT NULL DEFAULT '[]', device_epoch INTEGER NOT NULL DEFAULT 1,
    invitation TEXT UNIQUE, invitation_ends_at TEXT, last_sign_in_at TEXT
  ) STRICT;

  CREATE TABLE sessions (
    hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL REFERENCES principals(id) ON DELETE CASCADE,
    created_at TEXT NOT NULL, last_seen_at TEXT NOT NULL, idle_ends_at TEXT NOT NULL, ends_at TEXT NOT NULL,
    address TEXT NOT NULL, browser TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_principal ON sessions(principal);

  -- By uid: who may get into a cluster may not get into its successor of the same name.
  CREATE TABLE grants (
    id TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES clusters(uid),
    principal TEXT REFERENCES principals(id) ON DELETE CASCADE, group_name TEXT,
    role TEXT NOT NULL, granted_by TEXT NOT NULL, at TEXT NOT NULL,
    CHECK ((principal IS NULL) <> (group_name IS NULL)),
    UNIQUE (cluster, principal), UNIQUE (cluster, group_name)
  ) STRICT;
  CREATE INDEX grants_by_principal ON grants(principal);

  -- One row: the code that makes the first administrator, and when that happened.
  CREATE TABLE setup (id INTEGER PRIMARY KEY CHECK (id = 1), code TEXT, claimed_at TEXT) STRICT;
  INSERT INTO setup VALUES (1, NULL, NULL);`;

/** People, their sessions, and what they may in which cluster. */
export const accessOfPeople: Migration = {
  number: 3,
  title: 'people, sessions, grants and the set-up code',
  migrate(database) {
    database.exec(rebuilt);
    database.exec(people);
  },
};
