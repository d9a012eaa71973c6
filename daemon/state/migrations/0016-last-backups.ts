import type { Migration } from './migration.ts';

/** Whether a removal by hand may take the last backup there is: whoever goes on with it asks again. */
export const lastBackups: Migration = {
  number: 16,
  title: 'removals of last backups',
  migrate(database) {
    database.exec('ALTER TABLE backup_removals ADD COLUMN may_be_last INTEGER NOT NULL DEFAULT 0');
  },
};
