import type { Migration } from './migration.ts';

/*
 * SQLite cannot change a CHECK: the column is made anew under its name, so that nobody who refers to the table is
 * touched. The index that reads it is made again behind it.
 */
const waits = `
  DROP INDEX one_operation_a_cluster;
  ALTER TABLE operations ADD COLUMN waits_for TEXT
    CHECK (waits_for IN ('approval', 'agent', 'operation', 'space', 'window', 'pause'));
  UPDATE operations SET waits_for = waiting_for;
  ALTER TABLE operations DROP COLUMN waiting_for;
  ALTER TABLE operations RENAME COLUMN waits_for TO waiting_for;
  CREATE UNIQUE INDEX one_operation_a_cluster ON operations(cluster)
    WHERE state = 'planned' OR state = 'running' OR (state = 'waiting' AND waiting_for <> 'operation');`;

const rules = `
  -- When a wait ends by itself; who let it work outside the windows; how many must agree, and whether they have.
  ALTER TABLE operations ADD COLUMN waits_until TEXT;
  ALTER TABLE operations ADD COLUMN outside_window TEXT;
  ALTER TABLE operations ADD COLUMN approvals_needed INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE operations ADD COLUMN agreed INTEGER NOT NULL DEFAULT 1;

  -- Who agreed to which plan of an operation. A plan that changes is another question.
  CREATE TABLE approvals (
    operation TEXT NOT NULL REFERENCES operations (id), plan_number INTEGER NOT NULL, plan_hash TEXT NOT NULL,
    principal TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (operation, plan_number, principal)
  ) STRICT, WITHOUT ROWID;`;

/** Waits for maintenance windows and pauses, and approvals by more than one. */
export const maintenance: Migration = {
  number: 10,
  title: 'maintenance windows, pauses and approvals',
  migrate(database) {
    database.exec(waits);
    database.exec(rules);
  },
};
