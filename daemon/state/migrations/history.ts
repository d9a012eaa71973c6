import { firstJournal } from './0001-first-journal.ts';
import { clustersAsAsked } from './0002-clusters-as-asked.ts';
import type { Migration } from './migration.ts';

/** All migrations in order. */
export const migrations: readonly Migration[] = [firstJournal, clustersAsAsked];
