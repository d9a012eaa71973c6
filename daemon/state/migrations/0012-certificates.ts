import type { Migration } from './migration.ts';

/** What is known of certificates, and what people were told: each threshold once, also when the daemon was restarted. */
export const certificates: Migration = {
  number: 12,
  title: 'warnings of certificates that end',
  migrate(database) {
    database.exec(`
      -- Ends of certificates as each master told them last, and when anybody told: a look may reach no master at all.
      ALTER TABLE clusters ADD COLUMN certificates TEXT;
      ALTER TABLE clusters ADD COLUMN certificates_at TEXT;

      CREATE TABLE certificate_warnings (
        cluster TEXT NOT NULL REFERENCES clusters (uid), machine TEXT NOT NULL, name TEXT NOT NULL,
        not_after TEXT NOT NULL, level TEXT NOT NULL CHECK (level IN ('notice', 'warning', 'critical', 'expired')),
        at TEXT NOT NULL, PRIMARY KEY (cluster, machine, name)
      ) STRICT, WITHOUT ROWID;`);
  },
};
