import type { Migration } from './migration.ts';

/** Backups that somebody had removed by hand: asked for before the agent is, done when it has answered. */
export const backupRemovals: Migration = {
  number: 15,
  title: 'backups removed by hand',
  migrate(database) {
    database.exec(`
      CREATE TABLE backup_removals (
        cluster TEXT NOT NULL REFERENCES clusters(uid), backup TEXT NOT NULL, destination TEXT NOT NULL,
        principal TEXT NOT NULL, asked_at TEXT NOT NULL, done_at TEXT, PRIMARY KEY (cluster, backup)
      ) STRICT;
    `);
  },
};
