import type { Migration } from './migration.ts';

const tables = `
  -- What is known of a cluster's health now; seen_at: when the agent told something last.
  CREATE TABLE cluster_health (
    cluster TEXT PRIMARY KEY REFERENCES clusters (uid), numbers TEXT NOT NULL, seen_at TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE health_conditions (
    cluster TEXT NOT NULL REFERENCES clusters (uid), type TEXT NOT NULL, condition TEXT NOT NULL,
    PRIMARY KEY (cluster, type)
  ) STRICT, WITHOUT ROWID;
  -- Changes of state alone; pruned by age and number.
  CREATE TABLE health_history (
    number INTEGER PRIMARY KEY AUTOINCREMENT, cluster TEXT NOT NULL REFERENCES clusters (uid),
    at TEXT NOT NULL, from_status TEXT, condition TEXT NOT NULL
  ) STRICT;
  CREATE INDEX health_history_of_cluster ON health_history (cluster, number);

  -- What the last deep look found.
  CREATE TABLE cluster_drift (
    cluster TEXT PRIMARY KEY REFERENCES clusters (uid), at TEXT NOT NULL, report TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alerts (
    id TEXT PRIMARY KEY, cluster TEXT NOT NULL, name TEXT NOT NULL, condition TEXT NOT NULL,
    fired_at TEXT NOT NULL, resolved_at TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE alert_notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  -- position: last notice that the receiver has; batch_end: last notice of the batch that is on its way.
  CREATE TABLE alert_receivers (
    name TEXT PRIMARY KEY, config TEXT NOT NULL, principal TEXT NOT NULL, updated_at TEXT NOT NULL,
    position INTEGER NOT NULL, batch_end INTEGER, delivered_at TEXT, problem TEXT
  ) STRICT;`;

/** Conditions of clusters with their history, and alerts with those who are told. */
export const health: Migration = {
  number: 11,
  title: 'health of clusters, alerts',
  migrate(database) {
    database.exec(tables);
  },
};
