import type { Migration } from './migration.ts';

/** Machines that could be neither destroyed nor switched off, and who said of one that it is off. */
export const unfencedMachines: Migration = {
  number: 14,
  title: 'machines that could not be fenced',
  migrate(database) {
    database.exec(`
      ALTER TABLE retirements ADD COLUMN unfenced_at TEXT;
      ALTER TABLE retirements ADD COLUMN unfenced_why TEXT;
      ALTER TABLE retirements ADD COLUMN stated_by TEXT;
    `);
  },
};
