import { firstJournal } from './0001-first-journal.ts';
import { clustersAsAsked } from './0002-clusters-as-asked.ts';
import { accessOfPeople } from './0003-access.ts';
import { draftsAndCredentials } from './0004-drafts-and-credentials.ts';
import { repeatedEnrolment } from './0005-repeated-enrolment.ts';
import { outgoing } from './0006-outgoing.ts';
import { signInLimits } from './0007-sign-in-limits.ts';
import { retirements } from './0008-retirements.ts';
import { wayBack } from './0009-way-back.ts';
import { maintenance } from './0010-maintenance.ts';
import { health } from './0011-health.ts';
import { certificates } from './0012-certificates.ts';
import { askedAddresses } from './0013-asked-addresses.ts';
import { unfencedMachines } from './0014-unfenced-machines.ts';
import { backupRemovals } from './0015-backup-removals.ts';
import { lastBackups } from './0016-last-backups.ts';
import type { Migration } from './migration.ts';

/** All migrations in order. */
export const migrations: readonly Migration[] = [
  firstJournal,
  clustersAsAsked,
  accessOfPeople,
  draftsAndCredentials,
  repeatedEnrolment,
  outgoing,
  signInLimits,
  retirements,
  wayBack,
  maintenance,
  health,
  certificates,
  askedAddresses,
  unfencedMachines,
  backupRemovals,
  lastBackups,
];
