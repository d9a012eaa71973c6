import type { Migration } from './migration.ts';

/** When an apply last found everything as asked: then an older failure says nothing about the cluster any more. */
export const clustersAsAsked: Migration = {
  number: 2,
  title: 'remember when a cluster was found as asked',
  migrate(database) {
    database.exec('ALTER TABLE clusters ADD COLUMN as_asked_at TEXT');
  },
};
