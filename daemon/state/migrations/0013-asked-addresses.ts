import type { Migration } from './migration.ts';

/** A machine that is just being made keeps the address that was asked for, whatever becomes free meanwhile. */
export const askedAddresses: Migration = {
  number: 13,
  title: 'addresses that machines were asked for with',
  migrate(database) {
    database.exec('ALTER TABLE machines ADD COLUMN address TEXT');
  },
};
