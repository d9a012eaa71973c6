import type { Migration } from './migration.ts';

const tables = `
  CREATE TABLE directories (
    name TEXT PRIMARY KEY, title TEXT NOT NULL, config TEXT NOT NULL,
    principal TEXT NOT NULL, updated_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE policies (
    name TEXT PRIMARY KEY, document TEXT NOT NULL, principal TEXT NOT NULL, updated_at TEXT NOT NULL
  ) STRICT;
  -- Policies that come with Remuda and were removed: they do not come back with the next start.
  CREATE TABLE removed_policies (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

  -- position, position_hash: the last row that the receiver has.
  CREATE TABLE audit_exports (
    name TEXT PRIMARY KEY, config TEXT NOT NULL, principal TEXT NOT NULL, updated_at TEXT NOT NULL,
    position INTEGER NOT NULL, position_hash TEXT NOT NULL, delivered_at TEXT, problem TEXT
  ) STRICT;

  -- Group that a token was given for: who is not in it any more loses the token.
  ALTER TABLE credentials ADD COLUMN group_name TEXT;`;

/** What goes out of the house by the agent, and what comes in by it: directories, policies, receivers of the audit trail. */
export const outgoing: Migration = {
  number: 6,
  title: 'directories, policies, receivers of the audit trail',
  migrate(database) {
    database.exec(tables);
  },
};
