import type { Migration } from './migration.ts';

const table = `
  -- Machines that are to leave a cluster, or have left it and are still there. fenced_at: proven to take no part.
  CREATE TABLE retirements (
    cluster TEXT NOT NULL REFERENCES clusters (uid), name TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('destroy', 'keep')),
    reason TEXT NOT NULL CHECK (reason IN ('surplus', 'removed', 'replaced')),
    operation TEXT NOT NULL REFERENCES operations (id), since TEXT NOT NULL, fenced_at TEXT,
    PRIMARY KEY (cluster, name)
  ) STRICT, WITHOUT ROWID;`;

/** Who leaves a cluster is decided once and survives every restart. */
export const retirements: Migration = {
  number: 8,
  title: 'machines that leave',
  migrate(database) {
    database.exec(table);
  },
};
