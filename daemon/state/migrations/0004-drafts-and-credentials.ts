import type { Migration } from './migration.ts';

const tables = `
  -- Answer files on the way, without secrets. (The table "drafts" holds keys drawn for clusters that are only planned.)
  CREATE TABLE answer_drafts (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, step TEXT NOT NULL, text TEXT NOT NULL,
    owner TEXT NOT NULL, shared INTEGER NOT NULL, revision INTEGER NOT NULL,
    updated_at TEXT NOT NULL, updated_by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX answer_drafts_by_owner ON answer_drafts(owner);

  -- What somebody holds for getting into a cluster. No secret of it is kept.
  CREATE TABLE credentials (
    id TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES clusters(uid), principal TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('kubeconfig','token')),
    issued_at TEXT NOT NULL, expires_at TEXT, last_used_at TEXT, valid_until TEXT,
    revoked_at TEXT, revoked_by TEXT
  ) STRICT;
  CREATE INDEX credentials_by_cluster ON credentials(cluster, principal);`;

/** Drafts of answer files, and credentials of people for clusters. */
export const draftsAndCredentials: Migration = {
  number: 4,
  title: 'drafts of answer files, and credentials for clusters',
  migrate(database) {
    database.exec(tables);
  },
};
