import type { Migration } from './migration.ts';

/** Which request used an enrolment token up, so that the same one may be answered again when its answer was lost. */
export const repeatedEnrolment: Migration = {
  number: 5,
  title: 'an enrolment whose answer was lost is answered again',
  migrate(database) {
    database.exec('ALTER TABLE enrolments ADD COLUMN used_by TEXT');
  },
};
