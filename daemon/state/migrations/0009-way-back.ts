import type { Migration } from './migration.ts';

// SQLite cannot change a CHECK: the table is made anew (https://www.sqlite.org/lang_altertable.html#otheralter).
const table = `
  CREATE TABLE retirements_of_now (
    cluster TEXT NOT NULL REFERENCES clusters (uid), name TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('destroy', 'keep', 'off')),
    reason TEXT NOT NULL CHECK (reason IN ('surplus', 'removed', 'replaced', 'changed', 'upgraded')),
    operation TEXT NOT NULL REFERENCES operations (id), since TEXT NOT NULL, fenced_at TEXT,
    PRIMARY KEY (cluster, name)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO retirements_of_now SELECT cluster, name, mode, reason, operation, since, fenced_at FROM retirements;
  DROP TABLE retirements;
  ALTER TABLE retirements_of_now RENAME TO retirements;`;

/** Machines that an upgrade replaced are kept, switched off, until somebody finalizes or goes back. */
export const wayBack: Migration = {
  number: 9,
  title: 'machines kept for the way back',
  migrate(database) {
    database.exec(table);
  },
};
